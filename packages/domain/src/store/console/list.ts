import type { State } from '../../core/recharge.js';
import type { WaitingReason } from '../../core/waiting/waiting.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { type RechargeView, viewColumns } from '../reads/view.js';
import { oldestWaiting, SUMMED_MAX } from '../reads/waiting-sums.js';

/** The recharges that are wanted, of all clients. A missing part allows all. */
export type ConsoleFilter = Readonly<{
  states?: readonly State[] | undefined;
  accountId?: string | undefined;
  provider?: string | undefined;
  currency?: string | undefined;
  kind?: string | undefined;
  amountMinor?: bigint | undefined;
  createdFrom?: Date | undefined;
  createdTo?: Date | undefined;
  /** Only unfinished recharges that wait for this reason, oldest first. `any`: for any reason. */
  waiting?: WaitingReason | 'any' | undefined;
  /** With `waiting`: the least age, and the age that a recharge must be below. */
  olderThanS?: number | undefined;
  youngerThanS?: number | undefined;
  /** `next` of the previous page. */
  before?: string | undefined;
  limit: number;
}>;

export type ConsolePage = Readonly<{
  /** The recharges, newest first. With `waiting`: oldest first. */
  rows: readonly RechargeView[];
  /** Null at the end. A page with fewer rows than its limit may have a next one. */
  next: string | null;
  /** Whether more rows exist than were looked at, so that the page may lack some. */
  isCut: boolean;
}>;

// The most recharges that a statement looks at. One recharge costs one buffer.
const EXAMINED_MAX = 1_000;
const ROUNDS = 3;
// A list for a file or for a verb on many recharges is longer than a page and may take longer.
const PAGE_MAX = 100;
const LONG_LIST_ROUNDS = 6;
// A walk per client and state reads at most its own part of EXAMINED_MAX.
const STREAMS_MAX = 24;
const CLIENTS_MAX = 100;

/**
 * A page of recharges. Most filters fit many of the newest recharges, so those are read and judged. States and accounts
 * may be rare: an index has them per client, and is read if there are few clients.
 */
export async function consolePage(read: Run, filter: ConsoleFilter): Promise<ConsolePage> {
  if (filter.waiting !== undefined) return waitingPage(read, filter, filter.waiting);
  const hasIndex = filter.states !== undefined || filter.accountId !== undefined;
  const streams = hasIndex ? await streamsOf(read, filter) : null;
  if (streams?.length === 0) return { rows: [], next: null, isCut: false };
  // Each walk is complete for as many of its own newest recharges as it reads, so the merged list is complete for only
  // that many rows.
  const examinedMax = Math.floor(EXAMINED_MAX / (streams?.length || 1));
  const rows: string[] = [];
  let before = filter.before ?? null;
  for (let round = roundsOf(filter.limit, examinedMax); round > 0; round--) {
    const walk = streams ? byStream(filter, streams, before) : newest(before);
    const found = await read<{ id: string | null; examined: number; lastId: string | null }>(
      examined(filter, walk, { examinedMax, rows: filter.limit + 1 - rows.length }),
    );
    const { examined: count, lastId } = found[0]!;
    rows.push(...found.flatMap(({ id }) => (id === null ? [] : [id])));
    if (rows.length > filter.limit) {
      const page = rows.slice(0, filter.limit);
      return { rows: await viewsOf(read, page), next: page.at(-1)!, isCut: false };
    }
    if (count < examinedMax) return { rows: await viewsOf(read, rows), next: null, isCut: false };
    before = lastId;
  }
  return { rows: await viewsOf(read, rows), next: before, isCut: true };
}

const roundsOf = (rows: number, examinedMax: number): number =>
  rows > PAGE_MAX ? Math.max(LONG_LIST_ROUNDS, Math.ceil(rows / examinedMax)) : ROUNDS;

async function waitingPage(
  read: Run,
  { states, accountId, currency, provider, olderThanS = 0, youngerThanS, limit }: ConsoleFilter,
  reason: WaitingReason | 'any',
): Promise<ConsolePage> {
  const found = await read<{ id: string }>(Prisma.sql`
    select id
    from ${oldestWaiting} waiting
    where (${reason}::text = 'any' or reason = ${reason})
      and (${accountId ?? null}::text is null or account_id = ${accountId ?? null})
      and (${states ? [...states] : null}::text[] is null or state::text = any(${states ? [...states] : null}::text[]))
      and (${provider ?? null}::text is null or provider = ${provider ?? null})
      and (${currency ?? null}::text is null or currency = ${currency ?? null})
      and created_at <= now() - ${olderThanS}::float8 * interval '1 s'
      and (${youngerThanS ?? null}::float8 is null
        or created_at > now() - ${youngerThanS ?? null}::float8 * interval '1 s')
    order by created_at, id
    limit ${limit + 1}::int`);
  const ids = found.slice(0, limit).map(({ id }) => id);
  const views = await viewsOf(read, ids);
  const inOrder = views.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  return { rows: inOrder, next: null, isCut: found.length > limit || found.length >= SUMMED_MAX };
}

