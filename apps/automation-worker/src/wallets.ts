import { setTimeout as delay } from 'node:timers/promises';
import { type Domain, StoreUnavailable } from '@replenish/domain';
import type { Queues } from '@replenish/queues';
import type { Logger } from '@replenish/runtime';

export type WalletWatchDeps = Readonly<{
  rules: Pick<Domain['rules'], 'pullForward'>;
  queues: Pick<Queues, 'hint'>;
  log: Logger;
}>;

// A rule reacts within two seconds of the posting that took its wallet below the threshold.
const EVERY_MS = 250;
const RULES_TOGETHER = 40;

/**
 * Looks for wallets that fell below the threshold of a rule, until it is closed. The statements that post to the ledger
 * are the busiest ones, so they do not announce such wallets. One search costs the database some 10 us per rule on a
 * wallet.
 */
export function watchWallets({ rules, queues, log }: WalletWatchDeps): () => Promise<void> {
  const ending = new AbortController();
  const askOnce = async (): Promise<boolean> => {
    const ids = await rules.pullForward(RULES_TOGETHER);
    if (ids.length > 0) await queues.hint('automation', ids);
    return ids.length === RULES_TOGETHER;
  };
  const loop = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const isMore = await askOnce().catch((error: unknown) => {
        const level = error instanceof StoreUnavailable ? 'warn' : 'error';
        log[level]({ err: error }, 'the wallets of rules were not looked at; the next look follows');
        return false;
      });
      const pauseMs = isMore ? 0 : EVERY_MS;
      await delay(pauseMs, undefined, { signal: ending.signal, ref: false }).catch(() => {});
    }
  };
  const running = loop();
  return async () => {
    ending.abort();
    await running;
  };
}
