import type { State } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import { momentOr, newestOf, type Place, placeBehind } from '../database/newest.js';
import type { AccountRange } from './account-ranges.js';
import { viewColumns } from './view.js';

export type ListQuery = Readonly<{
  /** The client whose recharges are listed. Null: all clients. */
  clientId: string | null;
  /** SQL LIKE patterns. */
  patterns: readonly string[];
  accountId: string | null;
  states: readonly State[];
  orderReference: string | null;
  from: Date | null;
  to: Date | null;
  beforeId: string | null;
  rows: number;
}>;

/**
 * The place where a page begins: after the last recharge of the previous page, or at the end of the query's time span.
 */
function startOf({ beforeId, to }: ListQuery): Place {
  return placeBehind(
    beforeId === null ? null : cursorOf(beforeId),
    momentOr(to, 'infinity'),
    Prisma.sql`'00000000-0000-0000-0000-000000000000'::uuid`,
  );
}

/**
 * The place of a cursor. If the client invented the cursor, no recharge has its id. The place is then the time inside
 * the id, a UUID version 7.
 */
function cursorOf(id: string): Place {
  const ownMs = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  return {
    at: Prisma.sql`coalesce(
      (select created_at from recharge_transaction where id = ${id}::uuid),
      to_timestamp(${ownMs / 1_000}::float8))`,
    id: Prisma.sql`${id}::uuid`,
  };
}

/**
 * A condition on the alias `recharge`: it is within the query's time span, and older than the place where the page
 * begins.
 */
const bounds = ({ from }: ListQuery, { at, id }: Place): Prisma.Sql => Prisma.sql`
  recharge.created_at >= ${momentOr(from, '-infinity')} and (recharge.created_at, recharge.id) < (${at}, ${id})`;

const NEWEST_FIRST = Prisma.sql`order by recharge.created_at desc, recharge.id desc`;

/** The newest `limit` recharges of each wanted state for which `condition` holds. */
const perState = (query: ListQuery, condition: Prisma.Sql, limit: number): Prisma.Sql => Prisma.sql`
  select recharge.*
  from unnest(${[...query.states]}::text[]) as wanted(state)
  cross join lateral (
    select recharge.*
    from recharge_transaction recharge
    where ${condition} and recharge.state = wanted.state and ${bounds(query, startOf(query))}
    ${NEWEST_FIRST} limit ${limit}::int) recharge`;

/**
 * A statement that reads recharges in the order of an index. It may return more recharges than a page needs. The
 * statement around it sorts them and takes the newest.
 */
export type Walk = (query: ListQuery, limit: number) => Prisma.Sql;

export const walks = {
  ofClient: (query, limit) =>
    perState(query, Prisma.sql`recharge.client_id = ${query.clientId}::uuid`, limit),
  ofAccount: (query, limit) =>
    perState(
      query,
      Prisma.sql`recharge.client_id = ${query.clientId}::uuid
        and recharge.account_id collate "C" = ${query.accountId}
        and ${query.accountId} like any(${[...query.patterns]}::text[])`,
      limit,
    ),
  ofReference: (query, limit) => Prisma.sql`
    select recharge.*
    from recharge_transaction recharge
    where recharge.client_id = ${query.clientId}::uuid and recharge.order_reference = ${query.orderReference}
      and ${bounds(query, startOf(query))}
    ${NEWEST_FIRST} limit ${limit}::int`,
  ofAccountEverywhere: (query, limit) =>
    perClient(
      Prisma.sql`recharge.account_id collate "C" = ${query.accountId}
        and ${query.accountId} like any(${[...query.patterns]}::text[])`,
      (whose) => perState(query, whose, limit),
    ),
  ofReferenceEverywhere: (query, limit) =>
    perClient(
      Prisma.sql`recharge.order_reference = ${query.orderReference}`,
      (whose) => Prisma.sql`
        select recharge.*
        from recharge_transaction recharge
        where ${whose} and ${bounds(query, startOf(query))}
        ${NEWEST_FIRST} limit ${limit}::int`,
    ),
  ofAll: ({ beforeId, from, to }, limit) => Prisma.sql`
    select recharge.*
    from recharge_transaction recharge
    where ${beforeId === null ? Prisma.sql`true` : Prisma.sql`recharge.id < ${beforeId}::uuid`}
      and ${from === null ? Prisma.sql`true` : Prisma.sql`recharge.id >= ${idAround(from, -CLOCKS_APART_MS)}`}
      and ${to === null ? Prisma.sql`true` : Prisma.sql`recharge.id < ${idAround(to, CLOCKS_APART_MS)}`}
      and recharge.created_at >= ${momentOr(from, '-infinity')} and recharge.created_at < ${momentOr(to, 'infinity')}
    order by recharge.id desc limit ${limit}::int`,
} satisfies Record<string, Walk>;

/** The clients that have a recharge like this, each with its walk. One look-up per client finds them. */
const perClient = (condition: Prisma.Sql, walk: (whose: Prisma.Sql) => Prisma.Sql): Prisma.Sql => Prisma.sql`
  select recharge.*
  from (
    select id
    from client
    where exists (
      select from recharge_transaction recharge where recharge.client_id = client.id and ${condition})
    offset 0) holder
  cross join lateral (${walk(Prisma.sql`recharge.client_id = holder.id and ${condition}`)}) recharge`;

