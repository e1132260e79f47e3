import type { Env } from '@replenish/runtime';
import type { Parsed } from './arguments.js';
import type { FormName } from './syntax.js';

export type Desk = Readonly<{
  env: Env;
  /** Writes one line to standard output. */
  say: (line: string) => void;
  /** Writes one line to standard error. */
  complain: (line: string) => void;
}>;

export type Call<N extends FormName> = Desk & Parsed<N>;

/**
 * Runs to its end and returns the exit code of the process.
 * @throws Misuse for arguments it cannot take, any other error for what did not work
 */
export type Command<N extends FormName> = (call: Call<N>) => Promise<number>;
