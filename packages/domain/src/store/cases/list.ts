import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { type DeskFilter, onDesk } from '../desk/filter.js';
import { type CaseRow, type CaseView, caseColumns, type IsRefunding, viewOf } from './view.js';

/** The cases that a caller may see: those of its client on accounts of its patterns. Null: an operator sees all. */
export type CaseViewer = Readonly<{
  clientId: string;
  /** SQL LIKE patterns. With `%` the cases without a transaction are seen too. */
  accountPatterns: readonly string[];
}> | null;

/** The cases that a caller may read, which may be more than it may decide. A client of null stands for all clients. */
export type CaseReader = Readonly<{ clientId: string | null; accountPatterns: readonly string[] }> | null;

export type CaseFilter = Readonly<{
  viewer: CaseReader;
  status?: 'open' | 'closed' | undefined;
  kind?: string | undefined;
  transactionId?: string | undefined;
  /** Whose cases are listed, or only those that are overdue. */
  desk?: DeskFilter | undefined;
  /** `nextId` of the previous page. */
  beforeId?: string | undefined;
  limit: number;
}>;

export type CasePage = Readonly<{
  /** The cases, newest first. */
  rows: readonly CaseView[];
  /** The place where the next page begins. Null at the end. A page with fewer rows than its limit may have a next one. */
  nextId: string | null;
}>;

// A statement reads some two buffers per case.
const EXAMINED_MAX = 600;
const ROUNDS = 4;
// A list for a verb on many cases is longer than a page and may take longer.
const PAGE_MAX = 100;
const LONG_LIST_ROUNDS = 10;

/**
 * A page of cases. The newest cases are read in the order of an index, and those that match are returned. If few match,
 * the page ends after 2,400 cases (a longer list after 6,000) and the next one continues there.
 */
export async function listCases(run: Run, filter: CaseFilter, isRefunding: IsRefunding): Promise<CasePage> {
  const rows: CaseView[] = [];
  let beforeId = filter.beforeId ?? null;
  for (let round = filter.limit > PAGE_MAX ? LONG_LIST_ROUNDS : ROUNDS; round > 0; round--) {
    const left = filter.limit + 1 - rows.length;
    const found = await run<CaseRow & { examined: number; lastId: string | null }>(
      pageOf(filter, beforeId, left),
    );
    const { examined, lastId } = found[0]!;
    rows.push(...found.filter(({ id }) => id !== null).map((row) => shown(row, isRefunding)));
    if (rows.length > filter.limit) {
      const page = rows.slice(0, filter.limit);
      return { rows: page, nextId: page.at(-1)!.id };
    }
    if (examined < EXAMINED_MAX) return { rows, nextId: null };
    beforeId = lastId;
  }
  return { rows, nextId: beforeId };
}

const shown = (
  { examined: _, lastId: __, ...row }: CaseRow & { examined: number; lastId: string | null },
  isRefunding: IsRefunding,
): CaseView => viewOf(row, isRefunding);

const pageOf = (filter: CaseFilter, beforeId: string | null, rows: number): Prisma.Sql => Prisma.sql`
  with
  examined as materialized (
    select some_case.* from (${walksOf(filter, beforeId)}) some_case order by id desc limit ${EXAMINED_MAX}::int),
  page as materialized (
    select some_case.*
    from examined some_case
    where ${kindOf(filter)}
      and ${statusOf(filter)}
      and ${isVisible(filter.viewer)}
      and ${filter.desk === undefined ? Prisma.sql`true` : onDesk(filter.desk)}
    order by id desc limit ${rows}::int)
  select
    (select count(*)::int from examined) as examined,
    (select id from examined order by id limit 1) as "lastId",
    ${caseColumns}
  from (select) always
  left join (page some_case left join recharge_transaction recharge on recharge.id = some_case.transaction_id) on true
  order by some_case.id desc`;

/** The cases of a client and those without a client are read by two scans of one index. */
function walksOf(filter: CaseFilter, beforeId: string | null): Prisma.Sql {
  const { viewer, transactionId } = filter;
  if (transactionId !== undefined)
    return walk(Prisma.sql`some_case.transaction_id = ${transactionId}::uuid`, filter, beforeId);
  if (viewer === null || viewer.clientId === null) return walkOfAll(filter, beforeId);
  const own = rangeWalk(Prisma.sql`client_id`, Prisma.sql`${viewer.clientId}::uuid`, filter, beforeId);
  if (!viewer.accountPatterns.includes('%')) return own;
  return Prisma.sql`(${own}) union all (${walk(Prisma.sql`some_case.client_id is null`, filter, beforeId)})`;
}

