import { type Domain, type News, nextStep, type Outstanding, type Told } from '@replenish/domain';
import type {
  GuardedProvider,
  OrderStatus,
  CallRecord as ProviderCall,
  QueryOutcome,
} from '@replenish/providers';
import type { Queues } from '@replenish/queues';
import { crashPoint, type Logger, newId, type ProviderMetrics } from '@replenish/runtime';

export type AskerDeps = Readonly<{
  domain: Pick<Domain, 'applyNews' | 'reads'>;
  queues: Pick<Queues, 'hint'>;
  provider: GuardedProvider;
  log: Logger;
  metrics: Pick<ProviderMetrics, 'onConfirmed'>;
}>;

type Later = { laterAtMs: number };

/** Asks the provider what became of one quiet recharge, and reports it through the same door as everyone. */
export function asker(deps: AskerDeps): (id: string) => Promise<undefined | Later> {
  const { domain, provider, log } = deps;
  return async (id) => {
    const recharge = await domain.reads.outstanding(id);
    if (recharge?.nextStep !== 'ask') return;
    const open = provider.isOpen('query');
    if (open) return { laterAtMs: open.retryAtMs };
    const { outcome, calls } = await provider.query(recharge.id);
    crashPoint('reconciliation.after-query');
    const told = toldOf(recharge, outcome, provider);
    const heard = await domain.applyNews({ ...told, calls: calls.map((call) => recordOf(recharge, call)) });
    log.info(
      {
        transactionId: id,
        outcome: outcome.kind,
        verdict: heard.verdict,
        state: heard.state,
        next: told.nextStep,
      },
      'asked',
    );
    if (heard.verdict === 'moved' && heard.state === 'SUCCEEDED' && heard.createdAt) {
      deps.metrics.onConfirmed(provider.name, heard.createdAt, new Date());
    }
    // Only to be fast: the row says already that a submit comes next.
    if (told.nextStep === 'submit') await deps.queues.hint(`submission-${provider.name}`, [id]);
    return;
  };
}

const newsOf: Record<OrderStatus, News> = {
  pending: 'accepted',
  settled: 'settled',
  declined: 'declined',
  canceled: 'cancel',
};

function toldOf(recharge: Outstanding, outcome: QueryOutcome, provider: GuardedProvider): Told {
  const about = { transactionId: recharge.id, attempt: recharge.attempt, source: 'poll' as const };
  if (outcome.kind === 'found') {
    const { status, providerOrderId, amountMinor, currency } = outcome;
    const message = [outcome.code ?? status, outcome.message].filter(Boolean).join(': ');
    return {
      ...about,
      news: newsOf[status],
      reason: `${provider.name} says: ${status}`,
      providerOrderId,
      ...(status === 'settled' && { money: { amountMinor, currency } }),
      ...(status === 'declined' && { failure: { code: 'PAYMENT_FAILED', message } }),
    };
  }
  if (outcome.kind !== 'absent') {
    return { ...about, news: 'unknown', reason: `${provider.name} does not say: ${outcome.cause}` };
  }
  const reason = `${provider.name} has no such order`;
  const next = nextStep(recharge.state, 'absent', provider.capabilities);
  if (next === 'submit') return { ...about, news: 'unknown', reason, nextStep: 'submit' };
  return { ...about, news: 'unknown', reason, doubt: 'absent_order' };
}

const recordOf = (recharge: Outstanding, call: ProviderCall) => ({
  id: newId(),
  operation: 'query' as const,
  attempt: recharge.attempt,
  outcome: call.outcome,
  providerCode: call.providerCode,
  httpStatus: call.httpStatus,
  startedAt: call.startedAt,
  endedAt: call.endedAt,
});
