import type { Env } from '@replenish/runtime';

export type Call = Readonly<{
  /** What follows the command's name. */
  args: readonly string[];
  env: Env;
  /** Writes one line to standard output. */
  say: (line: string) => void;
  /** Writes one line to standard error. */
  complain: (line: string) => void;
}>;

/** Runs to its end and returns the exit code of the process. */
export type Command = (call: Call) => Promise<number>;
