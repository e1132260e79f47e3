import { setTimeout as sleep } from 'node:timers/promises';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

// A balance adds up fewer entries than this behind the newest snapshot. A statement that adds up this many touches some
// 500 buffers.
const SNAPSHOT_EVERY_ENTRIES = 10_000;
// Books that never had a snapshot get theirs over several runs.
const LIMIT_MS = 20_000;

export type SnapshotOptions = Readonly<{ everyEntries?: number; limitMs?: number }>;

/**
 * Writes the balances of the accounts without a running balance, once per `everyEntries` entries of the ledger. Returns
 * the number of snapshots. Several processes may do it at once: each snapshot is right by itself.
 */
export async function takeSnapshots(
  run: Run,
  { everyEntries = SNAPSHOT_EVERY_ENTRIES, limitMs = LIMIT_MS }: SnapshotOptions = {},
): Promise<number> {
  const untilMs = performance.now() + limitMs;
  const [taken] = await run<{ entryId: bigint }>(
    Prisma.sql`select coalesce(max(entry_id), 0)::bigint as "entryId" from ledger_snapshot`,
  );
  const complete = await completeUpTo(run, untilMs);
  if (complete === null) return 0;
  let after = taken!.entryId;
  let written = 0;
  while (performance.now() < untilMs) {
    const [step] = await run<SnapshotStep>(snapshotStatement(after, complete, everyEntries));
    if (step!.entries < everyEntries) break;
    written += step!.written;
    after = step!.lastId!;
  }
  return written;
}

/**
 * The id of the newest entry, once all entries with lower ids are committed. Ids are given before the commit, so an
 * entry with a lower id may be committed later. The function waits until the transactions that ran at its first look
 * have ended. Null if they take longer.
 */
async function completeUpTo(run: Run, untilMs: number): Promise<bigint | null> {
  const [seen] = await run<{ lastId: bigint | null; next: string }>(Prisma.sql`
    select
      (select id from ledger_entry order by id desc limit 1) as "lastId",
      pg_snapshot_xmax(pg_current_snapshot())::text as next`);
  const { lastId, next } = seen!;
  if (lastId === null) return null;
  while (performance.now() < untilMs) {
    const [look] = await run<{ isOver: boolean }>(
      Prisma.sql`select pg_snapshot_xmin(pg_current_snapshot()) >= ${next}::xid8 as "isOver"`,
    );
    if (look!.isOver) return lastId;
    await sleep(LOOK_EVERY_MS);
  }
  return null;
}

const LOOK_EVERY_MS = 100;

type SnapshotStep = Readonly<{ entries: number; lastId: bigint | null; written: number }>;

/** Snapshots after the next `everyEntries` entries, of the accounts that they touch. None if there are fewer. */
const snapshotStatement = (after: bigint, complete: bigint, everyEntries: number): Prisma.Sql => Prisma.sql`
  with
  step as materialized (
    select id, debit_account, credit_account, amount_minor, currency
    from ledger_entry
    where id > ${after.toString()}::bigint and id <= ${complete.toString()}::bigint
    order by id
    limit ${everyEntries}::int),
  extent as materialized (select count(*)::int as entries, max(id) as last_id from step),
  moved as materialized (
    select side.account, step.currency, sum(side.delta) as delta
    from step, lateral (
      values (step.debit_account, -step.amount_minor), (step.credit_account, step.amount_minor)
    ) as side(account, delta)
    where side.account not like 'wallet:%'
    group by side.account, step.currency),
  written as (
    insert into ledger_snapshot (account, currency, entry_id, balance)
    select
      moved.account,
      moved.currency,
      extent.last_id,
      moved.delta + coalesce((
        select snapshot.balance
        from ledger_snapshot snapshot
        where snapshot.account = moved.account and snapshot.currency = moved.currency
          and snapshot.entry_id <= ${after.toString()}::bigint
        order by snapshot.entry_id desc
        limit 1), 0)
    from moved
    cross join extent
    where extent.entries = ${everyEntries}::int
    on conflict do nothing
    returning 1)
  select extent.entries, extent.last_id as "lastId", (select count(*)::int from written) as written
  from extent`;
