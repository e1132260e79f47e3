import { Prisma } from '../../generated/client.js';
import { openedCases } from '../cases/open.js';
import type { Run } from '../database/database.js';
import { type ComparedPart, linesIn, type Period, partsOf, rechargesIn } from './parts.js';

/**
 * A difference between a statement and the books. It opens a case of the same kind.
 * - `statement_ours_only`: a recharge of ours succeeded, and the statement has no line for it.
 * - `statement_theirs_only`: the statement has a line, and no recharge of ours fits it.
 * - `statement_different`: the line has another amount, or its recharge did not succeed or was never sent. A recharge
 *   under way with its own amount is no difference, because the provider is asked about it anyway.
 */
export type StatementDifference = Readonly<{
  subject: string;
  transactionId: string | null;
  kind: 'statement_ours_only' | 'statement_theirs_only' | 'statement_different';
  detail: object;
}>;

const moneyOf = (row: Prisma.Sql): Prisma.Sql => Prisma.sql`jsonb_build_object(
  'amountMinor', ${row}.amount_minor::text, 'currency', ${row}.currency)`;

const lineDetail = Prisma.sql`jsonb_build_object(
  'line', line.line, 'at', line.at, 'orderId', line.order_id, 'reference', line.reference,
  'direction', line.direction, 'provider', line.provider, 'providerAccount', line.provider_account,
  'money', ${moneyOf(Prisma.sql`line`)})`;

const theirsOnly = (part: ComparedPart): Prisma.Sql => Prisma.sql`
  select 'statement:' || line.id as subject, null::uuid as transaction_id, 'statement_theirs_only' as kind,
    ${lineDetail} as detail, line.at, line.id as place
  from statement_line line
  where ${linesIn(part)}
    and not exists (select from statement_match found where found.line_id = line.id)`;

const different = (part: ComparedPart): Prisma.Sql => Prisma.sql`
  select recharge.id::text, recharge.id, 'statement_different',
    ${lineDetail} || jsonb_build_object('ours', ${moneyOf(Prisma.sql`recharge`)} || jsonb_build_object('state', recharge.state)),
    line.at, line.id
  from statement_line line
  join statement_match found on found.line_id = line.id
  join recharge_transaction recharge on recharge.id = found.transaction_id
  where ${linesIn(part)}
    and (recharge.amount_minor <> line.amount_minor or recharge.currency <> line.currency
      or recharge.state in ('CREATED', 'FAILED', 'CANCELED'))`;

/**
 * A delivery from another account than our own at the provider is in that account's statement.
 *
 * A recharge that was made and succeeded within the period has its line within the period. The line of a recharge that
 * was made before may also be in the statement before. So that recharge counts only if that statement has been read,
 * too.
 */
const oursOnly = (part: ComparedPart): Prisma.Sql => Prisma.sql`
  select recharge.id::text, recharge.id, 'statement_ours_only',
    jsonb_build_object('money', ${moneyOf(Prisma.sql`recharge`)}, 'orderId', recharge.provider_order_id, 'succeededAt', recharge.succeeded_at),
    recharge.succeeded_at, recharge.id
  from recharge_transaction recharge
  where ${rechargesIn(part)}
    and recharge.provider = ${part.provider} and recharge.provider_account = ${part.providerAccount}
    and recharge.succeeded_at >= ${part.from} and recharge.succeeded_at < ${part.to}
    and (recharge.kind in ('collect', 'refund') or recharge.payee ->> 'from' is null)
    and not exists (select from statement_match found where found.transaction_id = recharge.id)
    and (recharge.created_at >= ${part.from} or exists (
      select from reconciliation_run before
      where before.provider = ${part.provider} and before.provider_account = ${part.providerAccount}
        and before.to_at >= ${part.from} and before.from_at <= recharge.created_at and before.status = 'finished'))`;

const kinds = {
  statement_theirs_only: theirsOnly,
  statement_different: different,
  statement_ours_only: oursOnly,
} as const;

/** The differences of one kind in a period, in order of time, `limit` at most. */
export const differencesOf = (
  run: Run,
  kind: StatementDifference['kind'],
  period: Period,
  limit: number,
): Promise<StatementDifference[]> =>
  run<StatementDifference>(Prisma.sql`
    select subject, transaction_id as "transactionId", kind, detail
    from (${kinds[kind](period)}) as difference (subject, transaction_id, kind, detail, at, place)
    order by at, place
    limit ${limit}::int`);

const CASES_MAX = 200;

/**
 * Opens a case for each difference that never had one, so a difference that a person has closed stays closed. It
 * compares part by part, because a statement of a million lines takes longer than one statement of SQL may. Returns the
 * number of new cases.
 */
export async function openCases(
  run: Run,
  period: Period,
  { newId, partMax }: Readonly<{ newId: () => string; partMax?: number }>,
): Promise<number> {
  let opened = 0;
  for (const kind of Object.keys(kinds) as StatementDifference['kind'][])
    for await (const part of partsOf(
      run,
      period,
      kind === 'statement_ours_only' ? 'recharges' : 'lines',
      partMax,
    ))
      opened += await openCasesOf(run, kinds[kind](part), newId);
  return opened;
}

async function openCasesOf(run: Run, differences: Prisma.Sql, newId: () => string): Promise<number> {
  for (let opened = 0; ; ) {
    const ids = Array.from({ length: CASES_MAX }, () => newId());
    const [row] = await run<{ count: number }>(newCases(differences, ids));
    opened += row!.count;
    if (row!.count < CASES_MAX) return opened;
  }
}

const newCases = (differences: Prisma.Sql, ids: readonly string[]): Prisma.Sql => Prisma.sql`
  with
  to_open as materialized (
    select (${ids}::uuid[])[row_number() over ()] as case_id, subject, transaction_id, kind, detail
    from (
      select *
      from (${differences}) as difference (subject, transaction_id, kind, detail, at, place)
      where not exists (
        select from reconciliation_case known
        where known.subject = difference.subject and known.kind = difference.kind)
      limit ${CASES_MAX}::int) fresh),
  ${openedCases}
  select count(*)::int as count
  from to_open`;
