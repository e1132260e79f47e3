import type { BreakerLimits } from './breaker.js';

export type GuardLimits = Readonly<{
  breaker: BreakerLimits;
  /** The maximum number of attempts per call, the first one included. */
  attemptsMax: number;
  /** The wait before the first retry. It doubles with each retry, and a random part of up to 100 % is added. */
  backoffMs: number;
  /** The time after the start of the first attempt in which retries may start. */
  retryBudgetMs: number;
  /**
   * The time that an attempt gets after its time limit, so that the provider's code can report what it knows. Later
   * answers are dropped.
   */
  graceMs: number;
  /** Random extra delay for callers that find the breaker open, so that they do not all retry at the same moment. */
  spreadMs: number;
}>;

/**
 * The defaults. A window of ten seconds detects an outage early. Three attempts within three seconds outlast a restart
 * of the provider.
 */
export const defaultLimits: GuardLimits = {
  breaker: { outagePercentage: 50, callsMin: 10, windowMs: 10_000, resetMs: 5_000 },
  attemptsMax: 3,
  backoffMs: 100,
  retryBudgetMs: 3_000,
  graceMs: 250,
  spreadMs: 1_000,
};