type Stream = Readonly<{ clientId: string; state: State }>;

/** Null if there are too many walks for one statement. */
async function streamsOf(read: Run, { states, accountId }: ConsoleFilter): Promise<Stream[] | null> {
  const ofAccount = Prisma.sql`exists (
    select from recharge_transaction recharge
    where recharge.client_id = client.id and recharge.account_id collate "C" = ${accountId ?? ''})`;
  const rows = await read<Stream>(Prisma.sql`
    select client.id as "clientId", state.name as state
    from (
      select id from (select id from client order by created_at desc limit ${CLIENTS_MAX}::int) client
      where ${accountId === undefined ? Prisma.sql`true` : ofAccount}) client
    cross join unnest(${[...(states ?? ALL_STATES)]}::text[]) as state(name)
    limit ${STREAMS_MAX + 1}::int`);
  return rows.length > STREAMS_MAX ? null : rows;
}

const ALL_STATES = ['CREATED', 'SUBMITTED', 'PENDING_CONFIRMATION', 'SUCCEEDED', 'FAILED', 'CANCELED'];

const isBefore = (before: string | null): Prisma.Sql =>
  before === null ? Prisma.sql`true` : Prisma.sql`recharge.id < ${before}::uuid`;

const newest = (before: string | null): Prisma.Sql => Prisma.sql`
  select recharge.*
  from recharge_transaction recharge
  where ${isBefore(before)}
  order by recharge.id desc
  limit ${EXAMINED_MAX}::int`;

/** The order of creation and that of ids differ by the clocks of processes only, so the page is cut by ids. */
const byStream = (
  { accountId }: ConsoleFilter,
  streams: readonly Stream[],
  before: string | null,
): Prisma.Sql => Prisma.sql`
  select recharge.*
  from unnest(${streams.map(({ clientId }) => clientId)}::uuid[], ${streams.map(({ state }) => state)}::text[])
    as stream(client_id, state)
  cross join lateral (
    select recharge.*
    from recharge_transaction recharge
    where recharge.client_id = stream.client_id and recharge.state = stream.state
      and ${accountId === undefined ? Prisma.sql`true` : Prisma.sql`recharge.account_id collate "C" = ${accountId}`}
      and (recharge.created_at, recharge.id) < (
        coalesce((select created_at from recharge_transaction where id = ${before}::uuid), 'infinity'::timestamptz),
        coalesce(${before}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
    order by recharge.created_at desc, recharge.id desc
    limit ${Math.floor(EXAMINED_MAX / streams.length)}::int) recharge`;

const examined = (
  filter: ConsoleFilter,
  walk: Prisma.Sql,
  { examinedMax, rows }: Readonly<{ examinedMax: number; rows: number }>,
): Prisma.Sql => Prisma.sql`
  with
  examined as materialized (
    select recharge.* from (${walk}) recharge order by recharge.id desc limit ${examinedMax}::int),
  page as materialized (
    select id, created_at
    from examined recharge
    where ${wanted(filter)}
    order by id desc
    limit ${rows}::int)
  select
    (select count(*)::int from examined) as examined,
    (select id from examined order by id limit 1) as "lastId",
    page.id
  from (select) always
  left join page on true
  order by page.id desc`;

function wanted(filter: ConsoleFilter): Prisma.Sql {
  const { states, accountId, provider, currency, kind, amountMinor, createdFrom, createdTo } = filter;
  const conditions: Prisma.Sql[] = [Prisma.sql`true`];
  if (states !== undefined) conditions.push(Prisma.sql`recharge.state = any(${[...states]}::text[])`);
  if (accountId !== undefined) conditions.push(Prisma.sql`recharge.account_id = ${accountId}`);
  if (provider !== undefined) conditions.push(Prisma.sql`recharge.provider = ${provider}`);
  if (currency !== undefined) conditions.push(Prisma.sql`recharge.currency = ${currency}`);
  if (kind !== undefined) conditions.push(Prisma.sql`recharge.kind = ${kind}`);
  if (amountMinor !== undefined)
    conditions.push(Prisma.sql`recharge.amount_minor = ${amountMinor.toString()}::bigint`);
  if (createdFrom)
    conditions.push(Prisma.sql`recharge.created_at >= ${createdFrom.toISOString()}::timestamptz`);
  if (createdTo) conditions.push(Prisma.sql`recharge.created_at < ${createdTo.toISOString()}::timestamptz`);
  return Prisma.join(conditions, ' and ');
}

async function viewsOf(read: Run, ids: readonly string[]): Promise<RechargeView[]> {
  if (ids.length === 0) return [];
  const rows = await read<RechargeView>(Prisma.sql`
    select ${viewColumns}
    from recharge_transaction recharge
    join recharge_request request on request.transaction_id = recharge.id
    where recharge.id = any(${[...ids]}::uuid[])`);
  return rows.toSorted((a, b) => (a.id < b.id ? 1 : -1));
}
