import yoctoSpinner from 'yocto-spinner';
import type { Terminal } from './command.js';

/** Replaces the words of what is under way. */
export type Tell = (what: string) => void;

// A quick answer needs no words before it; a person begins to wonder after some ten seconds without any.
const LINE_EVERY_MS = 10_000;

/**
 * Does the work, and says on standard error meanwhile what is under way and since when: a line that is redrawn on a
 * terminal, a new line every ten seconds elsewhere.
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
