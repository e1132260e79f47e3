import { callRow, destinationOf, newsOfQuery, type ProviderMetrics, soughtRefund } from '@replenish/assembly';
import type { Domain, Outstanding, ProviderCallRow } from '@replenish/domain';
import type { Attempt, Guarded, GuardedProvider, QueryOutcome, SoughtOrder } from '@replenish/providers';
import type { Queues } from '@replenish/queues';
import { crashPoint, type Logger, newId } from '@replenish/runtime';

export type AskerDeps = Readonly<{
  domain: Pick<Domain, 'applyNews' | 'reads'>;
  queues: Pick<Queues, 'hint'>;
  provider: GuardedProvider;
  log: Logger;
  metrics: Pick<ProviderMetrics, 'onReported'>;
}>;

/** Returns a function that queries the provider about one silent recharge and reports the answer to the domain. */
export function asker(deps: AskerDeps): (id: string) => Promise<undefined> {
  const { domain, provider, log } = deps;
  const asking = new Set<string>();
  const ask = async (id: string): Promise<undefined> => {
    // While the breaker is open, the job is dropped and not delayed. The row has a due time, so it gets another job.
    // The delayed jobs of a long outage would fill the queue ahead of new recharges.
    if (provider.isOpen('query')) return;
    const recharge = await domain.reads.outstanding(id);
    if (recharge?.nextStep !== 'ask' || recharge.provider !== provider.name) return;
    const found = await find(provider, recharge);
    if (!found) return;
    const { outcome, calls } = found;
    crashPoint('reconciliation.after-query');
    const { promises } = provider;
    const news = newsOfQuery(outcome, { ...recharge, promises, evidence: calls.at(-1)?.evidence });
    const result = await domain.applyNews({
      ...news,
      transactionId: id,
      attempt: recharge.attempt,
      calls: calls.map((call) => queryRow(call, recharge)),
    });
    log.info(
      {
        correlationId: recharge.correlationId,
        transactionId: id,
        idempotencyKey: recharge.idempotencyKey,
        outcome: outcome.kind,
        verdict: result.verdict,
        state: result.state,
        next: news.nextStep,
      },
      'asked',
    );
    deps.metrics.onReported(provider.name, result, new Date());
    // The hint only saves time. The row in the database decides whether a submit comes next. If another step comes
    // next, the claim is refused.
    if (news.nextStep === 'submit') await deps.queues.hint(`submission-${provider.name}`, [id]);
    return;
  };
  return async (id) => {
    // A query for this recharge is already running. A second one would learn nothing new and delay other recharges.
    if (asking.has(id)) return;
    asking.add(id);
    return ask(id).finally(() => asking.delete(id));
  };
}

/** Asks about an order or a refund. Null: the breaker of refunds is open, or the provider no longer offers them. */
async function find(provider: GuardedProvider, recharge: Outstanding): Promise<Guarded<QueryOutcome> | null> {
  const refund = soughtRefund(recharge.id, recharge);
  if (!refund) return provider.find(soughtOrder(recharge));
  if (provider.isOpen('refund_query')) return null;
  const { submits } = recharge;
  return (await provider.refunds?.find({ ...refund, ...(submits && { submits }) })) ?? null;
}

const soughtOrder = (recharge: Outstanding): SoughtOrder => ({
  reference: recharge.id,
  accountId: recharge.accountId,
  amountMinor: recharge.amountMinor,
  currency: recharge.currency,
  providerOrderId: recharge.providerOrderId,
  payableUntil: recharge.payableUntil,
  ...(recharge.submits && { submits: recharge.submits }),
  ...destinationOf(recharge),
});

/**
 * The row of a query. Proofs depend on when a search began. So its times are moved to the database's clock, to the read
 * before it: no search began earlier.
 */
function queryRow(call: Attempt, { attempt, now }: Outstanding): ProviderCallRow {
  const row = callRow(call, { id: newId(), operation: 'query', attempt });
  if (!call.evidence) return row;
  const tookMs = call.endedAt.getTime() - call.startedAt.getTime();
  return { ...row, startedAt: now, endedAt: new Date(now.getTime() + tookMs) };
}
