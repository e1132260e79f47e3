import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { codeOf } from '../database/failure.js';
import { columns } from '../database/rows.js';
import { bodyOf, GENESIS, GONE, hashOf } from './links.js';

type Unsealed = Readonly<{ id: bigint; source: string; rowKey: string; body: string; kept: boolean }>;
type Last = Readonly<{ seq: bigint; hash: Uint8Array }>;

// Reading a row costs up to 12 buffers and writing its link up to 10. So a statement stays below 2,000 buffers.
const NOTES = 64;
const ROWS = 100;
// The sealer runs every few seconds. A limit keeps two runs apart, and the next run continues the work.
const LIMIT_MS = 3_000;

/**
 * Puts what was written since into the chain, in the order in which it was noted. Returns the number of new links.
 * Several processes may do it at once: a batch that another process has sealed is left alone.
 */
export async function seal(run: Run, limitMs = LIMIT_MS): Promise<number> {
  const untilMs = performance.now() + limitMs;
  let sealed = 0;
  do {
    const rows = await run<Unsealed>(oldestUnsealed);
    if (rows.length === 0) break;
    const links = await sealBatch(run, rows);
    if (links === 0) break;
    sealed += links;
  } while (performance.now() < untilMs);
  return sealed;
}

/** A note counts up to 64 rows. At least one note is taken. */
const oldestUnsealed = Prisma.sql`
  with
  counted_notes as (
    select *, sum(cardinality(keys)) over (order by id) as total
    from (select * from unsealed order by id limit ${NOTES}::int) oldest),
  taken_notes as materialized (
    select *
    from counted_notes
    where total <= ${ROWS}::int or id = (select min(id) from counted_notes))
  select
    note.id,
    note.source,
    entry.key as "rowKey",
    coalesce(note.body, ${bodyOf(Prisma.sql`note.source`, Prisma.sql`entry.key`)}, ${GONE}::jsonb)::text as body,
    note.body is not null as kept
  from taken_notes note, unnest(note.keys) with ordinality as entry(key, n)
  order by note.id, entry.n`;

const linkColumns = columns({ seq: 'bigint', source: 'text', rowKey: 'text', body: 'text?', hash: 'text' });

async function sealBatch(run: Run, rows: readonly Unsealed[]): Promise<number> {
  const [last] = await run<Last>(lastLink);
  let { seq, hash }: Last = last ?? { seq: 0n, hash: GENESIS };
  const links = rows.map(({ source, rowKey, body, kept }) => {
    seq += 1n;
    hash = hashOf(hash, { source, rowKey, body });
    return { seq, source, rowKey, body: kept ? body : null, hash: Buffer.from(hash).toString('hex') };
  });
  const ids = [...new Set(rows.map(({ id }) => id))].map(String);
  try {
    const [written] = await run<{ count: number }>(writtenLinks(links, ids));
    return written!.count;
  } catch (error) {
    if (isTakenNumber(error)) return 0;
    throw error;
  }
}

/** Another sealer was first. Its links have the numbers that these would have had. */
const isTakenNumber = (error: unknown): boolean => codeOf(error) === '23505';

const lastLink = Prisma.sql`
  select seq, hash
  from chain_link
  order by seq desc
  limit 1`;

/**
 * Writes the links if the notes are still there. Their lock makes two sealers of one batch wait for each other, and the
 * second finds nothing. Two sealers of different batches want the same numbers, and the database refuses the second.
 */
const writtenLinks = (
  links: Parameters<typeof linkColumns.from>[0],
  ids: readonly string[],
): Prisma.Sql => Prisma.sql`
  with
  locked_notes as materialized (
    select id
    from unsealed
    where id = any(${ids}::bigint[])
    order by id
    for update),
  turn as materialized (
    select count(*) = ${ids.length}::int as is_ours
    from locked_notes),
  deleted_notes as (
    delete from unsealed
    using turn
    where unsealed.id = any(${ids}::bigint[]) and turn.is_ours),
  inserted_links as (
    insert into chain_link (seq, source, row_key, body, hash)
    select link.seq, link.source, link."rowKey", link.body::jsonb, decode(link.hash, 'hex')
    from ${linkColumns.from(links)} link, turn
    where turn.is_ours
    returning 1)
  select count(*)::int as count
  from inserted_links`;
