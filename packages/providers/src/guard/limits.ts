import type { BreakerLimits } from './breaker.js';

export type GuardLimits = Readonly<{
  breaker: BreakerLimits;
  /** Attempts of one call in all, the first included. */
  attemptsMax: number;
  /** The first wait before a retry. It doubles, and is stretched by up to as much again at random. */
  backoffMs: number;
  /** No retry starts later than this after the first attempt started. */
  retryBudgetMs: number;
  /** How long an aborted provider may take to say what it knows before its answer is dropped. */
  graceMs: number;
  /** Random extra delay for callers that find the breaker open, so that they do not all retry at the same moment. */
  spreadMs: number;
}>;

/** Ten seconds of window see an outage early; three tries within three seconds outlast a restart. */
export const defaultLimits: GuardLimits = {
  breaker: { outagePercentage: 50, callsMin: 10, windowMs: 10_000, resetMs: 5_000 },
  attemptsMax: 3,
  backoffMs: 100,
  retryBudgetMs: 3_000,
  graceMs: 250,
  spreadMs: 1_000,
};