/** The open cases of one kind, or of one person, may be few among very many, so they have walks of their own. */
function walkOfAll(filter: CaseFilter, beforeId: string | null): Prisma.Sql {
  const { kind, status, desk } = filter;
  const isOfPerson = desk !== undefined && 'assignee' in desk && desk.assignee !== null;
  if (kind === undefined || status !== 'open' || isOfPerson) return walk(Prisma.sql`true`, filter, beforeId);
  return rangeWalk(Prisma.sql`kind`, Prisma.sql`${kind}::text`, filter, beforeId);
}

const LEAST_ID = '00000000-0000-0000-0000-000000000000';
const GREATEST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * A walk of the index that begins with a column. A range of pairs and their order fit no other index. With an equal sign
 * Postgres may read all cases in the order of their ids, where it takes the value for a frequent one.
 */
const rangeWalk = (
  column: Prisma.Sql,
  value: Prisma.Sql,
  filter: CaseFilter,
  beforeId: string | null,
): Prisma.Sql => Prisma.sql`
  select some_case.*
  from reconciliation_case some_case
  where (some_case.${column}, some_case.id) >= (${value}, ${LEAST_ID}::uuid)
    and (some_case.${column}, some_case.id) < (${value}, ${beforeId ?? GREATEST_ID}::uuid)
    and ${statusOf(filter)}
  order by some_case.${column} desc, some_case.id desc
  limit ${EXAMINED_MAX}::int`;

const walk = (whose: Prisma.Sql, filter: CaseFilter, beforeId: string | null): Prisma.Sql => Prisma.sql`
  select some_case.*
  from ${sourceOf(filter)}
  where ${whose}
    and ${statusOf(filter)}
    and ${beforeId === null ? Prisma.sql`true` : Prisma.sql`some_case.id < ${beforeId}::uuid`}
  order by some_case.id desc
  limit ${EXAMINED_MAX}::int`;

/** The cases of one person are read by the index of the desk: they may be few among very many. */
function sourceOf({ desk }: CaseFilter): Prisma.Sql {
  if (desk === undefined || !('assignee' in desk) || desk.assignee === null)
    return Prisma.sql`reconciliation_case some_case`;
  return Prisma.sql`case_desk desk
  join reconciliation_case some_case on some_case.id = desk.case_id and desk.assignee = ${desk.assignee}`;
}

const kindOf = ({ kind }: CaseFilter): Prisma.Sql =>
  kind === undefined ? Prisma.sql`true` : Prisma.sql`some_case.kind = ${kind}`;

const statusOf = ({ status }: CaseFilter): Prisma.Sql => {
  if (status === undefined) return Prisma.sql`true`;
  return status === 'open'
    ? Prisma.sql`some_case.closed_at is null`
    : Prisma.sql`some_case.closed_at is not null`;
};

/** A condition on the alias `some_case`. */
export function isVisible(viewer: CaseReader): Prisma.Sql {
  if (viewer === null) return Prisma.sql`true`;
  const { clientId, accountPatterns } = viewer;
  const ofClient = clientId === null ? Prisma.sql`true` : Prisma.sql`some_case.client_id = ${clientId}::uuid`;
  const own = Prisma.sql`(${ofClient}
      and some_case.account_id like any(${[...accountPatterns]}::text[]))`;
  return accountPatterns.includes('%') ? Prisma.sql`(${own} or some_case.client_id is null)` : own;
}

/** One case. Null if there is none that the viewer may see. */
export async function caseById(
  run: Run,
  id: string,
  viewer: CaseReader,
  isRefunding: IsRefunding,
): Promise<CaseView | null> {
  const [row] = await run<CaseRow>(Prisma.sql`
    select ${caseColumns}
    from reconciliation_case some_case
    left join recharge_transaction recharge on recharge.id = some_case.transaction_id
    where some_case.id = ${id}::uuid and ${isVisible(viewer)}`);
  return row ? viewOf(row, isRefunding) : null;
}
