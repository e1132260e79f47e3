import type { Neighbors } from '../../core/money/statement.js';
import { Prisma } from '../../generated/client.js';
import { closedCases } from '../cases/close.js';
import { openedCases } from '../cases/open.js';
import type { Run } from '../database/database.js';
import { columns } from '../database/rows.js';
import type { KeyedLine } from './line-key.js';
import type { Period } from './parts.js';
import type { StatementOf } from './store-lines.js';

export type StoredGap = Readonly<{
  afterLine: string;
  beforeLine: string;
  missingMinor: bigint;
  currency: string;
}>;

const gapColumns = columns({
  afterKey: 'text',
  beforeKey: 'text',
  afterLine: 'text',
  beforeLine: 'text',
  missingMinor: 'bigint',
  currency: 'text',
  at: 'timestamptz',
  caseId: 'uuid',
});

const pairColumns = columns({ afterKey: 'text', beforeKey: 'text', beforeAt: 'timestamptz' });

type Pair = Neighbors<KeyedLine>;

/** Stores the gaps between neighbors of a statement, and closes the older gaps in which they lie. */
export async function storeNeighbors(
  run: Run,
  statement: StatementOf,
  pairs: readonly Pair[],
  newId: () => string,
): Promise<void> {
  if (pairs.length > 0) await run(filledGaps(statement, pairs));
  const gaps = pairs.filter(({ missingMinor }) => missingMinor !== 0n);
  if (gaps.length > 0) await run(newGaps(statement, gaps, newId));
}

/** A subject of cases, of a relation with the columns `after` and `before`. */
const subjectOf = (
  { provider, providerAccount }: StatementOf,
  after: Prisma.Sql,
  before: Prisma.Sql,
): Prisma.Sql =>
  Prisma.sql`concat_ws(':', 'gap', ${provider}::text, ${providerAccount}::text, ${after}, ${before})`;

/**
 * Notes on each gap which of its ends has another neighbor now. If both have one, the gap is filled. What is still
 * missing there is a gap between other lines.
 */
function filledGaps(statement: StatementOf, pairs: readonly Pair[]): Prisma.Sql {
  const { provider, providerAccount } = statement;
  const rows = pairs.map(({ after, before }) => ({
    afterKey: after.key,
    beforeKey: before.key,
    beforeAt: before.at,
  }));
  const isOfAccount = Prisma.sql`gap.provider = ${provider} and gap.provider_account = ${providerAccount}
        and not (gap.after_followed and gap.before_preceded)`;
  return Prisma.sql`
    with
    input as materialized ${pairColumns.from(rows)},
    seen as (
      select gap.after_key, gap.before_key, true as is_followed, false as is_preceded
      from input
      join statement_gap gap on gap.after_key = input."afterKey" and gap.before_key <> input."beforeKey"
        and ${isOfAccount}
      union all
      select gap.after_key, gap.before_key, false, true
      from input
      join statement_gap gap on gap.at = input."beforeAt" and gap.before_key = input."beforeKey"
        and gap.after_key <> input."afterKey" and ${isOfAccount}),
    noted as (
      update statement_gap gap
      set after_followed = gap.after_followed or ends.is_followed,
        before_preceded = gap.before_preceded or ends.is_preceded
      from (
        select after_key, before_key, bool_or(is_followed) as is_followed, bool_or(is_preceded) as is_preceded
        from seen
        group by after_key, before_key) ends
      where gap.provider = ${provider} and gap.provider_account = ${providerAccount}
        and gap.after_key = ends.after_key and gap.before_key = ends.before_key
      returning gap.after_key, gap.before_key, gap.after_followed and gap.before_preceded as is_filled),
    to_close as (
      select ${subjectOf(statement, Prisma.sql`after_key`, Prisma.sql`before_key`)} as subject, 'statement_gap' as kind,
        'a statement has lines between its ends' as resolution
      from noted
      where is_filled),
    ${closedCases}
    select 1`;
}

/** Stores gaps, and opens a case for each that is new. */
function newGaps(statement: StatementOf, gaps: readonly Pair[], newId: () => string): Prisma.Sql {
  const { provider, providerAccount } = statement;
  const rows = gaps.map(({ after, before, missingMinor }) => ({
    afterKey: after.key,
    beforeKey: before.key,
    afterLine: after.line,
    beforeLine: before.line,
    missingMinor,
    currency: before.currency,
    at: before.at,
    caseId: newId(),
  }));
  return Prisma.sql`
    with
    input as ${gapColumns.from(rows)},
    new_gaps as (
      insert into statement_gap (
        provider, provider_account, after_key, before_key, after_line, before_line, missing_minor, currency, at)
      select ${provider}, ${providerAccount}, "afterKey", "beforeKey", "afterLine", "beforeLine", "missingMinor",
        currency, at
      from input
      on conflict do nothing
      returning after_key, before_key),
    to_open as (
      select
        input."caseId" as case_id,
        ${subjectOf(statement, Prisma.sql`input."afterKey"`, Prisma.sql`input."beforeKey"`)} as subject,
        null::uuid as transaction_id,
        'statement_gap' as kind,
        jsonb_build_object('afterLine', "afterLine", 'beforeLine', "beforeLine", 'missing', "missingMinor"::text,
          'currency', currency, 'provider', ${provider}::text, 'providerAccount', ${providerAccount}::text) as detail
      from new_gaps
      join input on input."afterKey" = new_gaps.after_key and input."beforeKey" = new_gaps.before_key),
    ${openedCases}
    select 1`;
}

/** The gaps of a period that no later statement has filled. */
export const gapsOf = (
  run: Run,
  { provider, providerAccount, from, to }: Period,
  limit: number,
): Promise<StoredGap[]> =>
  run<StoredGap>(Prisma.sql`
    select after_line as "afterLine", before_line as "beforeLine", missing_minor as "missingMinor", currency
    from statement_gap
    where provider = ${provider} and provider_account = ${providerAccount} and at >= ${from} and at < ${to}
      and not (after_followed and before_preceded)
    order by at, after_key
    limit ${limit}::int`);
