import { Prisma } from '../../generated/client.js';

/**
 * Posts the journals of a relation `to_post (journal_id, transaction_id, slot, ord, debit, credit, amount, currency)`,
 * one row per posting. Postings are entered in the order of `ord`, which counts the postings of a journal from 1.
 *
 * Wallets are locked in name order. Batches with common wallets then wait for each other instead of deadlocking.
 * Entries get their ids after the locks, so the running balances of a wallet follow the ids of its entries. A wallet's
 * balance is written once per batch. The balance of an entry is that final balance less the later postings of the batch
 * to the same wallet.
 *
 * The times of a wallet's entries follow the same order, so a statement up to any time ends with the balance of that
 * time. An entry's time is read once the wallet's lock is obtained, since now() is the beginning of the statement. It
 * is never before the time of the wallet's previous entry, even if the clock is set back. The locks of an account's two
 * wallets are obtained one after the other, and an entry may be in both. So all entries of an account in a batch get
 * the later time of its wallets.
 */
export const postedJournals = Prisma.sql`
  numbered_postings as materialized (
    select row_number() over (order by ord, transaction_id) as n, *
    from to_post),
  sides as materialized (
    select *, coalesce(sum(delta) over (
        partition by account, currency
        order by n
        rows between 1 following and unbounded following), 0) as later
    from (
      select *, 'debit' as side, debit as account, credit as other, -amount as delta
      from numbered_postings
      union all
      select *, 'credit', credit, debit, amount
      from numbered_postings) side),
  posted_wallets as (
    insert into ledger_account (name, currency, balance_minor, last_entry_at)
    select account, currency, sum(delta), greatest(clock_timestamp(), max(
      case when other like 'wallet:%' then (
        select wallet.last_entry_at
        from ledger_account wallet
        where wallet.name = sides.other and wallet.currency = sides.currency) end))
    from sides
    where account like 'wallet:%'
    group by account, currency
    order by account, currency
    on conflict (name, currency) do update
      set
        balance_minor = ledger_account.balance_minor + excluded.balance_minor,
        last_entry_at = greatest(ledger_account.last_entry_at, excluded.last_entry_at, clock_timestamp())
    returning name, currency, balance_minor, last_entry_at),
  timed_wallets as (
    select
      *,
      max(last_entry_at) over (partition by regexp_replace(name, ':[^:]*$', ''), currency) as posted_at
    from posted_wallets),
  charted_accounts as (
    insert into ledger_account (name, currency)
    select distinct account, currency
    from sides
    where account not like 'wallet:%'
    order by account, currency
    on conflict (name, currency) do nothing),
  entries as materialized (
    select
      side.n,
      side.journal_id,
      side.transaction_id,
      side.slot,
      side.debit,
      side.credit,
      side.amount,
      side.currency,
      max((wallets.balances ->> (side.account || ' ' || side.currency))::bigint - side.later)
        filter (where side.side = 'debit') as debit_balance,
      max((wallets.balances ->> (side.account || ' ' || side.currency))::bigint - side.later)
        filter (where side.side = 'credit') as credit_balance,
      coalesce(max((wallets.times ->> (side.account || ' ' || side.currency))::timestamptz), clock_timestamp()) as at
    from sides side, (
      select
        jsonb_object_agg(name || ' ' || currency, balance_minor) as balances,
        jsonb_object_agg(name || ' ' || currency, posted_at) as times
      from timed_wallets) wallets
    group by
      side.n,
      side.journal_id,
      side.transaction_id,
      side.slot,
      side.debit,
      side.credit,
      side.amount,
      side.currency),
  inserted_journals as (
    insert into ledger_journal (id, transaction_id, slot, at)
    select journal_id, transaction_id, slot, max(at)
    from entries
    group by journal_id, transaction_id, slot),
  inserted_entries as (
    insert into ledger_entry (
      journal_id,
      transaction_id,
      debit_account,
      credit_account,
      amount_minor,
      currency,
      debit_balance_minor,
      credit_balance_minor,
      at)
    select
      journal_id,
      transaction_id,
      debit,
      credit,
      amount,
      currency,
      debit_balance,
      credit_balance,
      at
    from entries
    order by n)`;
