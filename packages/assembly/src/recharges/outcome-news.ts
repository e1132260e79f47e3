import type { Outstanding, ProviderCallRow, RechargeReport } from '@replenish/domain';
import { newsOfOrder, nextStep } from '@replenish/domain/rules';
import type {
  Attempt,
  CancelOutcome,
  NoDefiniteAnswer,
  OrderPromises,
  QueryOutcome,
  ScanEvidence,
  SubmitOutcome,
} from '@replenish/providers';

/** The part of a recharge report that follows from the outcome of a provider call alone. */
export type OutcomeNews = Omit<RechargeReport, 'transactionId' | 'attempt' | 'seen' | 'calls'>;

// The wait before the next submit when the provider took nothing and sent no Retry-After.
const RESUBMIT_AFTER_MS = 1_000;

/**
 * The news that follows from the outcome of a submit call. This function does not compile until every kind of outcome
 * is handled.
 */
export function newsOfSubmit(outcome: SubmitOutcome, provider: string): OutcomeNews {
  const source = 'submission' as const;
  switch (outcome.kind) {
    case 'accepted':
      return Object.assign(newsOfOrder(outcome, 'pending'), { source, reason: `${provider} took the order` });
    case 'settled':
      return Object.assign(newsOfOrder(outcome, 'settled'), {
        source,
        reason: `${provider} settled at once`,
      });
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
        unreached: outcome.cause !== 'rate_limited' && outcome.cause !== 'source_funds',
        ...(outcome.cause === 'source_funds' && { waiting: { reason: 'SOURCE_FUNDS' } }),
      };
  }
}

/** The recharge that was queried. Its state, its searches and its provider's promises decide what absence means. */
export type QueriedRecharge = Pick<
  Outstanding,
  'state' | 'confirmation' | 'provider' | 'submits' | 'scans' | 'now'
> &
  Readonly<{
    promises: OrderPromises;
    /** What the query looked at, if it was a search. */
    evidence?: ScanEvidence | undefined;
  }>;

/** The news that follows from the outcome of a query. Every kind of outcome is handled, as in `newsOfSubmit`. */
export function newsOfQuery(outcome: QueryOutcome, asked: QueriedRecharge): OutcomeNews {
  const { provider } = asked;
  const source = 'poll' as const;
  const unknown = { source, news: 'unknown' as const };
  switch (outcome.kind) {
    case 'found':
      return {
        source,
        ...newsOfOrder(outcome, outcome.status),
        reason: `${provider} says: ${outcome.status}`,
      };
    case 'several': {
      const reason = `${provider} has ${outcome.count} orders of one reference`;
      return { ...unknown, reason, doubt: 'several_orders' };
    }
    case 'absent':
      return { ...unknown, ...proceed('absent', asked), reason: `${provider} has no such order` };
    case 'unknown': {
      const isAnswer = outcome.cause === 'unproven';
      const { notAfterMs: _unused, ...rest } = proceed(isAnswer ? 'unproven' : 'silent', asked);
      return { ...unknown, ...rest, reason: `${provider} does not say: ${outcome.code ?? outcome.cause}` };
    }
    case 'not_executed': {
      const { notAfterMs: _unused, ...rest } = proceed('silent', asked);
      return {
        ...unknown,
        ...rest,
        reason: `${provider} does not say: ${outcome.cause}`,
        unreached: outcome.cause !== 'rate_limited',
        ...(outcome.retryAfterMs !== undefined && { notBeforeMs: outcome.retryAfterMs }),
      };
    }
  }
}

/** The outcome of a cancel call that says what became of the order. */
export type CancelAnswer = Exclude<CancelOutcome, NoDefiniteAnswer>;

// The longest gap before an order that its payer can still pay is canceled again.
const CANCEL_AGAIN_AFTER_MS = 60_000;

/** The news that follows from the answer to a cancel call. Every kind of answer is handled, as in `newsOfSubmit`. */
export function newsOfCancel(answer: CancelAnswer, provider: string): OutcomeNews {
  const source = 'poll' as const;
  switch (answer.kind) {
    case 'canceled':
      return { source, news: 'canceled', reason: `${provider} has ended the order` };
    case 'settled': {
      const reason = `${provider} settled the order before it could be canceled`;
      return { source, ...newsOfOrder(answer, 'settled'), reason };
    }
    case 'pending':
      return { source, news: 'accepted', reason: `${provider} says that the payment is under way` };
    case 'still_payable': {
      const reason = `${provider} cannot end the order yet`;
      return { source, news: 'accepted', reason, notAfterMs: CANCEL_AGAIN_AFTER_MS };
    }
  }
}

/** The news after a query that did not find the order, with the next step. */
function proceed(
  found: 'absent' | 'unproven' | 'silent',
  { promises, evidence, scans, submits, now, ...asked }: QueriedRecharge,
): Partial<OutcomeNews> {
  const isSearch = found === 'absent' && evidence?.isComplete === true;
  const searches = isSearch ? [...scans, { at: now, evidence }] : scans;
  const lastSubmitEndedAt = submits?.lastEndedAt ?? null;
  const absentAt = searches.map(({ at }) => at);
  const next = nextStep({ ...asked, evidence: found, absentAt, lastSubmitEndedAt, now }, promises);
  const { step, waiting, doubt } = next;
  const seen = { scans: searches, last: evidence ?? null, lastSubmitEndedAt, proof: promises.proof ?? null };
  return {
    ...(step === 'submit' && { nextStep: step }),
    ...(waiting && { waiting, notAfterMs: Math.max(0, Date.parse(waiting.notBefore) - now.getTime()) }),
    ...(doubt && { doubt, ...(promises.proof && { evidence: seen }) }),
  };
}

/** One provider call, as the domain stores it. */
export const callRow = (
  call: Omit<Attempt, 'provider' | 'account' | 'operation' | 'cause'>,
  row: Pick<ProviderCallRow, 'id' | 'operation' | 'attempt'>,
): ProviderCallRow => ({
  id: row.id,
  operation: row.operation,
  attempt: row.attempt,
  outcome: call.outcome,
  providerCode: call.providerCode,
  httpStatus: call.httpStatus,
  startedAt: call.startedAt,
  endedAt: call.endedAt,
  evidence: call.evidence ?? null,
});
