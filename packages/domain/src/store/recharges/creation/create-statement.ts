import { BALANCE_MINOR_MAX } from '../../../core/money/money.js';
import { type Funding, holdOf } from '../../../core/money/postings.js';
import type { RequestTexts } from '../../../core/request-texts.js';
import { Prisma } from '../../../generated/client.js';
import { type Approving, isApprovalNeeded } from '../../approvals/needed.js';
import { countedRecharges, type DayCeiling, inputUnder } from '../../ceilings/day-counter.js';
import { columns } from '../../database/rows.js';
import { postedJournals } from '../../ledger/post.js';
import { payeeAsKept } from '../../payees/frozen.js';
import type { RechargeView } from '../../reads/view.js';
import { conditionColumns, isOfStoppedPlan, isOtherPayee, lockedPlans, plansOf } from '../line-conditions.js';
import { insertedRecharges, newRechargeColumns, newRechargeRows } from './insert-recharges.js';
import type { MoneyDestination, NewRecharge } from './new-recharge.js';

export type NewRechargeRow = NewRecharge &
  RequestTexts &
  Readonly<{
    fingerprint: string;
    providerAccount: string;
    funding: Funding;
    destination: MoneyDestination | null;
    judgedPayee: string | null;
    runningPlanId: string | null;
    approvalAboveMinor: bigint | null;
    traceparent: string | null;
  }>;

/**
 * The fate of one new recharge: it is stored or refused.
 * - `uncovered`: the balance does not pay for the recharge.
 * - `beyond_balance`: the balance and the amount together exceed the largest balance.
 * - `above_ceiling`: the day's ceiling has no room for the amount.
 * - `no_payee`: its money is to be delivered, and the account has no payee.
 * - `other_currency`: the payee of the account takes another currency.
 * - `payee_changed`: the account has another payee than the recharge was judged with.
 * - `plan_stopped`: the plan that the recharge is a line of does not run.
 *
 * If the idempotency key belongs to an earlier recharge, there is no result, or the result is a refusal.
 */
export type InsertResult =
  | (Readonly<{
      id: string;
      fate: 'stored';
      createdAt: Date;
      /** When the approval of the recharge expires. Null: the recharge needs none. */
      approvalUntil: Date | null;
    }> &
      Pick<RechargeView, 'provider' | 'providerAccount' | 'payee'>)
  | Readonly<{
      id: string;
      fate:
        | 'uncovered'
        | 'beyond_balance'
        | 'above_ceiling'
        | 'no_payee'
        | 'other_currency'
        | 'payee_changed'
        | 'plan_stopped';
      createdAt: null;
    }>;

export type InsertOptions = Readonly<{
  hintLimitMs: number;
  /** The providers whose orders go one at a time between two accounts. */
  lanedProviders: readonly string[];
  approving: Approving;
  newId: () => string;
  /** The day's ceiling, when all new recharges are of its client and currency. */
  ceiling?: DayCeiling;
}>;

/** Only the lines of plans have conditions. The statements of all others have no part for them. */
const conditionalRows = columns({ ...newRechargeColumns, ...conditionColumns });

export const insertStatement = (
  recharges: readonly NewRechargeRow[],
  { hintLimitMs, lanedProviders, approving, ceiling }: InsertOptions,
): Prisma.Sql => {
  const planIds = plansOf(recharges);
  return Prisma.sql`
  with
  ${inputFrom((planIds ? conditionalRows : newRechargeRows).from(recharges), ceiling)},
  ${addressedRecharges(approving, planIds)},
  ${creditableRecharges},
  ${insertedRecharges('creditable', { hintLimitMs, lanedProviders, approving, isCounted: ceiling !== undefined })}
  ${ceiling ? Prisma.sql`, ${countedRecharges}` : Prisma.empty}
  ${storedAndRefused}
  union all
  select id, null, 'beyond_balance', null, null, null, null
  from beyond_balance
  ${ceiling ? aboveCeiling : Prisma.empty}`;
};

