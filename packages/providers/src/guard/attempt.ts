import type { BalanceOutcome } from '../contract/balance.js';
import type { CancelOutcome } from '../contract/collect.js';
import type { CallAnswer, QueryOutcome, ScanEvidence, SubmitOutcome } from '../contract/order.js';
import type { StatementOutcome } from '../contract/statement.js';

/** The operations of a provider. Each has a breaker of its own. `read`: a read of our account. `statement`: a page of its statement. */
export const providerOperations = [
  'submit',
  'query',
  'cancel',
  'refund',
  'refund_query',
  'read',
  'statement',
] as const;
export type ProviderOperation = (typeof providerOperations)[number];

export type Outcome = SubmitOutcome | QueryOutcome | CancelOutcome | BalanceOutcome | StatementOutcome;
export type Unknown = Extract<SubmitOutcome, { kind: 'unknown' }>;
export type NotExecuted = Extract<SubmitOutcome, { kind: 'not_executed' }>;
export type SendOnce<O extends Outcome> = (signal: AbortSignal) => Promise<CallAnswer<O>>;

/** The record of one attempt of a call that the breaker admitted. The request may have been sent. */
export type Attempt = Readonly<{
  provider: string;
  /** The name of our account at the provider. */
  account: string;
  operation: ProviderOperation;
  startedAt: Date;
  endedAt: Date;
  outcome: Outcome['kind'];
  /** The reason for which the outcome is not definite. Null when it is definite. */
  cause: string | null;
  httpStatus: number | null;
  providerCode: string | null;
  /** What a search looked at. Missing: the call was no search. */
  evidence?: ScanEvidence;
}>;

/**
 * Whether the outcome counts as an outage of the provider. A refused order does not count, because it is an answer. Nor
 * does a rate limit, a lack of money on our account or a search without a proof, because they come from a provider that
 * works.
 */
export const isOutage = (outcome: Outcome): boolean =>
  (outcome.kind === 'unknown' || outcome.kind === 'not_executed') && !causesOfWorking.has(outcome.cause);

/** Causes that prove that the provider works, because it answered. */
const causesOfWorking: ReadonlySet<NotExecuted['cause'] | Unknown['cause']> = new Set([
  'rate_limited',
  'source_funds',
  'unproven',
]);