// An id carries the clock of the process that made it. A recharge whose id is further from its time is not found by a
// span of time over all clients.
const CLOCKS_APART_MS = 600_000;

const idAround = (time: Date, ms: number): Prisma.Sql =>
  Prisma.sql`uuid_from(${time.toISOString()}::timestamptz + ${ms}::int * interval '1 ms')`;

/** The order in which a walk reads. */
export type WalkOrder = Readonly<{ newestFirst: Prisma.Sql; oldestFirst: Prisma.Sql }>;
export const byTime: WalkOrder = {
  newestFirst: NEWEST_FIRST,
  oldestFirst: Prisma.sql`order by created_at, id`,
};
export const byId: WalkOrder = {
  newestFirst: Prisma.sql`order by recharge.id desc`,
  oldestFirst: Prisma.sql`order by id`,
};

/** A page of the newest recharges of a walk. For a walk that returns only recharges that match the query. */
export const ordered = (query: ListQuery, walk: Walk): Prisma.Sql => Prisma.sql`
  select ${viewColumns}
  from (select recharge.* from (${walk(query, query.rows)}) recharge ${NEWEST_FIRST} limit ${query.rows}::int) recharge
  join recharge_request request on request.transaction_id = recharge.id
  ${NEWEST_FIRST}`;

/**
 * Reads the next `examinedMax` recharges of a walk and returns those that match the query. Also returns the number of
 * recharges that were read and the id of the last one.
 */
export const examine = (
  query: ListQuery,
  walk: Walk,
  { newestFirst, oldestFirst }: WalkOrder,
  examinedMax: number,
): Prisma.Sql => Prisma.sql`
  with
  examined as materialized (
    select recharge.* from (${walk(query, examinedMax)}) recharge ${newestFirst} limit ${examinedMax}::int),
  page as materialized (
    select recharge.*
    from examined recharge
    where recharge.account_id like any(${[...query.patterns]}::text[])
      and (${query.accountId}::text is null or recharge.account_id = ${query.accountId})
      and recharge.state = any(${[...query.states]}::text[])
    ${newestFirst} limit ${query.rows}::int)
  select
    (select count(*)::int from examined) as examined,
    (select id from examined ${oldestFirst} limit 1) as "lastId",
    ${viewColumns}
  from (select) always
  left join (page recharge join recharge_request request on request.transaction_id = recharge.id) on true
  ${newestFirst}`;

/**
 * The newest recharges of the accounts that match a pattern, for patterns that cover few accounts. The statement first
 * finds each pair of account and state, with one index lookup per pair. Then it reads the recharges of each pair. If
 * there are more than `streamsMax` pairs, `few` is false and no recharge is returned.
 */
export const byAccounts = (
  query: ListQuery,
  ranges: readonly AccountRange[],
  streamsMax: number,
): Prisma.Sql => Prisma.sql`
  with recursive
  present as (
    select range.hi, first.account_id, first.state
    from unnest(${ranges.map(({ lo }) => lo)}::text[], ${ranges.map(({ hi }) => hi)}::text[]) as range(lo, hi)
    cross join lateral (${nextStream(query, Prisma.sql`recharge.account_id collate "C" >= range.lo`, 'range')}) first
    union all
    select present.hi, next.account_id, next.state
    from present
    cross join lateral (${nextStream(
      query,
      Prisma.sql`(recharge.account_id collate "C", recharge.state) > (present.account_id, present.state)`,
      'present',
    )}) next),
  looked_at as materialized (select account_id, state from present limit ${streamsMax + 1}::int),
  streams as materialized (
    select distinct account_id, state
    from looked_at
    where (select count(*) from looked_at) <= ${streamsMax}::int
      and account_id like any(${[...query.patterns]}::text[])
      and state = any(${[...query.states]}::text[])),
  ${newestOf({
    names: ['account_id', 'state'],
    walk: (stream, behind, condition) => walkOfStream(query, stream, behind, condition),
    behind: startOf(query),
    limit: query.rows,
  })}
  select (select count(*) from looked_at) <= ${streamsMax}::int as few, ${viewColumns}
  from (select) always
  left join (
    newest_rows
    join recharge_transaction recharge on recharge.id = newest_rows.id
    join recharge_request request on request.transaction_id = recharge.id) on true
  ${NEWEST_FIRST}`;

/**
 * The first pair of account and state that fulfils `behind` and is within the range of `part`, in the index's order.
 */
const nextStream = ({ clientId }: ListQuery, behind: Prisma.Sql, part: string): Prisma.Sql => Prisma.sql`
  select recharge.account_id, recharge.state
  from recharge_transaction recharge
  where recharge.client_id = ${clientId}::uuid
    and ${behind}
    and recharge.account_id collate "C" < ${Prisma.raw(part)}.hi
  order by recharge.account_id collate "C", recharge.state limit 1`;

const walkOfStream = (
  query: ListQuery,
  stream: string,
  behind: Place,
  condition: Prisma.Sql,
): Prisma.Sql => Prisma.sql`
  select recharge.created_at as at, recharge.id
  from recharge_transaction recharge
  where recharge.client_id = ${query.clientId}::uuid
    and recharge.account_id collate "C" = ${Prisma.raw(stream)}.account_id
    and recharge.state = ${Prisma.raw(stream)}.state
    and ${bounds(query, behind)}
    and ${condition}
  ${NEWEST_FIRST}`;