const inputFrom = (rows: Prisma.Sql, ceiling: DayCeiling | undefined): Prisma.Sql =>
  ceiling ? inputUnder(rows, ceiling) : Prisma.sql`input as ${rows}`;

/**
 * Finds the payee of each new recharge, by one look-up. A delivery is carried out by the provider of its payee. A
 * recharge whose money may not go to its target gets a refusal.
 */
export const addressedRecharges = (
  { approvesFirst }: Pick<Approving, 'approvesFirst'>,
  planIds: readonly string[] | null = null,
): Prisma.Sql => Prisma.sql`
  ${planIds ? Prisma.sql`${lockedPlans(planIds)},` : Prisma.empty}
  addressed as materialized (
    select
      input.*,
      ${payeeAsKept} as payee,
      case when input.kind = 'deliver' then ${payeeAsKept} end as "laneOf",
      case when input.kind = 'deliver' then coalesce(payee.provider, input.provider) else input.provider end as carrier,
      case when input.kind = 'deliver' then coalesce(payee.provider_account, input."providerAccount")
        else input."providerAccount" end as "carrierAccount",
      case
        ${planIds ? isOfStoppedPlan : Prisma.empty}
        when payee.account_id is null and (input.destination = 'cloud' or input.provider is null) then 'no_payee'
        when payee.currency <> input.currency then 'other_currency'
        ${planIds ? isOtherPayee : Prisma.empty}
      end as refusal,
      ${isApprovalNeeded(approvesFirst)} as "isApprovalNeeded"
    from input
    left join payee on payee.account_id = input."accountId" and input.destination is distinct from 'wallet')`;

/** The fates of the stored recharges, and of those whose money may not go to its target. */
export const storedAndRefused = Prisma.sql`
  select id, "createdAt", 'stored' as fate, provider, "providerAccount", payee, "approvalUntil"
  from inserted_recharges
  union all
  select id, null, refusal, null, null, null, null
  from addressed
  where refusal is not null`;

/**
 * The money that may come to the wallet before the recharge `input`: recharges under way, and earlier ones of this
 * batch. It is summed up only for a wallet so full that it could matter, because no index leads to it.
 */
const expectedMoney = Prisma.sql`(
            select coalesce(sum(expected.amount), 0)
            from (
              select amount_minor as amount
              from recharge_transaction
              where due_at is not null and account_id = input."accountId" and currency = input.currency
                and kind in ('collect', 'recall')
              union all
              select earlier."amountMinor"
              from addressed earlier
              where earlier."accountId" = input."accountId" and earlier.currency = input.currency
                and earlier.kind = 'collect' and earlier.refusal is null and earlier.id < input.id) expected)`;

/**
 * The new recharges whose money the wallet may be too full for, looked up by the wallets' names, and the others. Only
 * ids are kept of the first, because a copy of all wide rows costs more than the look-ups.
 */
export const creditableRecharges = Prisma.sql`
  beyond_balance as materialized (
    select input.id
    from addressed input
    join ledger_account wallet on wallet.name = 'wallet:' || input."accountId" || ':available'
      and wallet.currency = input.currency
    where input.kind = 'collect' and input.refusal is null
      and ${BALANCE_MINOR_MAX}::numeric < wallet.balance_minor::numeric + input."amountMinor"
        + case when wallet.balance_minor > ${BALANCE_MINOR_MAX / 2n}::bigint then ${expectedMoney} else 0 end),
  creditable as not materialized (
    select *
    from addressed
    where refusal is null and id not in (select id from beyond_balance))`;

export const aboveCeiling = Prisma.sql`
  union all
  select id, null, 'above_ceiling', null, null, null, null
  from offered
  where id not in (select id from input)`;

const heldColumns = { ...newRechargeColumns, holdJournalId: 'uuid', debit: 'text', credit: 'text' } as const;
export const heldRechargeRows = columns(heldColumns);
const heldConditionalRows = columns({ ...heldColumns, ...conditionColumns });

/** A recharge with the journal that freezes its amount. */
export const withHold = (recharge: NewRechargeRow, newId: () => string) => {
  const [posting] = holdOf({ ...recharge, money: recharge }).postings;
  return { ...recharge, holdJournalId: newId(), debit: posting!.debit, credit: posting!.credit };
};

