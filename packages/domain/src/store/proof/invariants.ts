/** Each query returns the offending things as text. The names are stable: alerts and run books refer to them. */
export const invariants: Record<string, { meaning: string; sql: string }> = {
  one_transaction_a_key: {
    meaning: 'a client and an idempotency key stand for one transaction',
    sql: `select client_id || ' ' || idempotency_key as broken from recharge_request
      group by client_id, idempotency_key having count(*) > 1`,
  },
  request_and_transaction: {
    meaning: 'every request has its transaction and every transaction its request',
    sql: `select coalesce(q.transaction_id, t.id)::text as broken from recharge_request q
      full join recharge_transaction t on t.id = q.transaction_id
      where q.transaction_id is null or t.id is null`,
  },
  known_client: {
    meaning: 'every recharge belongs to a client that exists',
    sql: `select t.id::text as broken from recharge_transaction t
      where not exists (select from client c where c.id = t.client_id)`,
  },
  same_client: {
    meaning: 'a request and its transaction are of one client',
    sql: `select t.id::text as broken from recharge_transaction t
      join recharge_request q on q.transaction_id = t.id where q.client_id <> t.client_id`,
  },
  books_close: {
    meaning: 'a wallet holds what its entries say: credits less debits',
    sql: `select a.name || ' ' || a.currency || ': ' || coalesce(a.balance_minor, 0) || ' kept, '
        || coalesce(s.sum, 0) || ' entered' as broken
      from (select name, currency, balance_minor from ledger_account where name like 'wallet:%') a
      full join (
        select account, currency, sum(delta) from (
          select credit_account as account, currency, amount_minor as delta from ledger_entry
          union all select debit_account, currency, -amount_minor from ledger_entry) side
        where account like 'wallet:%' group by 1, 2) s
      on s.account = a.name and s.currency = a.currency
      where coalesce(a.balance_minor, 0) <> coalesce(s.sum, 0)`,
  },
  known_accounts: {
    meaning: 'every side of every entry is an account of the chart',
    sql: `select distinct account as broken from (
        select debit_account as account, currency from ledger_entry
        union select credit_account, currency from ledger_entry) side
      where not exists (select from ledger_account a where a.name = side.account and a.currency = side.currency)`,
  },
  nothing_below_zero: {
    meaning: 'no wallet is overdrawn',
    sql: `select name || ' ' || currency as broken from ledger_account where balance_minor < 0`,
  },
  effect_matches_state: {
    meaning: 'a recharge has its one settlement exactly when it succeeded, of its own amount',
    sql: `select t.id::text as broken from recharge_transaction t
      left join lateral (
        select count(*) as n, sum(e.amount_minor) as amount, min(e.currency) as currency from ledger_journal j
        join ledger_entry e on e.journal_id = j.id
        where j.transaction_id = t.id and j.slot in ('collect', 'settle')) s on true
      where s.n <> (t.state = 'SUCCEEDED')::int
        or (t.state = 'SUCCEEDED' and (s.amount <> t.amount_minor or s.currency <> t.currency))`,
  },
  own_accounts: {
    meaning: 'money of a recharge moves in its own amount between its own wallet and its own provider',
    sql: `select t.id || ' ' || j.slot || ': ' || e.debit_account || ' to ' || e.credit_account as broken
      from ledger_entry e
      join ledger_journal j on j.id = e.journal_id
      join recharge_transaction t on t.id = j.transaction_id
      cross join lateral (
        select 'wallet:' || t.account_id || ':available' as available, 'wallet:' || t.account_id || ':frozen' as frozen,
          'provider:' || t.provider || ':clearing' as clearing, 'suspense:' || t.provider as suspense) own
      where e.transaction_id <> t.id
        or case t.kind || ' ' || j.slot
          when 'collect collect' then (e.debit_account, e.credit_account) <> (own.clearing, own.available)
          when 'deliver hold' then (e.debit_account, e.credit_account) <> (own.available, own.frozen)
          when 'deliver settle' then (e.debit_account, e.credit_account) <> (own.frozen, own.clearing)
          when 'deliver reverse' then (e.debit_account, e.credit_account) <> (own.frozen, own.available)
          when 'collect suspense' then (e.debit_account, e.credit_account) <> (own.clearing, own.suspense)
          when 'deliver suspense' then (e.debit_account, e.credit_account) <> (own.suspense, own.clearing)
          else true end
        or (j.slot <> 'suspense' and (e.amount_minor, e.currency) <> (t.amount_minor, t.currency))`,
  },
  running_balances: {
    meaning: 'the balance that an entry leaves a wallet with is the sum of the entries up to it',
    sql: `select account || ' ' || currency || ' #' || id as broken from (
        select id, account, currency, kept, sum(delta) over (partition by account, currency order by id) as sum
        from (
          select id, credit_account as account, currency, amount_minor as delta, credit_balance_minor as kept
          from ledger_entry
          union all select id, debit_account, currency, -amount_minor, debit_balance_minor from ledger_entry) side
        where account like 'wallet:%') entry
      where kept is distinct from sum`,
  },
  suspense_has_case: {
    meaning: 'money in suspense has a case that says why',
    sql: `select distinct j.transaction_id::text as broken from ledger_journal j
      where j.slot = 'suspense'
        and not exists (select from reconciliation_case c where c.transaction_id = j.transaction_id)`,
  },
  hold_given_back: {
    meaning: 'a delivery that failed or was canceled got its hold reversed',
    sql: `select t.id::text as broken from recharge_transaction t
      where t.kind = 'deliver' and t.state in ('FAILED', 'CANCELED')
        and not exists (select from ledger_journal j where j.transaction_id = t.id and j.slot = 'reverse')`,
  },
  frozen_is_unfinished: {
    meaning: 'frozen money is the money of unfinished deliveries',
    sql: `select coalesce(f.name, u.name) || ' ' || coalesce(f.currency, u.currency) as broken
      from (select name, currency, balance_minor from ledger_account where name like 'wallet:%:frozen') f
      full join (
        select 'wallet:' || account_id || ':frozen' as name, currency, sum(amount_minor) as amount
        from recharge_transaction where kind = 'deliver' and due_at is not null group by 1, 2) u
      on u.name = f.name and u.currency = f.currency
      where coalesce(f.balance_minor, 0) <> coalesce(u.amount, 0)`,
  },
  legal_chain: {
    meaning: 'transitions have no gap, each begins where the last ended, and every move is legal',
    sql: `select transaction_id || ' #' || seq as broken from (
        select transaction_id, seq, verdict, from_state, to_state,
          lag(seq, 1, 0) over chain as last_seq, lag(to_state, 1, 'CREATED') over chain as last_state
        from transition window chain as (partition by transaction_id order by seq)) t
      where seq <> last_seq + 1 or from_state <> last_state
        or (verdict = 'moved' and not is_legal_move(from_state, to_state) and from_state <> to_state)`,
  },
  state_is_last_transition: {
    meaning: 'the state is the one that the last transition led to',
    sql: `select t.id::text as broken from recharge_transaction t
      left join transition x on x.transaction_id = t.id and x.seq = t.seq
      where coalesce(x.to_state, 'CREATED') <> t.state`,
  },
  nothing_forgotten: {
    meaning: 'every unfinished recharge and every unprocessed event has a due time',
    sql: `select id::text as broken from recharge_transaction
        where due_at is null and state not in ('SUCCEEDED', 'FAILED', 'CANCELED')
      union all select id::text from webhook_event where processed_at is null and due_at is null`,
  },
  submitted_has_attempt: {
    meaning: 'what was submitted was attempted, and what was attempted was submitted',
    sql: `select t.id::text as broken from recharge_transaction t
      where (t.submitted_at is not null) <> (t.attempt > 0)
        or (t.attempt = 0 and t.state not in ('CREATED', 'CANCELED'))`,
  },
  intent_before_effect: {
    meaning: 'every attempt has its provider call on record, and no other call is there',
    sql: `select t.id::text as broken from recharge_transaction t
      where t.attempt <> (select count(distinct c.attempt) from provider_call c
        where c.transaction_id = t.id and c.operation = 'submit')`,
  },
  conflict_has_case: {
    meaning: 'every conflict that was filed has a case, open or closed',
    sql: `select distinct x.transaction_id::text as broken from transition x
      where x.verdict = 'conflict'
        and not exists (select from reconciliation_case c where c.transaction_id = x.transaction_id)`,
  },
};
