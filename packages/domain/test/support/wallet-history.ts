import { type Books, CLIENT } from './books.js';

type History = Readonly<{
  accountId: string;
  count: number;
  /** The time of the first entry. */
  from: Date;
  everyMs: number;
  currency?: string;
}>;

/**
 * Writes entries of a wallet at chosen times: two come in with 10 minor units each, then one of 5 is held, and so on.
 * The rows are written without triggers and foreign keys, which would take ten times as long.
 */
export async function writeHistory(books: Books, history: History): Promise<void> {
  const { accountId, count, from, everyMs, currency = 'USD' } = history;
  const name = `wallet:${accountId}`;
  await books.rows(`
    begin;
    set local session_replication_role = replica;
    create temp table made on commit drop as
      select n, gen_random_uuid() as id, n % 3 = 0 as is_out,
        '${from.toISOString()}'::timestamptz + (n - 1) * ${everyMs}::float8 * interval '1 ms' as at,
        (n - n / 3) * 10 - n / 3 * 5 as balance
      from generate_series(1, ${count}) n;
    insert into recharge_transaction (id, client_id, account_id, kind, funding, state, amount_minor, currency,
        payment_method, provider, next_step, due_at, created_at)
      select id, '${CLIENT}', '${accountId}', case when is_out then 'deliver' else 'collect' end, 'wallet', 'SUCCEEDED',
        case when is_out then 5 else 10 end, '${currency}', 'sandbox', 'sandbox', null, null, at
      from made order by n;
    insert into ledger_journal (id, transaction_id, slot, at)
      select id, id, case when is_out then 'hold' else 'collect' end, at from made order by n;
    insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency,
        debit_balance_minor, credit_balance_minor, at)
      select id, id, case when is_out then '${name}:available' else 'provider:sandbox:clearing' end,
        case when is_out then '${name}:frozen' else '${name}:available' end,
        case when is_out then 5 else 10 end, '${currency}',
        case when is_out then balance end, case when is_out then n / 3 * 5 else balance end, at
      from made order by n;
    insert into ledger_account (name, currency, balance_minor, last_entry_at)
      select '${name}:available', '${currency}', balance, at from made order by n desc limit 1;
    commit`);
}
