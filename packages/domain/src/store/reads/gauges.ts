import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

/**
 * The most rows that a gauge counts, because it is read four times per minute. Any higher number would raise the same
 * alarm.
 */
export const COUNTED_MAX = 1_500;

/** Stored events that were not processed yet. Those with a case are left out: a person, or a newer release, is needed. */
export type WebhookBacklog = Readonly<{ count: number; oldestSeconds: number }>;

/** Looks at COUNTED_MAX events at most, those that are due first. */
export async function webhookBacklog(read: Run): Promise<WebhookBacklog> {
  const [row] = await read<WebhookBacklog>(Prisma.sql`
    select
      count(*)::int as count,
      coalesce(extract(epoch from now() - min(stored_at)), 0)::float8 as "oldestSeconds"
    from (
      select stored_at, verdict
      from webhook_event
      where due_at is not null
      order by due_at
      limit ${COUNTED_MAX}::int) due
    where verdict is null`);
  return row!;
}

/**
 * The least by which the clock of this process is ahead of the clock of the database. Below zero: it is behind. The
 * server read its clock at some moment between question and answer, so a slow answer alone is no difference. Both
 * clocks are read in whole milliseconds. With fractions of a millisecond, an answer of the same millisecond would seem
 * to be later.
 */
export async function clockSkewMs(read: Run, now: () => number): Promise<number> {
  const askedAtMs = now();
  const [row] = await read<{ atMs: number }>(
    Prisma.sql`select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as "atMs"`,
  );
  const answeredAtMs = now();
  if (row!.atMs < askedAtMs) return askedAtMs - row!.atMs;
  return row!.atMs > answeredAtMs ? answeredAtMs - row!.atMs : 0;
}
