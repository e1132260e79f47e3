import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

// Within a second the two clocks agree: a call then has the time that its log lines have.
const APART_MS = 1_000;
const LOOK_EVERY_MS = 10_000;

type Look = Readonly<{ nowMs: number; hasMonth: boolean }>;

/**
 * Moves times of this process to the database's clock, and keeps them: what is filed again after a failure has the time
 * that it had, and is known by it. Looks at the clock every ten seconds at most, and at whether this month has its
 * partition, which `ensure` makes otherwise.
 */
export function databaseClock(run: Run, ensure: () => Promise<unknown>) {
  const moved = new WeakMap<object, Date>();
  let aheadMs = 0;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    const [seen] = await run<Look>(Prisma.sql`
      select (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs",
        to_regclass('audit.call_' || to_char(now() at time zone 'UTC', 'YYYY_MM')) is not null as "hasMonth"`);
    aheadMs = seen!.nowMs - Date.now();
    lookedAtMs = performance.now();
    if (!seen!.hasMonth) await ensure();
  };
  return async <Timed extends { readonly at: Date }>(rows: readonly Timed[]): Promise<Timed[]> => {
    if (performance.now() - lookedAtMs > LOOK_EVERY_MS) await look();
    const isApart = Math.abs(aheadMs) > APART_MS;
    return rows.map((row) => {
      const at = moved.get(row) ?? (isApart ? new Date(row.at.getTime() + aheadMs) : row.at);
      moved.set(row, at);
      return { ...row, at };
    });
  };
}
