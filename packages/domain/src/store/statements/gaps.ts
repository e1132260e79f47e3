import type { Gap } from '../../core/statement.js';
import { Prisma } from '../../generated/client.js';
import { openedCases } from '../cases/open.js';
import type { Run } from '../database/database.js';
import { columns } from '../database/rows.js';
import type { Period } from './differences.js';
import type { KeyedLine } from './line-key.js';
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

/** Stores gaps, and opens a case for each that is new. */
export async function storeGaps(
  run: Run,
  { provider, providerAccount }: StatementOf,
  gaps: readonly Gap<KeyedLine>[],
  newId: () => string,
): Promise<void> {
  if (gaps.length === 0) return;
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
  await run(Prisma.sql`
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
        concat_ws(':', 'gap', ${provider}::text, ${providerAccount}::text, input."afterKey", input."beforeKey") as subject,
        null::uuid as transaction_id,
        'statement_gap' as kind,
        jsonb_build_object('afterLine', "afterLine", 'beforeLine', "beforeLine", 'missing', "missingMinor"::text,
          'currency', currency, 'provider', ${provider}::text, 'providerAccount', ${providerAccount}::text) as detail
      from new_gaps
      join input on input."afterKey" = new_gaps.after_key and input."beforeKey" = new_gaps.before_key),
    ${openedCases}
    select 1`);
}

export const gapsOf = (
  run: Run,
  { provider, providerAccount, from, to }: Period,
  limit: number,
): Promise<StoredGap[]> =>
  run<StoredGap>(Prisma.sql`
    select after_line as "afterLine", before_line as "beforeLine", missing_minor as "missingMinor", currency
    from statement_gap
    where provider = ${provider} and provider_account = ${providerAccount} and at >= ${from} and at < ${to}
    order by at, after_key
    limit ${limit}::int`);
