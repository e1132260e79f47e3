import {
  callRow,
  destinationOf,
  linkToRequest,
  newsOfSubmit,
  POOL_READ_WITHIN_MS,
  type ProviderMetrics,
  soughtRefund,
} from '@replenish/assembly';
import {
  type Claim,
  type Domain,
  type ProviderCallRow,
  type RechargeReport,
  StoreUnavailable,
} from '@replenish/domain';
import type { Attempt, Guarded, GuardedProvider, SubmitOutcome } from '@replenish/providers';
import { Counter, crashPoint, type Frame, type Logger, newId } from '@replenish/runtime';

export type SubmitterDeps = Readonly<{
  domain: Pick<Domain, 'applyNews' | 'reads'>;
  provider: GuardedProvider;
  /** Base of the notify URLs that are sent to providers. */
  publicUrl: string;
  log: Logger;
  claims: ClaimCounter;
  metrics: Pick<ProviderMetrics, 'onReported'>;
  /** Called when the money of the account that pays may differ from what was read last. */
  onSourceFunds?: () => void;
  /** A monotonic clock, in milliseconds. */
  elapsedMs?: () => number;
}>;

/** `isTraced`: the job carries the trace of the request for the recharge. */
export type SubmitJob = Readonly<{ isTraced: boolean }>;
const UNTRACED: SubmitJob = { isTraced: false };

export type ClaimCounter = Counter<'result'>;

export const openClaimCounter = (registry: Frame['registry']): ClaimCounter =>
  new Counter({
    name: 'replenish_claims_total',
    help: 'Submit jobs by what they found: an attempt to make (won), or nothing to do (refused).',
    labelNames: ['result'],
    registers: [registry],
  });

/**
 * Returns a function that makes one submit attempt. The claim is committed before the call and the answer after it. No
 * transaction is open during the call. After a crash in between, the claim has no answer: the provider is asked about
 * the order before it is sent again.
 */
export function submitter(deps: SubmitterDeps): (id: string, job?: SubmitJob) => Promise<undefined> {
  const { domain, provider, claims, elapsedMs = () => performance.now() } = deps;
  return async (id, { isTraced } = UNTRACED) => {
    // While the breaker is open, the job is dropped and not delayed. The row has a due time, so it gets another job.
    // The delayed jobs of a long outage would fill the queue ahead of new recharges.
    if (provider.isOpen('submit')) return;
    if (!isTraced) await linkToRequest(domain.reads, id);
    const claimedAtMs = elapsedMs();
    const { claim, held, verdict } = await domain.applyNews({
      transactionId: id,
      news: 'submit',
      source: 'submission',
      provider: provider.name,
      providerAccount: provider.account,
      reason: `to be sent to ${provider.name}`,
      ...limitsOf(provider),
    });
    claims.inc({ result: claim ? 'won' : 'refused' });
    if (held === 'SOURCE_FUNDS') deps.onSourceFunds?.();
    if (verdict === 'unknown_transaction') tellStray(deps, id);
    if (!claim) return;
    crashPoint('submission.after-claim');
    if (elapsedMs() - claimedAtMs > SEND_WITHIN_MS) return report(deps, claim, tooLate, []);
    const { outcome, calls } = await send(deps, claim);
    crashPoint('submission.after-call');
    await report(deps, claim, outcome, calls);
    deps.onSourceFunds?.();
    crashPoint('submission.after-answer');
    return;
  };
}

/** Claims have limits where orders of a lane cannot be told apart, or where the money of our account is read. */
const limitsOf = ({ promises, balance }: GuardedProvider): Pick<RechargeReport, 'limits'> =>
  promises.proof || balance ? { limits: { poolReadWithinMs: balance ? POOL_READ_WITHIN_MS : null } } : {};

/** Sends an order, or pays one back. A provider that no longer refunds leaves its refunds waiting. */
async function send({ provider, publicUrl }: SubmitterDeps, claim: Claim): Promise<Guarded<SubmitOutcome>> {
  const { transactionId: reference, metadata } = claim;
  const notifyUrl = `${publicUrl}/webhooks/${provider.name}`;
  const refund = soughtRefund(reference, claim);
  if (refund) {
    const sent = await provider.refunds?.submit({ ...refund, notifyUrl, metadata });
    return sent ?? { outcome: notOffered, calls: [] };
  }
  const order = {
    reference,
    notifyUrl,
    metadata,
    accountId: claim.accountId,
    amountMinor: claim.amountMinor,
    currency: claim.currency,
    paymentMethod: claim.paymentMethod,
  };
  return provider.submit(Object.assign(order, destinationOf(claim)));
}

/** Logs that a recharge waits until its account is configured again. */
const tellStray = ({ provider, log }: SubmitterDeps, transactionId: string): void =>
  log.error(
    { transactionId, provider: provider.name },
    'a recharge is of an account at the provider that is not configured',
  );

const notOffered: SubmitOutcome = { kind: 'not_executed', cause: 'unavailable' };

// The longest time from the claim to the call. If the process was frozen or waited for the database, another process
// may have asked about the order, found it absent and submitted it. The domain's margin includes these three seconds.
const SEND_WITHIN_MS = 3_000;
const tooLate: SubmitOutcome = { kind: 'not_executed', cause: 'too_late' };

async function report(
  deps: SubmitterDeps,
  claim: Claim,
  outcome: SubmitOutcome,
  calls: readonly Attempt[],
): Promise<undefined> {
  const { transactionId, attempt, idempotencyKey, correlationId } = claim;
  const { name: provider, account } = deps.provider;
  const context = {
    correlationId,
    transactionId,
    idempotencyKey,
    attempt,
    outcome: outcome.kind,
    provider,
    account,
  };
  try {
    const answered = { transactionId, attempt, seen: claim.seen, calls: callRows(claim, outcome, calls) };
    const result = await deps.domain.applyNews(Object.assign(answered, newsOfSubmit(outcome, provider)));
    deps.log.info(Object.assign(context, { verdict: result.verdict, state: result.state }), 'submitted');
    deps.metrics.onReported(provider, result, new Date());
  } catch (error) {
    // The claim is stored without an answer. The sweeper makes it due, and the provider is asked. Only time is lost.
    if (error instanceof StoreUnavailable)
      deps.log.warn(context, 'the answer of the provider could not be stored');
    throw error;
  }
}

/** The rows of the calls. The first call completes the row of the claim. Each retry is an additional row. */
function callRows(claim: Claim, outcome: SubmitOutcome, calls: readonly Attempt[]): ProviderCallRow[] {
  const rowOf = (id: string) => ({ id, operation: 'submit' as const, attempt: claim.attempt });
  if (calls.length > 0)
    return calls.map((call, at) => callRow(call, rowOf(at === 0 ? claim.callId : newId())));
  const now = new Date();
  const uncalled = {
    outcome: outcome.kind,
    providerCode: null,
    httpStatus: null,
    startedAt: now,
    endedAt: now,
  };
  return [callRow(uncalled, rowOf(claim.callId))];
}
