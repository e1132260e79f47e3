import type { ProviderCallRow, RechargeReport, State } from '@replenish/domain';
import { newsOfOrder, nextStep } from '@replenish/domain/rules';
import type { Attempt, OrderPromises, QueryOutcome, SubmitOutcome } from '@replenish/providers';

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

/** The recharge that was queried. Its state and its provider's promises decide the meaning of an absent order. */
export type QueriedRecharge = Readonly<{ state: State; provider: string; promises: OrderPromises }>;

/** The news that follows from the outcome of a query. Every kind of outcome is handled, as in `newsOfSubmit`. */
export function newsOfQuery(
  outcome: QueryOutcome,
  { state, provider, promises }: QueriedRecharge,
): OutcomeNews {
  const source = 'poll' as const;
  const unknown = { source, news: 'unknown' as const };
  switch (outcome.kind) {
    case 'found':
      return { source, ...newsOfOrder(outcome), reason: `${provider} says: ${outcome.status}` };
    case 'several': {
      const reason = `${provider} has ${outcome.count} orders of one reference`;
      return { ...unknown, reason, doubt: 'several_orders' };
    }
    case 'absent': {
      const reason = `${provider} has no such order`;
      return nextStep(state, 'absent', promises) === 'submit'
        ? { ...unknown, reason, nextStep: 'submit' }
        : { ...unknown, reason, doubt: 'absent_order' };
    }
    case 'unknown':
    case 'not_executed': {
      const reason = `${provider} does not say: ${outcome.cause}`;
      const notBeforeMs = outcome.kind === 'not_executed' ? outcome.retryAfterMs : undefined;
      const unreached = outcome.kind === 'not_executed' && outcome.cause !== 'rate_limited';
      return { ...unknown, reason, unreached, ...(notBeforeMs !== undefined && { notBeforeMs }) };
    }
  }
}

/** One provider call, as the domain stores it. */
export const callRow = (
  call: Omit<Attempt, 'provider' | 'operation' | 'cause'>,
  row: Pick<ProviderCallRow, 'id' | 'operation' | 'attempt'>,
): ProviderCallRow => ({
  ...row,
  outcome: call.outcome,
  providerCode: call.providerCode,
  httpStatus: call.httpStatus,
  startedAt: call.startedAt,
  endedAt: call.endedAt,
  evidence: call.evidence ?? null,
});
