import type { Breakers } from '@replenish/domain';
import type { Logger } from '@replenish/runtime';
import type { ProviderMetrics } from './provider-metrics.js';

export type BreakerReportDeps = Readonly<{
  breakers: Breakers;
  metrics: Pick<ProviderMetrics, 'onBreaker'>;
  log: Logger;
}>;

type OnBreaker = (
  of: Readonly<{ provider: string; account: string }>,
  operation: string,
  state: 'closed' | 'half_open' | 'open',
  openForMs: number,
) => void;

/**
 * Returns the handler of a breaker's changes. It sets the gauge, and stores whether the breaker is open, so that other
 * processes can say that a recharge waits for the provider. The changes of a process are stored in their order. A
 * change that cannot be stored is logged. A breaker that is stored as open counts as closed after some time.
 */
export function openBreakerReports({ breakers, metrics, log }: BreakerReportDeps): OnBreaker {
  let last: Promise<unknown> = Promise.resolve();
  return (of, operation, state, openForMs) => {
    metrics.onBreaker(of, operation, state);
    if (state === 'half_open') return;
    const key = { provider: of.provider, providerAccount: of.account, operation };
    last = last
      .then(() => (state === 'open' ? breakers.opened(key, openForMs) : breakers.closed(key)))
      .catch((error: unknown) => log.warn({ err: error, ...key }, 'the state of a breaker was not stored'));
  };
}
