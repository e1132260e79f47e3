import type { Command, OptionValues } from '@commander-js/extra-typings';
import type { Env } from '@replenish/runtime';

/** What a command works with, besides its own words. */
export type Terminal = Readonly<{
  env: Env;
  /** Writes one line to standard output. */
  say: (line: string) => void;
  /** Writes one line to standard error. */
  complain: (line: string) => void;
  /** The terminal behind standard error, where it is one: progress may redraw its line there. */
  terminal?: NodeJS.WriteStream | undefined;
  /** Colours a text of standard output. Absent: plain text. */
  paint?: ((style: Style, text: string) => string) | undefined;
}>;

export type Style = 'bold' | 'red' | 'green' | 'yellow' | 'dim';

/** The desk of one run, which may end with another exit code than 0 although nothing was thrown. */
export type CommandRun = Terminal & Readonly<{ exitWith: (exitCode: number) => void }>;

// Commander's own parameters for arguments, options and global options: any command fits.
export type AnyCommand = Command<unknown[], OptionValues, OptionValues>;

/**
 * A command in a file of its own, ready to be added to the program. It is built at every start, so its file imports
 * only what describes it, and loads what it works with when it is run.
 */
export type Declare = (run: CommandRun) => AnyCommand;

/** The words and values are right one by one, and cannot be taken together. Exit code 2. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

export const JSON_ABOUT = 'print JSON for machines';
