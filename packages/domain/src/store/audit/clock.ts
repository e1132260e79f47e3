import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

// Clocks within a second of each other count as equal, so that a call has the same time as its log lines.
const APART_MS = 1_000;
const LOOK_EVERY_MS = 10_000;

type Look = Readonly<{ nowMs: number; hasMonth: boolean }>;

/**
 * Converts times of this process to the database's clock. A row that is filed again after a failure keeps its converted
 * time, since the time is part of its key.
 *
 * The database's clock is read at most once per ten seconds. If the audit trail has no partition for the current month,
 * that read also calls `ensure`.
 */
export function databaseClock(run: Run, ensure: () => Promise<unknown>) {
  const converted = new WeakMap<object, Date>();
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
  return async <Timed extends { readonly at: Date }>(rows: readonly Timed[]): Promise<Timed[]> => {
    if (performance.now() - lookedAtMs > LOOK_EVERY_MS) await look();
    const isApart = Math.abs(aheadMs) > APART_MS;
    return rows.map((row) => {
      const at = converted.get(row) ?? (isApart ? new Date(row.at.getTime() + aheadMs) : row.at);
      converted.set(row, at);
      return at === row.at ? row : { ...row, at };
    });
  };
}
