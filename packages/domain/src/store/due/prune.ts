import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

/** How long what is not part of the books is kept. */
export type PruneAfter = Readonly<{ webhookBodiesDays: number; securityEventsDays: number }>;
/** How many rows were forgotten. */
export type Pruned = Readonly<{ nonces: number; webhookBodies: number; securityEvents: number }>;

// A timestamp may be 300 s ahead when its nonce is first seen and is let in until 300 s after it: 600 s in all. The
// other 300 are for clocks of ingress machines that differ.
const NONCES_KEPT_SECONDS = 900;
// A nonce or an event costs about three buffers, an emptied body up to sixteen: some thousand per statement.
const BATCH = 400;
const BODIES_BATCH = 100;
// Of a minute, so that pruning never follows on pruning; what is left is for the next minute.
const LIMIT_MS = 15_000;

/** Forgets what is old, in small batches. Harmless in several processes at once. */
export async function prune(run: Run, kept: PruneAfter): Promise<Pruned> {
  const untilMs = performance.now() + LIMIT_MS;
  return {
    nonces: await inBatches(BATCH, untilMs, () => counted(run, forgottenNonces)),
    securityEvents: await inBatches(BATCH, untilMs, () =>
      counted(run, forgottenEvents(kept.securityEventsDays)),
    ),
    webhookBodies: await emptyBodies(run, kept.webhookBodiesDays, untilMs),
  };
}

async function inBatches(batch: number, untilMs: number, forget: () => Promise<number>): Promise<number> {
  let forgotten = 0;
  while (performance.now() < untilMs) {
    const count = await forget();
    forgotten += count;
    if (count < batch) break;
  }
  return forgotten;
}

async function counted(run: Run, forgotten: Prisma.Sql): Promise<number> {
  const [row] = await run<{ count: number }>(Prisma.sql`
    with forgotten as (${forgotten} returning 1)
    select count(*)::int as count from forgotten`);
  return row!.count;
}

/** By the places of the rows: by their keys each would be looked up once more. */
const forgottenNonces = Prisma.sql`
  delete from nonce
  where ctid = any(array(
    select ctid
    from nonce
    where seen_at < now() - ${NONCES_KEPT_SECONDS}::int * interval '1 second'
    order by seen_at
    limit ${BATCH}::int))`;

/** Numbers rise with time, so the oldest come first and the first young one ends it. */
const forgottenEvents = (days: number): Prisma.Sql => Prisma.sql`
  delete from security_event
  where id = any(array(
    select id
    from (select id, at from security_event order by id limit ${BATCH}::int) oldest
    where at < now() - ${days}::int * interval '1 day'))`;

/**
 * Empties the bodies of old processed events. What is known of them stays: that they came, what became of them, and the
 * hash that tells a repeated body from a changed one. Ids rise with time, so a walk over them that remembers its place
 * meets each event once.
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
  next as materialized (
    select id, stored_at < now() - ${days}::int * interval '1 day' as is_old, row_number() over (order by id) as n
    from (
      select id, stored_at
      from webhook_event
      where id > coalesce(
        (select place::uuid from chore_position where chore = 'webhook_bodies'),
        '00000000-0000-0000-0000-000000000000'::uuid)
      order by id
      limit ${BODIES_BATCH}::int) event),
  passed as materialized (
    select id, n
    from next
    where n < coalesce((select min(n) from next where not is_old), ${BODIES_BATCH + 1}::int)),
  emptied as (
    update webhook_event event
    set raw_body = ''
    from passed
    where event.id = passed.id and event.processed_at is not null
    returning 1),
  moved_on as (
    insert into chore_position (chore, place)
    select 'webhook_bodies', id::text
    from passed
    order by n desc
    limit 1
    on conflict (chore) do update set place = excluded.place)
  select (select count(*)::int from emptied) as emptied, (select count(*)::int from passed) as passed`;
