import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import {
  type OldRows,
  oldDeliveries,
  oldEvents,
  oldLooks,
  oldNotices,
  oldReadings,
} from './old-automation.js';

/** The number of days after which data that is not part of the books is deleted. */
export type PruneAfter = Readonly<{
  webhookBodiesDays: number;
  securityEventsDays: number;
  /** Looks of rules that created nothing, and stored balances of cloud accounts. */
  looksDays: number;
  /** Callbacks that ended, and their events. */
  callbacksDays: number;
}>;
/** The numbers of rows that were deleted, or emptied. */
export type Pruned = Readonly<{
  nonces: number;
  answeredKeys: number;
  webhookBodies: number;
  securityEvents: number;
  looks: number;
  readings: number;
  callbacks: number;
  callbackEvents: number;
  notices: number;
}>;

// A signed timestamp may be 300 s ahead when its nonce is first used, and it is accepted until 300 s after it: 600 s
// together. The other 300 s allow for ingress machines whose clocks differ.
const NONCES_KEPT_SECONDS = 900;
// Callbacks and looks of rules are kept for as long by default. No program repeats a request for so long.
const ANSWERED_KEYS_KEPT_SECONDS = 100 * 86_400;
// A mark of a monthly cap is told once per month, and the notice itself is the memory of it.
const NOTICES_KEPT_DAYS = 62;
// A deleted nonce or event costs about three buffers, an emptied body up to sixteen. Each statement touches up to
// 1,600.
const BATCH = 400;
const BODIES_BATCH = 100;
// A row of these tables has four indexes, and for each event the deliveries are searched, too.
const AUTOMATION_BATCH = 100;
// Pruning runs once per minute. A limit of a quarter of a minute keeps two runs apart. The next run continues the work.
const LIMIT_MS = 15_000;

/** Deletes old rows in small batches. Several processes may do it at once. */
export async function prune(run: Run, kept: PruneAfter): Promise<Pruned> {
  const untilMs = performance.now() + LIMIT_MS;
  const old = (rows: OldRows, days: number) =>
    inBatches(AUTOMATION_BATCH, untilMs, () => counted(run, rows(days, AUTOMATION_BATCH)));
  return {
    nonces: await inBatches(BATCH, untilMs, () =>
      counted(run, deletedByAge('nonce', 'seen_at', NONCES_KEPT_SECONDS)),
    ),
    answeredKeys: await inBatches(BATCH, untilMs, () =>
      counted(run, deletedByAge('answered_key', 'begun_at', ANSWERED_KEYS_KEPT_SECONDS)),
    ),
    securityEvents: await inBatches(BATCH, untilMs, () =>
      counted(run, deletedEvents(kept.securityEventsDays)),
    ),
    webhookBodies: await emptyBodies(run, kept.webhookBodiesDays, untilMs),
    looks: await old(oldLooks, kept.looksDays),
    readings: await old(oldReadings, kept.looksDays),
    callbacks: await old(oldDeliveries, kept.callbacksDays),
    callbackEvents: await old(oldEvents, kept.callbacksDays),
    notices: await old(oldNotices, NOTICES_KEPT_DAYS),
  };
}

async function inBatches(batch: number, untilMs: number, remove: () => Promise<number>): Promise<number> {
  let removed = 0;
  while (performance.now() < untilMs) {
    const count = await remove();
    removed += count;
    if (count < batch) break;
  }
  return removed;
}

async function counted(run: Run, deletion: Prisma.Sql): Promise<number> {
  const [row] = await run<{ count: number }>(Prisma.sql`
    with deleted_rows as (${deletion} returning 1)
    select count(*)::int as count
    from deleted_rows`);
  return row!.count;
}

/** Deletes by ctid, the place of a row. By key, Postgres would look up each row a second time. */
const deletedByAge = (table: string, since: string, keptSeconds: number): Prisma.Sql => Prisma.sql`
  delete from ${Prisma.raw(table)}
  where ctid = any(array(
    select ctid
    from ${Prisma.raw(table)}
    where ${Prisma.raw(since)} < now() - ${keptSeconds}::int * interval '1 second'
    order by ${Prisma.raw(since)}
    limit ${BATCH}::int))`;

/** Ids rise with time, so the rows with the lowest ids are the oldest. */
const deletedEvents = (days: number): Prisma.Sql => Prisma.sql`
  delete from security_event
  where id = any(array(
    select id
    from (select id, at from security_event order by id limit ${BATCH}::int) oldest
    where at < now() - ${days}::int * interval '1 day'))`;

/**
 * Empties the bodies of old processed events. Their rows stay with their times, their verdicts, and the hash that tells
 * a repeated body from a changed one. Ids rise with time, so a run in id order that remembers its place reads each
 * event once.
 */
async function emptyBodies(run: Run, days: number, untilMs: number): Promise<number> {
  let emptied = 0;
  while (performance.now() < untilMs) {
    const [row] = await run<{ emptied: number; passed: number }>(emptiedBodies(days));
    emptied += row!.emptied;
    if (row!.passed < BODIES_BATCH) break;
  }
  return emptied;
}

const emptiedBodies = (days: number): Prisma.Sql => Prisma.sql`
  with
  next_events as materialized (
    select
      id,
      stored_at < now() - ${days}::int * interval '1 day' as is_old,
      row_number() over (order by id) as n
    from (
      select id, stored_at
      from webhook_event
      where id > coalesce(
        (select place::uuid from chore_position where chore = 'webhook_bodies'),
        '00000000-0000-0000-0000-000000000000'::uuid)
      order by id
      limit ${BODIES_BATCH}::int) event),
  passed_events as materialized (
    select id, n
    from next_events
    where n < coalesce((select min(n) from next_events where not is_old), ${BODIES_BATCH + 1}::int)),
  emptied_events as (
    update webhook_event event
    set raw_body = ''
    from passed_events passed
    where event.id = passed.id and event.processed_at is not null
    returning 1),
  moved_position as (
    insert into chore_position (chore, place)
    select 'webhook_bodies', id::text
    from passed_events
    order by n desc
    limit 1
    on conflict (chore) do update set place = excluded.place)
  select
    (select count(*)::int from emptied_events) as emptied,
    (select count(*)::int from passed_events) as passed`;
