import yoctoSpinner from 'yocto-spinner';
import type { Terminal } from './command.js';

/** Replaces the text about the current step. */
export type Tell = (what: string) => void;

// Ten seconds is about the time after which a person needs a sign of progress.
const LINE_EVERY_MS = 10_000;

/**
 * Does the work and shows on standard error which step runs and for how long: in one redrawn line on a terminal,
 * elsewhere as a new line every ten seconds.
 */
export async function withProgress<T>(
  { terminal, complain }: Pick<Terminal, 'terminal' | 'complain'>,
  what: string,
  work: (tell: Tell) => Promise<T>,
  everyMs = LINE_EVERY_MS,
): Promise<T> {
  const startedAtMs = performance.now();
  let now = what;
  const sentence = () => `${now}, ${Math.floor((performance.now() - startedAtMs) / 1_000)} s`;
  const spinner = terminal && yoctoSpinner({ text: sentence(), stream: terminal }).start();
  const timer = setInterval(
    () => {
      if (spinner) spinner.text = sentence();
      else complain(`still ${sentence()}`);
    },
    spinner ? 250 : everyMs,
  );
  try {
    return await work((next) => {
      now = next;
    });
  } finally {
    clearInterval(timer);
    spinner?.stop();
  }
}
