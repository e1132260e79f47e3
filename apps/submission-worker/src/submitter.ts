import {
  type Claim,
  type Domain,
  newsOfOrder,
  type ProviderCallRow,
  type RechargeReport,
  StoreUnavailable,
} from '@replenish/domain';
import type { GuardedProvider, Attempt as ProviderCall, SubmitOutcome } from '@replenish/providers';
import {
  Counter,
  crashPoint,
  type Frame,
  type Logger,
  newId,
  type ProviderMetrics,
} from '@replenish/runtime';

export type SubmitterDeps = Readonly<{
  domain: Pick<Domain, 'applyNews'>;
  provider: GuardedProvider;
  /** Base of the notify URL that providers get. */
  publicUrl: string;
  log: Logger;
  claims: ClaimCounter;
  metrics: Pick<ProviderMetrics, 'onHeard'>;
  /** Milliseconds of a clock that is never set. */
  elapsedMs?: () => number;
}>;

export type ClaimCounter = Counter<'result'>;

export const openClaimCounter = (registry: Frame['registry']): ClaimCounter =>
  new Counter({
    name: 'replenish_claims_total',
    help: 'Submit jobs by what they found: an attempt to make (won), or nothing to do (refused).',
    labelNames: ['result'],
    registers: [registry],
  });

/**
 * Intent before effect: the attempt is committed, then the provider is called with nothing open, then the answer is
 * committed. Whoever finds an intent without an answer asks the provider; nobody sends it again blindly.
 */
export function submitter(deps: SubmitterDeps): (id: string) => Promise<undefined> {
  const { domain, provider, claims, elapsedMs = () => performance.now() } = deps;
  return async (id) => {
    // While the breaker is open the job is dropped, not delayed: its row has a due time, and the copies of a long outage
    // would stand in the way of new recharges.
    if (provider.isOpen('submit')) return;
    const claimedAtMs = elapsedMs();
    const { claim } = await domain.applyNews({
      transactionId: id,
      news: 'submit',
      source: 'submission',
      provider: provider.name,
      reason: `to be sent to ${provider.name}`,
    });
    claims.inc({ result: claim ? 'won' : 'refused' });
    if (!claim) return;
    crashPoint('submission.after-claim');
    if (elapsedMs() - claimedAtMs > SEND_WITHIN_MS) return tell(deps, claim, asleep, []);
    const { outcome, calls } = await provider.submit({
      reference: claim.transactionId,
      accountId: claim.accountId,
      amountMinor: claim.amountMinor,
      currency: claim.currency,
      paymentMethod: claim.paymentMethod,
      notifyUrl: `${deps.publicUrl}/webhooks/${provider.name}`,
      metadata: claim.metadata,
    });
    crashPoint('submission.after-call');
    await tell(deps, claim, outcome, calls);
    crashPoint('submission.after-answer');
    return;
  };
}

// A process that was frozen, or waited for its database, may be past the time that its attempt was given: others may
// have asked about the order by then, and acted on its absence. The domain's margin has these three seconds in it.
const SEND_WITHIN_MS = 3_000;
const asleep: SubmitOutcome = { kind: 'not_executed', cause: 'too_late' };

async function tell(
  deps: SubmitterDeps,
  claim: Claim,
  outcome: SubmitOutcome,
  calls: readonly ProviderCall[],
): Promise<undefined> {
  const { transactionId, attempt, idempotencyKey, correlationId } = claim;
  const told = {
    ...newsOf(outcome, deps.provider.name),
    transactionId,
    attempt,
    seen: claim.seen,
    calls: recordsOf(claim, outcome, calls),
  };
  const context = {
    ...{ correlationId, transactionId, idempotencyKey },
    ...{ attempt, outcome: outcome.kind, provider: deps.provider.name },
  };
  try {
    const heard = await deps.domain.applyNews(told);
    deps.log.info({ ...context, verdict: heard.verdict, state: heard.state }, 'submitted');
    deps.metrics.onHeard(deps.provider.name, heard, new Date());
  } catch (error) {
    // The intent stands, the sweeper will ask the provider what became of it. Nothing is lost but the time until then.
    if (error instanceof StoreUnavailable) deps.log.warn(context, 'heard an answer that could not be stored');
    throw error;
  }
}

type Said = Omit<RechargeReport, 'transactionId' | 'attempt' | 'seen' | 'calls'>;

// What the next try waits for when a provider took nothing and named no time.
const RESUBMIT_AFTER_MS = 1_000;

/** What an answer means for somebody's money. Total: a new kind of outcome does not compile until it is decided. */
function newsOf(outcome: SubmitOutcome, provider: string): Said {
  const source = 'submission' as const;
  switch (outcome.kind) {
    case 'accepted':
      return {
        ...newsOfOrder({ ...outcome, status: 'pending' }),
        source,
        reason: `${provider} took the order`,
      };
    case 'settled':
      return {
        ...newsOfOrder({ ...outcome, status: 'settled' }),
        source,
        reason: `${provider} settled at once`,
      };
    case 'rejected': {
      const failure = { code: 'PROVIDER_ERROR', message: `${outcome.code}: ${outcome.message}` };
      return { news: 'declined', source, reason: `${provider} refused the order: ${outcome.code}`, failure };
    }
    case 'unknown':
      return { news: 'unknown', source, reason: `no answer that says what became of it: ${outcome.cause}` };
    case 'not_executed':
      return {
        news: 'unknown',
        source,
        reason: `certainly not executed: ${outcome.cause}`,
        nextStep: 'submit',
        notBeforeMs: outcome.retryAfterMs ?? RESUBMIT_AFTER_MS,
        unreached: outcome.cause !== 'rate_limited',
      };
  }
}

/** The first physical call completes the intent's own row; retries of what was not executed are rows beside it. */
function recordsOf(claim: Claim, outcome: SubmitOutcome, calls: readonly ProviderCall[]): ProviderCallRow[] {
  const intent = { id: claim.callId, operation: 'submit' as const, attempt: claim.attempt };
  if (calls.length === 0) {
    const now = new Date();
    return [
      {
        ...intent,
        outcome: outcome.kind,
        providerCode: null,
        httpStatus: null,
        startedAt: now,
        endedAt: now,
      },
    ];
  }
  return calls.map(({ outcome: heard, providerCode, httpStatus, startedAt, endedAt }, index) => ({
    ...intent,
    id: index === 0 ? claim.callId : newId(),
    outcome: heard,
    providerCode,
    httpStatus,
    startedAt,
    endedAt,
  }));
}
