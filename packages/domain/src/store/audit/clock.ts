import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

// Clocks within a second of each other count as equal, so that a call has the same time as its log lines.
const APART_MS = 1_000;
const LOOK_EVERY_MS = 10_000;

type Timed = Readonly<{ at: Date }>;
type Look = Readonly<{ nowMs: number; hasMonth: boolean }>;

/**
 * Converts times of this process to the database's clock. A row that is filed again after a failure has to keep its
 * converted time, since the time is part of its key. So `keep` remembers the times of rows that may be filed again. An
 * entry of a WeakMap per call would slow every collection of garbage.
 *
 * The database's clock is read at most once per ten seconds. If the audit trail has no partition for the current month,
 * that read also calls `ensure`.
 */
export function databaseClock(run: Run, ensure: () => Promise<unknown>) {
  const kept = new WeakMap<object, Date>();
  let aheadMs = 0;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    const [seen] = await run<Look>(Prisma.sql`
      select
        (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs",
        to_regclass('audit.call_' || to_char(now() at time zone 'UTC', 'YYYY_MM')) is not null as "hasMonth"`);
    aheadMs = seen!.nowMs - Date.now();
    lookedAtMs = performance.now();
    if (!seen!.hasMonth) await ensure();
  };
  return {
    convert: async <Row extends Timed>(rows: readonly Row[]): Promise<Row[]> => {
      if (performance.now() - lookedAtMs > LOOK_EVERY_MS) await look();
      const isApart = Math.abs(aheadMs) > APART_MS;
      return rows.map((row) => {
        const at = kept.get(row) ?? (isApart ? new Date(row.at.getTime() + aheadMs) : row.at);
        return at === row.at ? row : { ...row, at };
      });
    },
    /** @param converted the result of `convert` for these rows */
    keep: (rows: readonly Timed[], converted: readonly Timed[]): void => {
      for (const [n, row] of rows.entries()) kept.set(row, converted[n]!.at);
    },
  };
}
