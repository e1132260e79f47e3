-- Creates :count recharges of one client and 10,000 accounts, with all related rows. Half of the recharges go to one
-- wallet. Of the older half, one in 97 failed. The newest 200 are not final. The triggers are off: they would check every
-- row, and these rows are known to be correct.
set session_replication_role = replica;
set synchronous_commit = off;
create temp table made as
  select n, at,
    (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid as id,
    'acct-' || (n * 7919::bigint % 10000) as account_id,
    case when n > :count - 200 then 'PENDING_CONFIRMATION' when n % 97 = 0 and n < :count / 2 then 'FAILED'
      else 'SUCCEEDED' end as state
  from (select n, now() - (:count - n) * interval '1 second' as at from generate_series(1, :count) n) row;
insert into recharge_transaction (id, client_id, account_id, kind, state, confirmation, amount_minor, currency,
    payment_method, provider, provider_order_id, order_reference, next_step, due_at, attempt, created_at)
  select id, ':client', account_id, 'collect', state, 'acknowledged', 100, 'USD', 'sandbox', 'sandbox', 'sbx_' || id,
    case when n % 2 = 0 then 'ref-' || n end, case when n > :count - 200 then 'ask' end,
    case when n > :count - 200 then now() + interval '1 day' end, 1, at
  from made order by n;
insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, correlation_id, received_at)
  select id, ':client', id::text, 'f', '{}', id::text, at from made order by n;
insert into ledger_journal (id, transaction_id, slot, at)
  select id, id, 'collect', at from made where state = 'SUCCEEDED' order by n;
insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency,
    credit_balance_minor, at)
  select id, id, 'provider:sandbox:clearing',
    'wallet:' || case when n % 2 = 0 then 'acct-busy' else account_id end || ':available', 100,
    case when n % 3 = 0 then 'EUR' else 'USD' end, 100, at
  from made where state = 'SUCCEEDED' order by n;
insert into ledger_account (name, currency, balance_minor)
  select credit_account, currency, sum(amount_minor) from ledger_entry group by 1, 2;
insert into audit_call (id, at, ip, client_id, key_id, method, route, params, account_id, status, duration_ms, correlation_id)
  select id, at, '10.0.0.7', ':client', ':key', 'POST', '/v1/recharges', '{}', account_id,
    case when n % 97 = 0 and n < :count / 2 then 403 else 202 end, 1, id::text
  from made where at > now() - interval '25 days' order by n;
analyze;
