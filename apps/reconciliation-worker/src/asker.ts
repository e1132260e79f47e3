import { type Domain, newsOfOrder, nextStep, type Outstanding, type RechargeReport } from '@replenish/domain';
import type { GuardedProvider, Attempt as ProviderCall, QueryOutcome } from '@replenish/providers';
import type { Queues } from '@replenish/queues';
import { crashPoint, type Logger, newId, type ProviderMetrics } from '@replenish/runtime';

export type AskerDeps = Readonly<{
  domain: Pick<Domain, 'applyNews' | 'reads'>;
  queues: Pick<Queues, 'hint'>;
  provider: GuardedProvider;
  log: Logger;
  metrics: Pick<ProviderMetrics, 'onHeard'>;
}>;

/** Asks the provider what became of one quiet recharge, and reports it through the same door as everyone. */
export function asker(deps: AskerDeps): (id: string) => Promise<undefined> {
  const { domain, provider, log } = deps;
  const asking = new Set<string>();
  const ask = async (id: string): Promise<undefined> => {
    // While the breaker is open the question is dropped, not delayed: its row has a due time, and the copies of a long
    // outage would stand in the way of new recharges.
    if (provider.isOpen('query')) return;
    const recharge = await domain.reads.outstanding(id);
    if (recharge?.nextStep !== 'ask' || recharge.provider !== provider.name) return;
    const { outcome, calls } = await provider.query(recharge.id);
    crashPoint('reconciliation.after-query');
    const told = toldOf(recharge, outcome, provider);
    const heard = await domain.applyNews({ ...told, calls: calls.map((call) => recordOf(recharge, call)) });
    log.info(
      {
        correlationId: recharge.correlationId,
        transactionId: id,
        idempotencyKey: recharge.idempotencyKey,
        outcome: outcome.kind,
        verdict: heard.verdict,
        state: heard.state,
        next: told.nextStep,
      },
      'asked',
    );
    deps.metrics.onHeard(provider.name, heard, new Date());
    // Only to be fast: the row says whether a submit comes next, and a claim is refused where none does.
    if (told.nextStep === 'submit') await deps.queues.hint(`submission-${provider.name}`, [id]);
    return;
  };
  return async (id) => {
    // A second answer about the same moment tells nothing new, and its call takes the place of another recharge's.
    if (asking.has(id)) return;
    asking.add(id);
    return ask(id).finally(() => asking.delete(id));
  };
}

function toldOf(recharge: Outstanding, outcome: QueryOutcome, provider: GuardedProvider): RechargeReport {
  const about = { transactionId: recharge.id, attempt: recharge.attempt, source: 'poll' as const };
  const unknown = { ...about, news: 'unknown' as const };
  switch (outcome.kind) {
    case 'found':
      return { ...about, ...newsOfOrder(outcome), reason: `${provider.name} says: ${outcome.status}` };
    case 'several':
      return {
        ...unknown,
        reason: `${provider.name} has ${outcome.count} orders of one reference`,
        doubt: 'several_orders',
      };
    case 'absent': {
      const reason = `${provider.name} has no such order`;
      const next = nextStep(recharge.state, 'absent', provider.capabilities);
      return next === 'submit'
        ? { ...unknown, reason, nextStep: 'submit' }
        : { ...unknown, reason, doubt: 'absent_order' };
    }
    case 'unknown':
    case 'not_executed': {
      const reason = `${provider.name} does not say: ${outcome.cause}`;
      const notBeforeMs = outcome.kind === 'not_executed' ? outcome.retryAfterMs : undefined;
      const unreached = outcome.kind === 'not_executed' && outcome.cause !== 'rate_limited';
      return { ...unknown, reason, unreached, ...(notBeforeMs !== undefined && { notBeforeMs }) };
    }
  }
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
