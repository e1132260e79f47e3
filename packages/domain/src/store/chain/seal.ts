import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { codeOf } from '../database/failure.js';
import { bodyOf, GENESIS, GONE } from './links.js';

// Reading a row costs up to 12 buffers and writing its link up to 10. So a statement stays below 2,000 buffers.
const NOTES = 64;
const ROWS = 72;
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
    const links = await sealBatch(run);
    if (links === 0) break;
    sealed += links;
  } while (performance.now() < untilMs);
  return sealed;
}

async function sealBatch(run: Run): Promise<number> {
  try {
    const [written] = await run<{ count: number }>(sealedBatch);
    return written!.count;
  } catch (error) {
    if (isTakenNumber(error)) return 0;
    throw error;
  }
}

/** Another sealer was first. Its links have the numbers that these would have had. */
const isTakenNumber = (error: unknown): boolean => codeOf(error) === '23505';

const genesis = Prisma.raw(`'\\x${GENESIS.toString('hex')}'::bytea`);
const gone = Prisma.raw(`'${GONE}'::jsonb`);

/**
 * Deletes the oldest notes and links their rows. A note counts up to 64 rows. At least one note is taken. Of two sealers
 * of one batch, the second waits and then finds the notes deleted. Two sealers of different batches want the same
 * numbers, and the database refuses the second.
 *
 * The statement has no parameters, so Postgres plans it once per connection. With parameters for its limits it was
 * planned at each call, which took 11 of 48 us per link.
 */
const sealedBatch = Prisma.sql`
  with
  counted_notes as (
    select id, sum(cardinality(keys)) over (order by id) as total
    from (select id, keys from unsealed order by id limit ${Prisma.raw(String(NOTES))}) oldest),
  deleted_notes as (
    delete from unsealed
    where id = any(array(
      select id
      from counted_notes
      where total <= ${Prisma.raw(String(ROWS))} or id = (select min(id) from counted_notes)))
    returning id, source, keys, body),
  last_link as materialized (
    select coalesce(newest.seq, 0) as seq, coalesce(newest.hash, ${genesis}) as hash
    from (values (1)) one
    left join (select seq, hash from chain_link order by seq desc limit 1) newest on true),
  said as materialized (
    select
      row_number() over (order by note.id, entry.n) as n,
      note.source,
      entry.key as row_key,
      note.body as kept,
      coalesce(note.body, ${bodyOf(Prisma.sql`note.source`, Prisma.sql`entry.key`)}, ${gone})::text as body
    from deleted_notes note, unnest(note.keys) with ordinality as entry(key, n)),
  inserted_links as (
    insert into chain_link (seq, source, row_key, body, hash)
    select
      last_link.seq + said.n,
      said.source,
      said.row_key,
      said.kept,
      chain_hash(last_link.hash, concat_ws(E'\\n', said.source, said.row_key, said.body))
        over (order by said.n rows unbounded preceding)
    from said, last_link
    returning 1)
  select count(*)::int as count
  from inserted_links`;
