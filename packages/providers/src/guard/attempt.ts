import type { CallAnswer, QueryOutcome, SubmitOutcome } from '../contract/order.js';

export type ProviderOperation = 'submit' | 'query';

export type Outcome = SubmitOutcome | QueryOutcome;
export type Unknown = Extract<SubmitOutcome, { kind: 'unknown' }>;
export type NotExecuted = Extract<SubmitOutcome, { kind: 'not_executed' }>;
export type SendOnce<O extends Outcome> = (signal: AbortSignal) => Promise<CallAnswer<O>>;

/** The record of one attempt of a call that the breaker admitted. The request may have been sent. */
export type Attempt = Readonly<{
  provider: string;
  operation: ProviderOperation;
  startedAt: Date;
  endedAt: Date;
  outcome: Outcome['kind'];
  /** The reason for which the outcome is not definite. Null when it is definite. */
  cause: string | null;
  httpStatus: number | null;
  providerCode: string | null;
}>;

/**
 * Whether the outcome counts as an outage of the provider. A refused order does not count, because it is an answer. Nor
 * does a rate limit or a lack of money on our account, because they come from a provider that works.
 */
export const isOutage = (outcome: Outcome): boolean =>
  outcome.kind === 'unknown' || (outcome.kind === 'not_executed' && !causesOfWorking.has(outcome.cause));

/** The causes of a provider that works: it answered, and did not execute. */
const causesOfWorking: ReadonlySet<NotExecuted['cause']> = new Set(['rate_limited', 'source_funds']);
