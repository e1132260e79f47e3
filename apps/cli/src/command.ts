import type { Command, OptionValues } from '@commander-js/extra-typings';
import type { Env } from '@replenish/runtime';

/** The surroundings of a command: environment and output. */
export type Terminal = Readonly<{
  env: Env;
  /** Writes one line to standard output. */
  say: (line: string) => void;
  /**
   * Resolves once the reader of standard output has room for everything that was said. A command with an answer of any
   * length awaits it, because what has no room stays in memory.
   */
  written?: (() => Promise<void>) | undefined;
  /** Writes one line to standard error. */
  complain: (line: string) => void;
  /** Standard error, when it is a terminal. Progress is then shown in one line that is redrawn. */
  terminal?: NodeJS.WriteStream | undefined;
  /** Colours a text for standard output. Without this function texts are plain. */
  paint?: ((style: Style, text: string) => string) | undefined;
}>;

export type Style = 'bold' | 'red' | 'green' | 'yellow' | 'dim';

/** The surroundings of one run. `exitWith` sets an exit code without throwing. */
export type CommandRun = Terminal & Readonly<{ exitWith: (exitCode: number) => void }>;

// The type of any command, with any arguments and options.
export type AnyCommand = Command<unknown[], OptionValues, OptionValues>;

/**
 * Declares one command. All commands are declared at each start, so a command's file imports at the top only what the
 * declaration needs, and the rest when it runs.
 */
export type Declare = (run: CommandRun) => AnyCommand;

/** Arguments that are valid one by one, but not together. Exit code 2. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

export const JSON_ABOUT = 'print JSON for machines';
