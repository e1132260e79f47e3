import { type Books, CLIENT, OTHER_CLIENT, openBooks } from './books.js';

/** The time of the newest recharge of `openManyRows`. There is one recharge per second before it. */
export const NEWEST_AT = new Date('2026-11-01T00:00:00Z');
export const QUIET_CLIENT = OTHER_CLIENT;
/** Half of all settlements credit this account, in two currencies. */
export const BUSY_ACCOUNT = 'acct-busy';

/**
 * Books of one client with `count` recharges of 10,000 accounts, with their rows in all tables. Some thousand of the
 * older half have failed, the newest 200 are not final, and none is canceled. Another client has ten old recharges. The
 * rows are written without triggers and foreign keys, which would take ten times as long.
 */
export async function openManyRows(count: number): Promise<Books> {
  const books = await openBooks();
  const sql = `
    set session_replication_role = replica;
    create temp table made as
      select n, (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid as id,
        case when n <= 10 then '${QUIET_CLIENT}' else '${CLIENT}' end::uuid as client_id,
        'acct-' || (n * 7919 % 10000) as account_id, at,
        case when n > ${count - 200} then 'PENDING_CONFIRMATION' when n % 97 = 0 and n < ${count / 2} then 'FAILED'
          else 'SUCCEEDED' end as state
      from (select n, '${NEWEST_AT.toISOString()}'::timestamptz - (${count} - n) * interval '1 second' as at
        from generate_series(1, ${count}) n) row;
    insert into recharge_transaction (id, client_id, account_id, kind, state, confirmation, amount_minor, currency,
        payment_method, provider, provider_order_id, order_reference, next_step, due_at, attempt, created_at, submitted_at)
      select id, client_id, account_id, 'collect', state, 'acknowledged', 100, 'USD', 'sandbox', 'sandbox', 'sbx_' || id,
        case when n % 2 = 0 then 'ref-' || n when n % 5 = 0 then 'monthly' end,
        case when n > ${count - 200} then 'ask' end, case when n > ${count - 200} then now() end, 1, at, at
      from made order by n;
    insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, correlation_id, received_at)
      select id, client_id, id::text, 'f', '{}', id::text, at from made order by n;
    insert into ledger_journal (id, transaction_id, slot, at) select id, id, 'collect', at from made where state = 'SUCCEEDED' order by n;
    insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency,
        credit_balance_minor, at)
      select id, id, 'provider:sandbox:clearing',
        'wallet:' || case when n % 2 = 0 then '${BUSY_ACCOUNT}' else account_id end || ':available', 100,
        case when n % 3 = 0 then 'EUR' else 'USD' end, 100, at
      from made where state = 'SUCCEEDED' order by n;
    insert into ledger_account (name, currency, balance_minor)
      select credit_account, currency, sum(amount_minor) from ledger_entry group by 1, 2;
    insert into ledger_account (name, currency) values ('provider:sandbox:clearing', 'USD'), ('provider:sandbox:clearing', 'EUR');
    drop table made;
    reset session_replication_role`;
  await books.rows(sql);
  await books.rows('vacuum analyze');
  return books;
}

/** Who has some of the cases of `addManyCases`, all of them among the older half. */
export const BUSY_PERSON = 'ada';

/**
 * Adds `count` open cases, one per second. One in 500 of the older half is of kind `late_money`.
 * One in three has a due time on the desk.
 */
export async function addManyCases(books: Books, count: number): Promise<void> {
  await books.rows(`
    set session_replication_role = replica;
    create temp table made as
      select n, at, (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid as id
      from (select n, '${NEWEST_AT.toISOString()}'::timestamptz - (${count} - n) * interval '1 second' as at
        from generate_series(1, ${count}) n) row;
    insert into reconciliation_case (id, kind, subject, detail, opened_at, amount_minor, currency, account_id, client_id)
      select id, case when n % 500 = 0 and n < ${count / 2} then 'late_money' else 'unknown_order' end, 'order-' || n, '{}', at,
        100, 'USD', 'acct-' || n % 100, case when n <= 10 then '${QUIET_CLIENT}' else '${CLIENT}' end::uuid
      from made order by n;
    insert into case_desk (case_id, assignee, due_at)
      select id, case when n % 501 = 0 and n < ${count / 2} then '${BUSY_PERSON}' end, at + interval '10 days'
      from made where n % 3 = 0 order by n;
    drop table made;
    reset session_replication_role`);
  await books.rows('vacuum analyze reconciliation_case, case_desk');
}