/**
 * The statement for recharges that are paid from a wallet: it stores only those that the balance covers. A refused
 * request stores nothing, not even its idempotency key, so the client may use the key again.
 */
export const insertWithHolds = (
  recharges: readonly NewRechargeRow[],
  { hintLimitMs, lanedProviders, approving, newId, ceiling }: InsertOptions,
): Prisma.Sql => {
  const held = recharges.map((recharge) => withHold(recharge, newId));
  const planIds = plansOf(recharges);
  return Prisma.sql`
    with recursive
    ${inputFrom((planIds ? heldConditionalRows : heldRechargeRows).from(held), ceiling)},
    ${addressedRecharges(approving, planIds)},
    ${coveredRecharges(held.flatMap(({ debit, credit }) => [debit, credit]))},
    ${insertedRecharges('covered', { hintLimitMs, lanedProviders, approving, isCounted: ceiling !== undefined })},
    ${toPost},
    ${postedJournals}
    ${ceiling ? Prisma.sql`, ${countedRecharges}` : Prisma.empty}
    ${storedAndRefused}
    union all
    select id, null, 'uncovered', null, null, null, null
    from uncovered
    ${ceiling ? aboveCeiling : Prisma.empty}`;
};

/**
 * Locks the available and frozen parts of the wallets in name order, as settlements do. Then the new recharges of a
 * wallet take their amounts in id order, each from the balance that the ones before it left, if that balance suffices.
 *
 * The names are a parameter. They are not read from another part of the statement. If a row changed while its lock was
 * awaited, Postgres checks the row's condition again, and this second check sees no other part. The wallet would seem
 * to be missing, and its balance too low.
 */
export const coveredRecharges = (
  names: readonly string[],
  lock: Prisma.Sql = Prisma.sql`for update`,
): Prisma.Sql => Prisma.sql`
    locked_wallets as materialized (
      select wallet.name, wallet.currency, wallet.balance_minor
      from ledger_account wallet
      where wallet.name = any(${[...names]}::text[])
      order by wallet.name, wallet.currency
      ${lock}),
    new_recharges as materialized (
      select input.*
      from addressed input
      where input.refusal is null and not exists (
        select
        from recharge_request request
        where request.client_id = input."clientId" and request.idempotency_key = input."idempotencyKey")),
    queued as materialized (
      select
        recharge.id,
        recharge."amountMinor" as amount,
        wallet.name,
        wallet.currency,
        wallet.balance_minor,
        row_number() over (partition by wallet.name, wallet.currency order by recharge.id) as place
      from new_recharges recharge
      join locked_wallets wallet on wallet.name = recharge.debit and wallet.currency = recharge.currency),
    ${servedRecharges},
    covered as materialized (
      select recharge.*
      from new_recharges recharge
      join served using (id)
      where served.is_covered),
    uncovered as (
      select recharge.id
      from new_recharges recharge
      where recharge.id not in (select id from covered))`;

/** Serves the queue of each wallet in order. `rest` is the balance that a recharge leaves for the next one. */
const servedRecharges = Prisma.sql`
    served as (
      select
        id,
        name,
        currency,
        place,
        amount <= balance_minor as is_covered,
        balance_minor - case when amount <= balance_minor then amount else 0 end as rest
      from queued
      where place = 1
      union all
      select
        queued.id,
        queued.name,
        queued.currency,
        queued.place,
        queued.amount <= before.rest,
        before.rest - case when queued.amount <= before.rest then queued.amount else 0 end
      from served before
      join queued on queued.name = before.name and queued.currency = before.currency
        and queued.place = before.place + 1)`;

export const toPost = Prisma.sql`
    to_post as materialized (
      select
        recharge."holdJournalId" as journal_id,
        recharge.id as transaction_id,
        'hold' as slot,
        1 as ord,
        recharge.debit,
        recharge.credit,
        recharge."amountMinor" as amount,
        recharge.currency
      from inserted_recharges
      join covered recharge using (id))`;
