import type { NextStep } from '../../core/next-step.js';

/** A kind of due rows whose jobs go to one queue. */
export type Lane =
  | Readonly<{ what: 'recharge'; provider: string; nextStep: NextStep }>
  | Readonly<{ what: 'event' }>;

/** An unfinished row whose due time has passed. */
export type Due = Lane & Readonly<{ id: string }>;

/**
 * @property afterMs how long a provider may be silent before it is asked
 * @property queryLimitMs longest time of one query with its retries; no second query starts within it
 * @property periodMs time between two sweeps
 */
export type SweepTimes = Readonly<{ afterMs: number; queryLimitMs: number; periodMs: number }>;

/**
 * One kind of row with a due time. A new kind of due work is a new source in `openSweep`, a lane here, and a queue in
 * the catalogue of queues.
 */
export type DueSource<L extends Lane> = Readonly<{
  lanes(providers: readonly string[]): L[];
  /** Takes up to `max` due rows of a lane, or of all, oldest first, and sets the next due time of each. */
  take(max: number, lane?: L): Promise<Due[]>;
  /** Makes rows due now. A row that another statement holds is being worked on, and keeps its time. */
  putBack(ids: readonly string[]): Promise<void>;
}>;
