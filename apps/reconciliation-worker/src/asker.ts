import {
  callRow,
  destinationOf,
  linkToRequest,
  newsOfCancel,
  newsOfQuery,
  type OutcomeNews,
  type ProviderMetrics,
  soughtRefund,
} from '@replenish/assembly';
import type { Domain, Outstanding, ProviderCallRow } from '@replenish/domain';
import type { Attempt, Guarded, GuardedProvider, QueryOutcome, SoughtOrder } from '@replenish/providers';
import type { Queues } from '@replenish/queues';
import { crashPoint, type Logger, newId } from '@replenish/runtime';

export type AskerDeps = Readonly<{
  domain: Pick<Domain, 'applyNews' | 'reads' | 'approvals'>;
  queues: Pick<Queues, 'hint'>;
  /** Our accounts at one provider. */
  accounts: readonly GuardedProvider[];
  log: Logger;
  metrics: Pick<ProviderMetrics, 'onReported'>;
}>;

/**
 * Returns a function that queries the provider about one silent recharge, or has its order canceled, and reports the
 * answer to the domain.
 */
export function asker(deps: AskerDeps): (id: string) => Promise<undefined> {
  const { domain, accounts, log } = deps;
  const asking = new Set<string>();
  const ask = async (id: string): Promise<undefined> => {
    // While the breaker is open, the job is dropped and not delayed. The row has a due time, so it gets another job.
    // The delayed jobs of a long outage would fill the queue ahead of new recharges.
    if (accounts.every((one) => one.isOpen('query'))) return;
    await linkToRequest(domain.reads, id);
    const recharge = await domain.reads.outstanding(id);
    const provider = recharge && accounts.find((one) => isOf(recharge, one));
    if (!provider) return;
    if (recharge.nextStep === 'approve') return followApproval(deps, id, provider.name);
    if (provider.isOpen('query')) return;
    if (recharge.nextStep !== 'ask' && recharge.nextStep !== 'cancel') return;
    const learned = await answerAbout(provider, recharge);
    if (!learned) return;
    const { outcome, news, calls } = learned;
    crashPoint('reconciliation.after-query');
    const result = await domain.applyNews({
      ...news,
      transactionId: id,
      attempt: recharge.attempt,
      calls,
    });
    log.info(
      {
        correlationId: recharge.correlationId,
        transactionId: id,
        idempotencyKey: recharge.idempotencyKey,
        outcome,
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

const isOf = (recharge: Pick<Outstanding, 'provider' | 'providerAccount'>, one: GuardedProvider): boolean =>
  recharge.provider === one.name && recharge.providerAccount === one.account;

/** Continues a recharge whose approval was given, or ends it if the approval was refused or has expired. */
async function followApproval(
  { domain, queues }: AskerDeps,
  id: string,
  provider: string,
): Promise<undefined> {
  const result = await domain.approvals.follow(id);
  if (result?.state === 'CREATED') await queues.hint(`submission-${provider}`, [id]);
}

/** Asks about an order or a refund. Null: the breaker of refunds is open, or the provider no longer offers them. */
async function find(provider: GuardedProvider, recharge: Outstanding): Promise<Guarded<QueryOutcome> | null> {
  const refund = soughtRefund(recharge.id, recharge);
  if (!refund) return provider.find(soughtOrder(recharge));
  if (provider.isOpen('refund_query')) return null;
  const { submits } = recharge;
  return (await provider.refunds?.find({ ...refund, ...(submits && { submits }) })) ?? null;
}

type Learned = Readonly<{ outcome: string; news: OutcomeNews; calls: readonly ProviderCallRow[] }>;

/**
 * Asks the provider to cancel the order, if that is the next step. If the answer does not tell the state of the order,
 * a query follows.
 */
async function answerAbout(provider: GuardedProvider, recharge: Outstanding): Promise<Learned | null> {
  if (recharge.nextStep !== 'cancel' || !provider.cancel) return queried(provider, recharge);
  const { outcome, calls } = await provider.cancel(soughtOrder(recharge));
  const rows = calls.map((call) =>
    callRow(call, { id: newId(), operation: 'cancel', attempt: recharge.attempt }),
  );
  if (outcome.kind !== 'unknown' && outcome.kind !== 'not_executed')
    return { outcome: outcome.kind, news: newsOfCancel(outcome, provider.name), calls: rows };
  const asked = await queried(provider, recharge);
  return asked && { ...asked, calls: [...rows, ...asked.calls] };
}

async function queried(provider: GuardedProvider, recharge: Outstanding): Promise<Learned | null> {
  const found = await find(provider, recharge);
  if (!found) return null;
  const { outcome, calls } = found;
  const { promises } = provider;
  const news = newsOfQuery(outcome, { ...recharge, promises, evidence: calls.at(-1)?.evidence });
  const mustEnd = provider.cancel !== undefined && isOverdue(outcome, recharge);
  return {
    outcome: outcome.kind,
    news: mustEnd ? { ...news, nextStep: 'cancel', isUrgent: recharge.nextStep !== 'cancel' } : news,
    calls: calls.map((call) => queryRow(call, recharge)),
  };
}

/** Whether an order is unpaid although its time is over. Its provider may go on taking the payment. */
const isOverdue = (outcome: QueryOutcome, { payableUntil, now }: Outstanding): boolean =>
  outcome.kind === 'found' && outcome.status === 'pending' && payableUntil !== null && payableUntil <= now;

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
 * The row of a query. Proofs depend on when a search began. So the query gets the time of the read before it, by the
 * database's clock. The search cannot have begun earlier.
 */
function queryRow(call: Attempt, { attempt, now }: Outstanding): ProviderCallRow {
  const row = callRow(call, { id: newId(), operation: 'query', attempt });
  if (!call.evidence) return row;
  const tookMs = call.endedAt.getTime() - call.startedAt.getTime();
  return { ...row, startedAt: now, endedAt: new Date(now.getTime() + tookMs) };
}
