import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import type { StatementOf } from './store-lines.js';

export type StatementLevel = StatementOf &
  Readonly<{
    /** Differences and gaps whose cases are open. */
    openDifferences: number;
    /** The age of the last finished run. Null: none has finished. */
    lastFinishedSeconds: number | null;
  }>;

/** Per provider account with a run of the last month: what is open, and when its last run finished. */
export const statementLevels = (run: Run): Promise<StatementLevel[]> =>
  run<StatementLevel>(Prisma.sql`
    with
    accounts as (
      select provider, provider_account, max(finished_at) filter (where status = 'finished') as finished_at
      from reconciliation_run
      where id >= uuid_from(now() - interval '30 days')
      group by provider, provider_account),
    open_cases as (
      select
        coalesce(recharge.provider, some_case.detail ->> 'provider') as provider,
        coalesce(recharge.provider_account, some_case.detail ->> 'providerAccount') as provider_account,
        count(*)::int as count
      from reconciliation_case some_case
      left join recharge_transaction recharge on recharge.id = some_case.transaction_id
      where some_case.closed_at is null and some_case.kind = any(${kinds}::text[])
      group by 1, 2)
    select accounts.provider, accounts.provider_account as "providerAccount",
      coalesce(open_cases.count, 0) as "openDifferences",
      extract(epoch from now() - accounts.finished_at)::float8 as "lastFinishedSeconds"
    from accounts
    left join open_cases using (provider, provider_account)`);

const kinds = ['statement_ours_only', 'statement_theirs_only', 'statement_different', 'statement_gap'];
