import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { momentOr } from '../database/newest.js';
import type { AuditCall } from './call.js';

export type AuditFilter = Readonly<{
  /** The client whose calls are wanted. Unset: the calls of all clients, which only operators may see. */
  clientId?: string | undefined;
  keyId?: string | undefined;
  accountId?: string | undefined;
  status?: number | undefined;
  correlationId?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** `next` of the previous page. */
  before?: CallPlace | undefined;
  limit: number;
}>;

export type CallPlace = Readonly<{ at: Date; id: string }>;

export type AuditPage = Readonly<{
  /** The calls, newest first. */
  calls: readonly AuditCall[];
  /**
   * Where the next page begins. Null at the end. A page with fewer calls than its limit may have a next one: see
   * ROUNDS.
   */
  next: CallPlace | null;
}>;

// The most calls that one statement examines. It reads one or two buffers per call.
const EXAMINED_MAX = 800;
// An index per filter would cost more per call than the call's row. Instead up to 4 statements per page look through
// 3,200 calls of the trail. Then the page is answered with the calls found so far, and the next page continues after the
// last call that was examined.
const ROUNDS = 4;

type Found = AuditCall & Readonly<{ examined: number; lastAt: Date | null; lastId: string | null }>;

export async function searchCalls(run: Run, filter: AuditFilter): Promise<AuditPage> {
  const calls: AuditCall[] = [];
  let { before } = filter;
  for (let round = 0; round < ROUNDS; round++) {
    // The statement asks for one call more than the page holds. If it exists, there is a next page.
    const found = await run<Found>(examine({ ...filter, before }, filter.limit + 1 - calls.length));
    calls.push(...found.filter(({ id }) => id !== null).map(callOf));
    if (calls.length > filter.limit) {
      const page = calls.slice(0, filter.limit);
      return { calls: page, next: { at: page.at(-1)!.at, id: page.at(-1)!.id } };
    }
    const { examined, lastAt, lastId } = found[0]!;
    if (examined < EXAMINED_MAX) return { calls, next: null };
    before = { at: lastAt!, id: lastId! };
  }
  return { calls, next: before! };
}

const callOf = ({ examined: _, lastAt: __, lastId: ___, ...call }: Found): AuditCall => call;

/** The part of the filter that an index serves in the order of time. The rest of it is checked per call. */
function walked({ clientId, status, correlationId }: AuditFilter): Prisma.Sql {
  const isRefusal = status !== undefined && status >= 400;
  if (correlationId !== undefined && isRefusal)
    return Prisma.sql`call.correlation_id = ${correlationId} and call.status >= 400`;
  if (clientId === undefined) return Prisma.sql`true`;
  const ofClient = Prisma.sql`call.client_id = ${clientId}::uuid`;
  return isRefusal
    ? Prisma.sql`${ofClient} and call.status = ${status}::int and call.status >= 400`
    : ofClient;
}

const examine = (filter: AuditFilter, limit: number): Prisma.Sql => {
  const { at, id } = placeOf(filter);
  return Prisma.sql`
    with
    examined as materialized (
      select call.*
      from audit_call call
      where ${walked(filter)}
        and call.at >= ${momentOr(filter.from ?? null, '-infinity')}
        -- The first bound excludes later partitions, the second one the calls of the same moment.
        and call.at <= ${at} and (call.at, call.id) < (${at}, ${id}::uuid)
      order by call.at desc, call.id desc limit ${EXAMINED_MAX}::int),
    page as materialized (
      select *
      from examined call
      where ${wanted(filter)}
      order by call.at desc, call.id desc limit ${limit}::int),
    passed as (
      select count(*) over ()::int as examined, at, id
      from examined
      order by at, id
      limit 1)
    select
      coalesce(passed.examined, 0) as examined,
      passed.at as "lastAt",
      passed.id as "lastId",
      page.id,
      page.at,
      page.ip,
      page.client_id as "clientId",
      page.key_id as "keyId",
      page.method,
      page.route,
      page.params,
      page.account_id as "accountId",
      page.status,
      page.code,
      page.duration_ms as "durationMs",
      page.correlation_id as "correlationId"
    from (select) always
    left join passed on true
    left join page on true
    order by page.at desc, page.id desc`;
};

function placeOf({ before, to }: AuditFilter): { at: Prisma.Sql; id: string } {
  if (before && (!to || before.at < to)) return { at: momentOr(before.at, 'infinity'), id: before.id };
  return { at: momentOr(to ?? null, 'infinity'), id: '00000000-0000-0000-0000-000000000000' };
}

function wanted(filter: AuditFilter): Prisma.Sql {
  const { clientId, keyId, accountId, status, correlationId } = filter;
  const conditions: Prisma.Sql[] = [Prisma.sql`true`];
  if (clientId !== undefined) conditions.push(Prisma.sql`call.client_id = ${clientId}::uuid`);
  if (keyId !== undefined) conditions.push(Prisma.sql`call.key_id = ${keyId}`);
  if (accountId !== undefined) conditions.push(Prisma.sql`call.account_id = ${accountId}`);
  if (status !== undefined) conditions.push(Prisma.sql`call.status = ${status}::int`);
  if (correlationId !== undefined) conditions.push(Prisma.sql`call.correlation_id = ${correlationId}`);
  return Prisma.join(conditions, ' and ');
}
