import { Prisma } from '../../generated/client.js';

/**
 * Opens the cases of a relation `to_open (case_id, subject, transaction_id, kind, detail)`. The subject is the id of
 * the transaction, or `<provider>:<event id>` for a case about an event. A subject has one open case per kind, so a
 * provider that repeats itself opens no second case.
 *
 * The amount of a case is the one that was reported, or else that of the transaction. A reported amount that no column
 * can hold stays in the details only.
 */
export const openedCases = Prisma.sql`
  opened_cases as (
    insert into reconciliation_case (
      id, transaction_id, client_id, account_id, subject, kind, detail, amount_minor, currency)
    select
      to_open.case_id,
      to_open.transaction_id,
      recharge.client_id,
      recharge.account_id,
      to_open.subject,
      to_open.kind,
      to_open.detail,
      case
        when to_open.detail -> 'money' ->> 'amountMinor' ~ '^[0-9]{1,18}$'
          then (to_open.detail -> 'money' ->> 'amountMinor')::bigint
        when to_open.detail -> 'money' ->> 'amountMinor' is null then recharge.amount_minor end,
      coalesce(to_open.detail -> 'money' ->> 'currency', recharge.currency)
    from to_open
    left join recharge_transaction recharge on recharge.id = to_open.transaction_id
    on conflict (subject, kind) where closed_at is null do nothing)`;

const all = Prisma.sql`some_case.suspended || excluded.suspended`;

/** Money in several currencies has no sum. */
const sumOf = (list: Prisma.Sql): Prisma.Sql => Prisma.sql`(
  select case when count(distinct held ->> 'currency') = 1 then sum((held ->> 'amountMinor')::numeric)::bigint end
  from jsonb_array_elements(${list}) held)`;

const currencyOf = (list: Prisma.Sql): Prisma.Sql => Prisma.sql`(
  select case when count(distinct held ->> 'currency') = 1 then min(held ->> 'currency') end
  from jsonb_array_elements(${list}) held)`;

/**
 * As `openedCases`, for a relation `to_hold` that has one more column `suspended`: the list of the money that goes to
 * suspense for the case. If the case is open already, the money is added to it.
 */
export const openedHoldingCases = Prisma.sql`
  opened_holding_cases as (
    insert into reconciliation_case as some_case (
      id, transaction_id, client_id, account_id, subject, kind, detail, suspended, amount_minor, currency)
    select
      to_hold.case_id,
      to_hold.transaction_id,
      recharge.client_id,
      recharge.account_id,
      to_hold.subject,
      to_hold.kind,
      to_hold.detail,
      to_hold.suspended,
      ${sumOf(Prisma.sql`to_hold.suspended`)},
      ${currencyOf(Prisma.sql`to_hold.suspended`)}
    from to_hold
    join recharge_transaction recharge on recharge.id = to_hold.transaction_id
    on conflict (subject, kind) where closed_at is null do update
      set
        suspended = ${all},
        amount_minor = ${sumOf(all)},
        currency = ${currencyOf(all)})`;
