import { Prisma } from '../../generated/client.js';

/**
 * Posts the journals of a relation
 * `to_post (journal_id, transaction_id, slot, ord, debit, credit, amount, currency)`, one row per posting; `ord` counts
 * the postings of a journal from 1.
 *
 * Wallets are locked in name order, so batches that cross wait instead of deadlocking. Entries are numbered after that:
 * the running balances of a wallet follow the ids of its entries. A wallet's balance is written once per batch, so an
 * entry's balance is that one less what the batch posts to the wallet after it.
 */
export const postedJournals = Prisma.sql`
  inserted_journals as (
    insert into ledger_journal (id, transaction_id, slot)
    select journal_id, transaction_id, slot
    from to_post
    where ord = 1),
  numbered_postings as materialized (
    select row_number() over (order by transaction_id, ord) as n, *
    from to_post),
  sides as materialized (
    select *, coalesce(sum(delta) over (
        partition by account, currency
        order by n
        rows between 1 following and unbounded following), 0) as later
    from (
      select *, 'debit' as side, debit as account, -amount as delta
      from numbered_postings
      union all
      select *, 'credit', credit, amount
      from numbered_postings) side),
  posted_wallets as (
    insert into ledger_account (name, currency, balance_minor)
    select account, currency, sum(delta)
    from sides
    where account like 'wallet:%'
    group by account, currency
    order by account, currency
    on conflict (name, currency) do update
      set balance_minor = ledger_account.balance_minor + excluded.balance_minor
    returning name, currency, balance_minor),
  charted_accounts as (
    insert into ledger_account (name, currency)
    select distinct account, currency
    from sides
    where account not like 'wallet:%'
    order by account, currency
    on conflict (name, currency) do nothing),
  inserted_entries as (
    insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency,
      debit_balance_minor, credit_balance_minor)
    select
      side.journal_id,
      side.transaction_id,
      side.debit,
      side.credit,
      side.amount,
      side.currency,
      max((wallets.balances ->> (side.account || ' ' || side.currency))::bigint - side.later)
        filter (where side.side = 'debit'),
      max((wallets.balances ->> (side.account || ' ' || side.currency))::bigint - side.later)
        filter (where side.side = 'credit')
    from sides side, (
      select jsonb_object_agg(name || ' ' || currency, balance_minor) as balances
      from posted_wallets) wallets
    group by side.n, side.journal_id, side.transaction_id, side.debit, side.credit, side.amount, side.currency
    order by side.n)`;
