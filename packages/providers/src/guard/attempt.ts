import type { CallAnswer, QueryOutcome, SubmitOutcome } from '../contract/order.js';

export type ProviderOperation = 'submit' | 'query';

export type Outcome = SubmitOutcome | QueryOutcome;
export type Unknown = Extract<SubmitOutcome, { kind: 'unknown' }>;
export type NotExecuted = Extract<SubmitOutcome, { kind: 'not_executed' }>;
export type SendOnce<O extends Outcome> = (signal: AbortSignal) => Promise<CallAnswer<O>>;

/** One physical attempt: something may have been sent. */
export type Attempt = Readonly<{
  provider: string;
  operation: ProviderOperation;
  startedAt: Date;
  endedAt: Date;
  outcome: Outcome['kind'];
  /** Why nothing definite was heard; null when something was. */
  cause: string | null;
  httpStatus: number | null;
  providerCode: string | null;
}>;

/**
 * Whether the provider is in trouble. A refused order is an answer, and a rate limit comes from a provider that works.
 */
export const isOutage = (outcome: Outcome): boolean =>
  outcome.kind === 'unknown' || (outcome.kind === 'not_executed' && outcome.cause !== 'rate_limited');
