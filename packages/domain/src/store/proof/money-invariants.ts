export type Invariant = Readonly<{ meaning: string; sql: string }>;

/** What holds of the ledger, and of the recharges, cases and refunds whose money it has. */
export const moneyInvariants: Readonly<Record<string, Invariant>> = {
  books_close: {
    meaning: 'the balance of a wallet is the credits less the debits of its entries',
    sql: `select wallet.name || ' ' || wallet.currency || ': ' || coalesce(wallet.balance_minor, 0) || ' kept, '
        || coalesce(entered.sum, 0) || ' entered' as broken
      from (select name, currency, balance_minor from ledger_account where name like 'wallet:%') wallet
      full join (
        select account, currency, sum(delta) from (
          select credit_account as account, currency, amount_minor as delta from ledger_entry
          union all select debit_account, currency, -amount_minor from ledger_entry) side
        where account like 'wallet:%' group by 1, 2) entered
      on entered.account = wallet.name and entered.currency = wallet.currency
      where coalesce(wallet.balance_minor, 0) <> coalesce(entered.sum, 0)`,
  },
  known_accounts: {
    meaning: 'every side of every entry is an account of the chart',
    sql: `select distinct account as broken from (
        select debit_account as account, currency from ledger_entry
        union select credit_account, currency from ledger_entry) side
      where not exists (
        select from ledger_account chart where chart.name = side.account and chart.currency = side.currency)`,
  },
  snapshots_add_up: {
    meaning: 'the snapshot of a balance is the credits less the debits of all entries up to it',
    sql: `with newest as (
        select distinct on (account, currency) account, currency, entry_id, balance from ledger_snapshot
        order by account, currency, entry_id desc)
      select snapshot.account || ' ' || snapshot.currency || ': ' || snapshot.balance || ' kept, '
        || coalesce(entered.sum, 0) || ' entered' as broken
      from newest snapshot
      left join (
        select newest.account, newest.currency, sum(side.delta)
        from ledger_entry entry
        cross join lateral (values (entry.debit_account, -entry.amount_minor), (entry.credit_account, entry.amount_minor))
          as side(account, delta)
        join newest on newest.account = side.account and newest.currency = entry.currency
          and entry.id <= newest.entry_id
        group by 1, 2) entered
      on entered.account = snapshot.account and entered.currency = snapshot.currency
      where snapshot.balance <> coalesce(entered.sum, 0)`,
  },
  nothing_below_zero: {
    meaning: 'no wallet is overdrawn',
    sql: `select name || ' ' || currency as broken from ledger_account where balance_minor < 0`,
  },
  effect_matches_state: {
    meaning: 'a recharge has one settlement of its own amount exactly if it succeeded',
    sql: `select recharge.id::text as broken from recharge_transaction recharge
      left join lateral (
        select count(*) as count, sum(entry.amount_minor) as amount, min(entry.currency) as currency
        from ledger_journal journal
        join ledger_entry entry on entry.journal_id = journal.id
        where journal.transaction_id = recharge.id and journal.slot in ('collect', 'settle', 'adopt')) settled on true
      where settled.count <> (recharge.state = 'SUCCEEDED')::int
        or (recharge.state = 'SUCCEEDED'
          and (settled.amount <> recharge.amount_minor or settled.currency <> recharge.currency))`,
  },
  own_accounts: {
    meaning:
      'money of a recharge moves in its own amount between its provider and what it is paid from: its wallet, the house or suspense',
    sql: `select coalesce(recharge.id, entry.transaction_id) || ' ' || coalesce(journal.slot, 'without a journal') || ': '
        || entry.debit_account || ' to ' || entry.credit_account as broken
      from ledger_entry entry
      left join ledger_journal journal on journal.id = entry.journal_id
      left join recharge_transaction recharge on recharge.id = journal.transaction_id
      cross join lateral (
        select
          'wallet:' || recharge.account_id || ':available' as available,
          'wallet:' || recharge.account_id || ':frozen' as frozen,
          'house:' || recharge.provider_account as house,
          'provider:' || recharge.provider || ':clearing' as clearing,
          'suspense:' || recharge.provider as suspense,
          case case when recharge.funding = 'suspense' then (
              select original.funding from recharge_transaction original where original.id = recharge.refund_of)
              else recharge.funding end
            when 'house' then 'house:' || recharge.provider_account
            else 'wallet:' || recharge.account_id || ':available' end as owner,
          recharge.kind in ('collect', 'recall') as is_in) own
      where entry.transaction_id <> recharge.id
        or not coalesce(case (case when recharge.kind in ('collect', 'recall') then 'in ' else 'out ' end)
            || recharge.funding || ' ' || regexp_replace(journal.slot, '_[0-9]+$', '')
          when 'in wallet collect' then (entry.debit_account, entry.credit_account) = (own.clearing, own.available)
          when 'in house collect' then (entry.debit_account, entry.credit_account) = (own.clearing, own.house)
          when 'in suspense collect' then (entry.debit_account, entry.credit_account) = (own.clearing, own.suspense)
          when 'out wallet hold' then (entry.debit_account, entry.credit_account) = (own.available, own.frozen)
          when 'out wallet settle' then (entry.debit_account, entry.credit_account) = (own.frozen, own.clearing)
          when 'out wallet reverse' then (entry.debit_account, entry.credit_account) = (own.frozen, own.available)
          when 'out house settle' then (entry.debit_account, entry.credit_account) = (own.house, own.clearing)
          when 'out suspense settle' then (entry.debit_account, entry.credit_account) = (own.suspense, own.clearing)
        end, case regexp_replace(journal.slot, '_[0-9]+$', '')
          when 'suspense' then array[entry.debit_account, entry.credit_account]
            = case when own.is_in then array[own.clearing, own.suspense] else array[own.suspense, own.clearing] end
          when 'adopt' then array[entry.debit_account, entry.credit_account]
            = case when own.is_in then array[own.suspense, own.owner] else array[own.owner, own.suspense] end
          when 'credit' then array[entry.debit_account, entry.credit_account]
            = case when own.is_in then array[own.suspense, own.owner] else array[own.owner, own.suspense] end
        end, false)
        or (journal.slot !~ '^(suspense|credit)'
          and (entry.amount_minor, entry.currency) <> (recharge.amount_minor, recharge.currency))`,
  },
  running_balances: {
    meaning: 'the balance at an entry is the sum of the entries of its wallet up to it',
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
    meaning: 'money in suspense has a case',
    sql: `select distinct journal.transaction_id::text as broken from ledger_journal journal
      where journal.slot like 'suspense%'
        and not exists (
          select from reconciliation_case some_case where some_case.transaction_id = journal.transaction_id)`,
  },
  suspense_is_decided: {
    meaning:
      'the money in suspense is the money of open cases, and of refunds that return money and are unfinished',
    sql: `select coalesce(booked.id, known.id) || ' ' || coalesce(booked.currency, known.currency) || ': '
        || coalesce(booked.amount, 0) || ' booked, ' || coalesce(known.amount, 0) || ' known' as broken
      from (
        select coalesce(recharge.refund_of, recharge.id) as id, entry.currency, sum(
            case when entry.credit_account = own.suspense then 1 else -1 end * entry.amount_minor) as amount
        from ledger_entry entry
        join recharge_transaction recharge on recharge.id = entry.transaction_id
        cross join lateral (select 'suspense:' || recharge.provider as suspense) own
        where own.suspense in (entry.debit_account, entry.credit_account)
        group by 1, 2) booked
      full join (
        select id, currency, sum(amount) as amount
        from (
          select coalesce(recharge.refund_of, recharge.id) as id, held.currency,
            case when recharge.kind in ('collect', 'recall') then 1 else -1 end * held."amountMinor" as amount
          from reconciliation_case some_case
          join recharge_transaction recharge on recharge.id = some_case.transaction_id
          cross join jsonb_to_recordset(some_case.suspended) as held("amountMinor" bigint, currency text)
          where some_case.closed_at is null
          union all
          select refund.refund_of, refund.currency,
            case refund.kind when 'refund' then 1 else -1 end * refund.amount_minor
          from recharge_transaction refund
          where refund.funding = 'suspense' and refund.due_at is not null) held
        group by 1, 2) known
      on known.id = booked.id and known.currency = booked.currency
      where coalesce(booked.amount, 0) <> coalesce(known.amount, 0)`,
  },
  hold_given_back: {
    meaning: 'a failed or canceled recharge that the wallet pays has its hold reversed',
    sql: `select recharge.id::text as broken from recharge_transaction recharge
      where recharge.kind in ('deliver', 'refund') and recharge.funding = 'wallet' and recharge.state in ('FAILED', 'CANCELED')
        and not exists (
          select from ledger_journal journal
          where journal.transaction_id = recharge.id and journal.slot = 'reverse')`,
  },
  refunds_within_original: {
    meaning:
      'the refunds that were asked for of a recharge that succeeded never exceed it, and are of its currency',
    sql: `select original.id::text as broken from recharge_transaction original
      join recharge_transaction refund on refund.refund_of = original.id
        and refund.state not in ('FAILED', 'CANCELED')
        -- Money that is paid back out of suspense never was the recharge's. Money that a person adopted had moved already.
        and refund.funding <> 'suspense'
        and not exists (
          select from ledger_journal journal where journal.transaction_id = refund.id and journal.slot = 'adopt')
      group by original.id
      having original.state <> 'SUCCEEDED' or original.kind not in ('collect', 'deliver')
        or sum(refund.amount_minor) > original.amount_minor
        or bool_or(refund.currency <> original.currency)`,
  },
  frozen_is_unfinished: {
    meaning: 'frozen money is the money of unfinished deliveries and refunds',
    sql: `select coalesce(frozen.name, unfinished.name) || ' ' || coalesce(frozen.currency, unfinished.currency) as broken
      from (select name, currency, balance_minor from ledger_account where name like 'wallet:%:frozen') frozen
      full join (
        select 'wallet:' || account_id || ':frozen' as name, currency, sum(amount_minor) as amount
        from recharge_transaction
        where kind in ('deliver', 'refund') and funding = 'wallet' and due_at is not null group by 1, 2) unfinished
      on unfinished.name = frozen.name and unfinished.currency = frozen.currency
      where coalesce(frozen.balance_minor, 0) <> coalesce(unfinished.amount, 0)`,
  },
  collected_is_delivered: {
    meaning:
      'a collect with a payee has its delivery, of the same money to the same payee, exactly if it succeeded by itself',
    sql: `select coalesce(collect.id, delivery.collected_by)::text as broken
      from (
        select * from recharge_transaction some_collect
        where kind = 'collect' and payee is not null and state = 'SUCCEEDED'
          -- The money of a collect that a person made succeed stays in the wallet.
          and not exists (
            select from ledger_journal journal
            where journal.transaction_id = some_collect.id and journal.slot = 'adopt')) collect
      full join (select * from recharge_transaction where collected_by is not null) delivery
        on delivery.collected_by = collect.id
      where collect.id is null or delivery.id is null
        or (delivery.kind, delivery.funding, delivery.client_id, delivery.account_id, delivery.amount_minor,
            delivery.currency, delivery.payee)
          is distinct from ('deliver', 'wallet', collect.client_id, collect.account_id, collect.amount_minor,
            collect.currency, collect.payee)`,
  },
  order_booked_once: {
    meaning: 'the money of an order is booked for one recharge: as its own, or in suspense',
    sql: `select holder.id::text || ' and ' || booked.id as broken
      from reconciliation_case holding
      join recharge_transaction holder on holder.id = holding.transaction_id
      cross join jsonb_to_recordset(holding.suspended) as held("providerOrderId" text)
      join recharge_transaction booked on booked.provider_order_id = held."providerOrderId"
        and booked.provider = holder.provider and booked.provider_account = holder.provider_account
      where holding.suspended <> '[]' and booked.kind <> 'refund'
        and holder.id <> booked.id and holder.refund_of is distinct from booked.id`,
  },
};
