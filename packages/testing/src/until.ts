import { setTimeout as sleep } from 'node:timers/promises';

type Falsy = false | null | undefined | 0 | '';

/**
 * Repeats a check until its result is truthy, and returns the result. A throw counts as "not yet".
 * @throws after `limitMs`, with `what` and the last result
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { limitMs, everyMs = 25 }: Readonly<{ limitMs: number; everyMs?: number }>,
  what: string,
): Promise<Exclude<T, Falsy>> {
  const giveUpAt = Date.now() + limitMs;
  for (;;) {
    const heard = await Promise.resolve()
      .then(condition)
      .catch((error: unknown) => ({ thrown: error }));
    const failed = typeof heard === 'object' && heard !== null && 'thrown' in heard;
    if (heard && !failed) return heard as Exclude<T, Falsy>;
    if (Date.now() > giveUpAt) {
      const last = failed ? `it threw ${String(heard.thrown)}` : `it was ${String(heard)}`;
      throw new Error(`not in ${limitMs} ms: ${what} (at last ${last})`);
    }
    await sleep(everyMs);
  }
}
