-- Creates :count recharges of one client and 10,000 accounts, with all related rows. Half of the recharges go to one
-- wallet. Of the older half, one in 97 failed. The newest 200 are not final. The newest ones are the lines of plan 0. The
-- triggers are off: they would check every row, and these rows are known to be correct.
set session_replication_role = replica;
set synchronous_commit = off;
-- The id of a thing of some kind by its number. The newest has the number 0.
create function pg_temp.number_id(kind text, n bigint) returns uuid language sql immutable
  as $$ select (left(md5(kind), 8) || '-0000-7000-8000-' || lpad(to_hex(1000000000 - n), 12, '0'))::uuid $$;
create temp table made as
  select n, at,
    (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid as id,
    'acct-' || (n * 7919::bigint % 10000) as account_id,
    case when n > :count - 200 then 'PENDING_CONFIRMATION' when n % 97 = 0 and n < :count / 2 then 'FAILED'
      else 'SUCCEEDED' end as state
  from (select n, now() - (:count - n) * interval '1 second' as at from generate_series(1, :count) n) row;
insert into recharge_transaction (id, client_id, account_id, kind, state, confirmation, amount_minor, currency,
    payment_method, provider, provider_order_id, order_reference, next_step, due_at, attempt, created_at, succeeded_at)
  select id, ':client', account_id, 'collect', state, 'acknowledged', 100, 'USD', 'sandbox', 'sandbox', 'sbx_' || id,
    case when n % 2 = 0 then 'ref-' || n end, case when n > :count - 200 then 'ask' end,
    case when n > :count - 200 then now() + interval '1 day' end, 1, at, case when state = 'SUCCEEDED' then at end
  from made order by n;
insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, correlation_id, received_at)
  select id, ':client',
    case when n > :count - 10000 then 'plan ' || pg_temp.number_id('plan', 0) || ' ' || n - :count + 10000 else id::text end,
    'f', '{}', id::text, at
  from made order by n;
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
-- A case of each tenth recharge. The newest are open.
insert into reconciliation_case (id, transaction_id, client_id, account_id, subject, kind, amount_minor, currency, detail,
    opened_at, closed_at, resolution)
  select id, id, ':client', account_id, id::text, case when n % 1000 = 0 then 'other_account' else 'wrong_amount' end,
    100, 'USD', '{}', at, case when n <= :count - 2000 then at end, case when n <= :count - 2000 then 'settled' end
  from made where n % 10 = 0 order by n;
insert into case_desk (case_id, assignee) select id, 'ada' from reconciliation_case where closed_at is null limit 20;
insert into operator_action (id, transaction_id, case_id, actor, role, verb, subject, reason, at)
  select id, id, id, 'ada', 'operator', 'dismiss', id::text, 'nothing to do', at
  from made where n % 10 = 0 and n <= :count - 2000 order by n;
-- The events of every second recharge, to one endpoint.
insert into callback_endpoint (id, client_id, url, accounts, secret_sealed)
  values (pg_temp.number_id('endpoint', 0), ':client', 'https://shop.example/', '{%}', '');
insert into callback_event (id, client_id, subject, transaction_id, type, version, snapshot, at)
  select id, ':client', id, id, 'recharge.succeeded', 3, '{}', at from made where n % 2 = 0 order by n;
insert into callback_delivery (id, event_id, seq, client_id, endpoint_id, lane, subject, transaction_id, account_id, type,
    url, status, tries, attempts, due_at, created_at)
  select id, id, n, ':client', pg_temp.number_id('endpoint', 0), pg_temp.number_id('endpoint', 0), id, id, account_id,
    'recharge.succeeded', 'https://shop.example/',
    case when n > :count - 200 then 'pending' when n % 97 = 0 and n < :count / 2 then 'failed' else 'delivered' end, 1,
    '[{"at": "2026-01-01T00:00:00Z", "httpStatus": 200, "error": null, "durationMs": 5}]',
    case when n > :count - 200 then now() + interval '1 day' end, at
  from made where n % 2 = 0 order by n;
