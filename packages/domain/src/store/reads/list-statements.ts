import type { State } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import { momentOr, newestOf, type Place, placeBehind } from '../database/newest.js';
import type { AccountRange } from './account-ranges.js';
import { viewColumns } from './view.js';

export type ListQuery = Readonly<{
  clientId: string;
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

/** The place behind which a page begins: the recharge that the page before ended with, or the end of the window. */
function startOf({ beforeId, to }: ListQuery): Place {
  return placeBehind(
    beforeId === null ? null : cursorOf(beforeId),
    momentOr(to, 'infinity'),
    Prisma.sql`'00000000-0000-0000-0000-000000000000'::uuid`,
  );
}

/** A cursor that no page gave out names no recharge; its place is then the time that its id has. */
function cursorOf(id: string): Place {
  const ownMs = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  return {
    at: Prisma.sql`coalesce(
      (select created_at from recharge_transaction where id = ${id}::uuid),
      to_timestamp(${ownMs / 1_000}::float8))`,
    id: Prisma.sql`${id}::uuid`,
  };
}

/** The bounds of a walk over recharges named `t`: what is left of an index behind the place, within the window. */
const bounds = ({ from }: ListQuery, { at, id }: Place): Prisma.Sql => Prisma.sql`
  t.created_at >= ${momentOr(from, '-infinity')} and (t.created_at, t.id) < (${at}, ${id})`;

const NEWEST_FIRST = Prisma.sql`order by t.created_at desc, t.id desc`;

/** Of each wanted state the newest `limit` recharges for which `condition` holds. */
const perState = (query: ListQuery, condition: Prisma.Sql, limit: number): Prisma.Sql => Prisma.sql`
  select recharge.*
  from unnest(${[...query.states]}::text[]) as wanted(state)
  cross join lateral (
    select t.*
    from recharge_transaction t
    where ${condition} and t.state = wanted.state and ${bounds(query, startOf(query))}
    ${NEWEST_FIRST} limit ${limit}::int) recharge`;

/** Recharges in an order that an index has, more than a page needs: who reads them sorts them and takes the newest. */
export type Walk = (query: ListQuery, limit: number) => Prisma.Sql;

export const walks = {
  ofClient: (query, limit) => perState(query, Prisma.sql`t.client_id = ${query.clientId}::uuid`, limit),
  ofAccount: (query, limit) =>
    perState(
      query,
      Prisma.sql`t.client_id = ${query.clientId}::uuid
        and t.account_id collate "C" = ${query.accountId}
        and ${query.accountId} like any(${[...query.patterns]}::text[])`,
      limit,
    ),
  ofReference: (query, limit) => Prisma.sql`
    select t.*
    from recharge_transaction t
    where t.client_id = ${query.clientId}::uuid and t.order_reference = ${query.orderReference}
      and ${bounds(query, startOf(query))}
    ${NEWEST_FIRST} limit ${limit}::int`,
} satisfies Record<string, Walk>;

const view = Prisma.raw(viewColumns);

/** All recharges of a walk are wanted: the newest of them. */
export const ordered = (query: ListQuery, walk: Walk): Prisma.Sql => Prisma.sql`
  select ${view}
  from (select t.* from (${walk(query, query.rows)}) t ${NEWEST_FIRST} limit ${query.rows}::int) t
  join recharge_request q on q.transaction_id = t.id
  ${NEWEST_FIRST}`;

/** Those of a walk's next `examinedMax` recharges that are wanted, with how many it had and the id of the last one. */
export const examine = (query: ListQuery, walk: Walk, examinedMax: number): Prisma.Sql => Prisma.sql`
  with
  examined as materialized (
    select t.* from (${walk(query, examinedMax)}) t ${NEWEST_FIRST} limit ${examinedMax}::int),
  page as materialized (
    select t.*
    from examined t
    where t.account_id like any(${[...query.patterns]}::text[])
      and (${query.accountId}::text is null or t.account_id = ${query.accountId})
      and t.state = any(${[...query.states]}::text[])
    ${NEWEST_FIRST} limit ${query.rows}::int)
  select
    (select count(*)::int from examined) as examined,
    (select id from examined order by created_at, id limit 1) as "lastId",
    ${view}
  from (select) always
  left join (page t join recharge_request q on q.transaction_id = t.id) on true
  ${NEWEST_FIRST}`;

/**
 * The newest recharges of the accounts in some ranges that match a pattern: first each account and state that there is,
 * from one to the next by the index, then a walk for each. `few` is false, and nothing else is found, where there are
 * more than `streamsMax` of them.
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
    cross join lateral (${nextStream(query, Prisma.sql`t.account_id collate "C" >= range.lo`, 'range')}) first
    union all
    select present.hi, next.account_id, next.state
    from present
    cross join lateral (${nextStream(
      query,
      Prisma.sql`(t.account_id collate "C", t.state) > (present.account_id, present.state)`,
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
  select (select count(*) from looked_at) <= ${streamsMax}::int as few, ${view}
  from (select) always
  left join (
    newest_rows
    join recharge_transaction t on t.id = newest_rows.id
    join recharge_request q on q.transaction_id = t.id) on true
  ${NEWEST_FIRST}`;

/** The first account and state of an index behind something, within the range of `part`. */
const nextStream = ({ clientId }: ListQuery, behind: Prisma.Sql, part: string): Prisma.Sql => Prisma.sql`
  select t.account_id, t.state
  from recharge_transaction t
  where t.client_id = ${clientId}::uuid and ${behind} and t.account_id collate "C" < ${Prisma.raw(part)}.hi
  order by t.account_id collate "C", t.state limit 1`;

const walkOfStream = (
  query: ListQuery,
  stream: string,
  behind: Place,
  condition: Prisma.Sql,
): Prisma.Sql => Prisma.sql`
  select t.created_at as at, t.id
  from recharge_transaction t
  where t.client_id = ${query.clientId}::uuid
    and t.account_id collate "C" = ${Prisma.raw(stream)}.account_id
    and t.state = ${Prisma.raw(stream)}.state
    and ${bounds(query, behind)}
    and ${condition}
  ${NEWEST_FIRST}`;
