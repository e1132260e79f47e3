import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { bodyOf, GENESIS, GONE, type Head, hashOf } from './links.js';

/** A row that is not what the chain says, or a gap in the chain itself. */
export type BrokenLink = Readonly<{
  /** Null for a row that no link covers. */
  seq: bigint | null;
  source: string;
  rowKey: string;
  why: 'changed' | 'deleted' | 'link missing' | 'not sealed';
}>;

export type ChainCheck = Readonly<{
  head: Head;
  /** Rows that are noted and not sealed yet. */
  unsealed: number;
  /** The first breaks, at most ten. The chain holds if there is none. */
  broken: readonly BrokenLink[];
}>;

type Link = Readonly<{
  seq: bigint;
  source: string;
  rowKey: string;
  body: string;
  hash: Uint8Array;
  sealedAt: Date;
}>;

// A link is read with its row, which takes some twelve buffers. Reads are short, so no writer waits for the clean-up of
// old row versions.
const PAGE = 1_000;
const BROKEN_MAX = 10;

/**
 * Recomputes every link from the row that it covers, and looks for rows that no link covers.
 * @param telling called with the number of links that were checked
 */
export async function checkChain(
  survey: Run,
  telling: (seq: bigint) => void = () => {},
): Promise<ChainCheck> {
  const broken: BrokenLink[] = [];
  let last: Pick<Link, 'seq' | 'hash'> & { sealedAt: Date | null } = {
    seq: 0n,
    hash: GENESIS,
    sealedAt: null,
  };
  for (;;) {
    const links = await survey<Link>(linksAfter(last.seq));
    for (const link of links) {
      if (link.seq !== last.seq + 1n)
        broken.push({ ...nameOf(link), seq: last.seq + 1n, why: 'link missing' });
      // A row that was deleted before it was sealed has a link that fits, and says so.
      else if (link.body === GONE) broken.push({ ...nameOf(link), why: 'deleted' });
      else if (hexOf(hashOf(last.hash, link)) !== hexOf(link.hash))
        broken.push({ ...nameOf(link), why: 'changed' });
      last = link;
    }
    telling(last.seq);
    if (links.length < PAGE || broken.length >= BROKEN_MAX) break;
  }
  const [waiting] = await survey<{ count: number }>(countedUnsealed);
  if (broken.length < BROKEN_MAX) broken.push(...(await survey<BrokenLink>(uncovered)));
  const head = { seq: last.seq, hash: hexOf(last.hash), sealedAt: last.sealedAt };
  return { head, unsealed: waiting!.count, broken: broken.slice(0, BROKEN_MAX) };
}

const hexOf = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');
const nameOf = ({ seq, source, rowKey }: Link) => ({ seq, source, rowKey });

const linksAfter = (seq: bigint): Prisma.Sql => Prisma.sql`
  select
    seq,
    source,
    row_key as "rowKey",
    coalesce(body, ${bodyOf(Prisma.sql`link.source`, Prisma.sql`link.row_key`)}, ${GONE}::jsonb)::text as body,
    hash,
    sealed_at as "sealedAt"
  from chain_link link
  where seq > ${seq}::bigint
  order by seq
  limit ${PAGE}::int`;

const countedUnsealed = Prisma.sql`
  select coalesce(sum(cardinality(keys)), 0)::int as count
  from unsealed`;

/**
 * Rows of the books without a link and without a note, and cases and keys that differ from their newest link. A column
 * that was added since is not compared. An entry without its journal is told as a journal.
 *
 * Rows that are gone are here, too, if no link can tell it: the links of cases and keys keep what these rows said, and
 * some rows had only a note yet.
 */
const uncovered = Prisma.sql`
  with
  noted as (
    select source, unnest(keys) as row_key
    from unsealed),
  newest as materialized (
    select distinct on (source, row_key) source, row_key, seq, body
    from chain_link
    order by source, row_key, seq desc),
  expected as materialized (
    select 'journal' as source, id::text as row_key, null::jsonb as body, true as is_there from ledger_journal
    union all
    select 'transition', transaction_id || ' ' || seq, null, true from transition
    union all
    select 'action', id::text, null, true from operator_action
    union all
    select 'case', one.id::text, chain_case(one), true from reconciliation_case one
    union all
    select 'key', one.id, chain_key(one), true from api_key one
    union all
    select distinct 'journal', entry.journal_id::text, null::jsonb, false
    from ledger_entry entry
    where not exists (select from ledger_journal journal where journal.id = entry.journal_id)),
  strange as (
    select
      newest.seq,
      expected.source,
      expected.row_key,
      case when newest.seq is null then 'not sealed' else 'changed' end as why
    from expected
    left join newest using (source, row_key)
    left join noted using (source, row_key)
    where noted.source is null
      and (newest.seq is null or (newest.body is not null and newest.body <> (
        select coalesce(jsonb_object_agg(name, expected.body -> name), '{}')
        from jsonb_object_keys(newest.body) name)))),
  told as (
    select seq, source, row_key from newest where source in ('case', 'key')
    union
    select null, source, row_key
    from noted
    where not exists (
      select from newest where newest.source = noted.source and newest.row_key = noted.row_key)),
  gone as (
    select told.seq, told.source, told.row_key, 'deleted' as why
    from told
    where not exists (
      select from expected
      where expected.source = told.source and expected.row_key = told.row_key and expected.is_there))
  select seq, source, row_key as "rowKey", why
  from (select * from strange union all select * from gone) found
  order by seq nulls last, source, row_key
  limit ${BROKEN_MAX}::int`;

/** The newest link, in one read. */
export async function headOf(run: Run): Promise<Head & Readonly<{ unsealed: number }>> {
  const [row] = await run<
    Readonly<{ seq: bigint; hash: string | null; sealedAt: Date | null; unsealed: number }>
  >(
    Prisma.sql`
      select
        coalesce(link.seq, 0) as seq,
        encode(link.hash, 'hex') as hash,
        link.sealed_at as "sealedAt",
        (select coalesce(sum(cardinality(keys)), 0)::int from (select keys from unsealed limit 1000) oldest) as unsealed
      from (values (1)) as one
      left join (select * from chain_link order by seq desc limit 1) link on true`,
  );
  const { seq, hash, sealedAt, unsealed } = row!;
  return { seq, hash: hash ?? GENESIS.toString('hex'), sealedAt, unsealed };
}

/** What a head that was saved earlier says about the chain of today. */
export type HeadCheck = 'holds' | 'older database' | 'other chain';

/** Checks whether the chain still begins with the links that a saved head covers. */
export async function checkHead(run: Run, head: Pick<Head, 'seq' | 'hash'>): Promise<HeadCheck> {
  if (head.seq === 0n) return head.hash === GENESIS.toString('hex') ? 'holds' : 'other chain';
  const [link] = await run<{ hash: string }>(Prisma.sql`
    select encode(hash, 'hex') as hash
    from chain_link
    where seq = ${head.seq}::bigint`);
  if (!link) return 'older database';
  return link.hash === head.hash ? 'holds' : 'other chain';
}