-- Ten rules per account. Half of all looks are those of rule 0, which made five recharges on each of the last days.
insert into recharge_rule (id, client_id, key_id, account_id, currency, watch, below_minor, terms, recharge, status,
    paused_because, decisions, due_at, created_at, updated_at)
  select pg_temp.number_id('rule', n), ':client', ':key', 'acct-' || n % 10000, 'USD', 'wallet', 1000,
    '{"belowMinor": "1000", "recharge": {"upToMinor": "5000"}, "mode": "execute", "timeZone": "UTC", "quietHours": null,
      "caps": {"perRechargeMinor": "5000", "perDayMinor": "20000", "perMonthMinor": "100000", "timesPerDay": null},
      "cooldownSeconds": 0, "runwayDays": null, "expiresAt": null, "dormantAfterDays": null}',
    '{"kind": "collect", "funding": "wallet", "paymentMethod": "sandbox", "destination": "wallet", "metadata": {}}',
    case when n % 97 = 0 then 'paused' else 'active' end, case when n % 97 = 0 then 'BURST' end,
    case when n = 0 then :count / 4 else 2 end, case when n % 97 <> 0 then now() + interval '1 day' end, now(), now()
  from generate_series(0, :count / 10 - 1) n;
insert into rule_consent (rule_id, terms_version, terms_hash, terms, actor)
  select id, 1, 'h', terms, 'shop' from recharge_rule;
insert into rule_decision (rule_id, seq, at, balance_minor, decided, because, numbers)
  select pg_temp.number_id('rule', 0), n, now() - (:count / 4 - n) * interval '4 seconds', 2000, 'nothing', 'ENOUGH', '{}'
  from generate_series(1, :count / 4) n;
insert into rule_decision (rule_id, seq, at, balance_minor, decided, because, numbers)
  select pg_temp.number_id('rule', n), look, now() - interval '1 day', 2000, 'nothing', 'ENOUGH', '{}'
  from generate_series(1, :count / 10 - 1) n, generate_series(1, 2) look;
update rule_decision
  set decided = 'recharge', because = 'BELOW_THRESHOLD', amount_minor = 100, transaction_id = made.id
  from made
  where rule_id = pg_temp.number_id('rule', 0) and seq % 4320 = 0 and made.n = seq;
-- Plans: the newest 50 have 10,000 lines each. All lines of plan 0 have a recharge.
insert into recharge_plan (id, client_id, name, fingerprint, status, currency, lines, total_minor, correlation_id,
    created_by, started_by, next_place, settled_places, created_at, started_at, finished_at)
  select pg_temp.number_id('plan', n), ':client', 'plan ' || n, 'f', 'finished', 'USD', case when n < 50 then 10000 else 1 end,
    100, 'c', ':key', ':key', 10001, 10000, now(), now(), now()
  from generate_series(0, :count / 100 - 1) n;
insert into recharge_plan_line (plan_id, place, line, account_id, amount_minor, payment_method)
  select pg_temp.number_id('plan', n), place, place, 'acct-' || place, 100, 'sandbox'
  from generate_series(0, 49) n, generate_series(1, 10000) place;
-- A comparison per ten seconds, and a line for each tenth recharge. One in 970 has another amount.
insert into reconciliation_run (id, provider, provider_account, from_at, to_at, status, source, asked_by, created_at,
    finished_at, due_at, found)
  select id, 'sandbox', 'main', at - interval '1 day', at, 'finished', 'file', 'operator', at, at, null,
    '{"matched": 8640, "outside": 0, "oursOnly": [], "theirsOnly": [], "different": [], "gaps": []}'
  from made where n % 10 = 0 order by n;
insert into statement_line (id, provider, provider_account, line_key, line, at, order_id, direction, amount_minor, currency)
  select id, 'sandbox', 'main', id::text, n::text, at, 'sbx_' || id, 'in', case when n % 97 = 0 then 99 else 100 end, 'USD'
  from made where n % 10 = 0 order by n;
insert into statement_match (line_id, transaction_id, by) select id, id, 'order_id' from made where n % 10 = 0 order by n;
analyze;
