import type { NextStep } from '../../core/next-step.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { uuidsOf } from '../database/storable.js';

/** A kind of due rows whose jobs go to one queue. */
export type Lane =
  | Readonly<{ what: 'recharge'; provider: string; nextStep: NextStep }>
  | Readonly<{ what: 'event' }>
  /** Receivers with due callbacks. Those that fail or answer late have a queue of their own. */
  | Readonly<{ what: 'callback'; isSlow: boolean }>
  | Readonly<{ what: 'rule' }>
  /** Channels with due notices to people. */
  | Readonly<{ what: 'notice' }>;

/** An unfinished row whose due time has passed. */
export type Due = Lane & Readonly<{ id: string }>;

/**
 * @property afterMs time without news about a recharge after which its provider is asked
 * @property queryLimitMs longest time of one query with its retries. No second query starts within it
 * @property periodMs time between two sweeps
 */
export type SweepTimes = Readonly<{ afterMs: number; queryLimitMs: number; periodMs: number }>;

/**
 * Reads one kind of row with a due time. A new kind of due work needs a source in `openSweep`, a lane here, and a queue
 * in the catalogue of queues.
 */
export type DueSource<L extends Lane> = Readonly<{
  lanes(providers: readonly string[]): L[];
  /** Those of these lanes that have due rows. Without it, each lane may have some. */
  withWork?(lanes: readonly L[]): Promise<L[]>;
  /** Takes up to `max` due rows of one lane or of all lanes, oldest first, and sets the next due time of each. */
  take(max: number, lane?: L): Promise<Due[]>;
  /** Makes rows due now. A locked row is being worked on, so it keeps its due time. */
  putBack(ids: readonly string[]): Promise<void>;
}>;

// A due row is written into every index of its table, which costs some 45 buffers. A statement stays below 2,000.
export const ROWS_TOGETHER = 40;

/**
 * Takes up to `max` rows in statements of a few rows each. `take` gets the rows that were taken before. If a statement
 * fails, the rows of the earlier ones are returned: they have their next due time already.
 * @throws the error of the first statement
 */
export async function inBatches(
  max: number,
  take: (max: number, taken: readonly Due[]) => Promise<readonly Due[]>,
): Promise<Due[]> {
  const taken: Due[] = [];
  while (taken.length < max) {
    const wanted = Math.min(ROWS_TOGETHER, max - taken.length);
    try {
      const some = await take(wanted, taken);
      taken.push(...some);
      if (some.length < wanted) break;
    } catch (error) {
      if (taken.length === 0) throw error;
      break;
    }
  }
  return taken;
}

/** Makes rows of a table due now. A row that another statement has locked is in work, and its result sets the time. */
export async function putBackRows(
  run: Run,
  table: 'recharge_transaction' | 'webhook_event' | 'recharge_rule',
  ids: readonly string[],
): Promise<void> {
  const name = Prisma.raw(table);
  await run(Prisma.sql`
    with taken as materialized (
      select id
      from ${name}
      where id = any(${uuidsOf(ids)}::uuid[]) and due_at is not null
      order by id
      for update skip locked)
    update ${name} due_row
    set due_at = now()
    from taken
    where due_row.id = taken.id`);
}
