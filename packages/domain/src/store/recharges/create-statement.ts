import { holdOf } from '../../core/postings.js';
import type { RequestTexts } from '../../core/request-texts.js';
import { Prisma } from '../../generated/client.js';
import { countedRecharges, type DayCeiling, inputUnder } from '../ceilings/day-counter.js';
import { columns } from '../database/rows.js';
import { postedJournals } from '../ledger/post.js';
import { birthColumns, births, insertedRecharges } from './birth.js';
import type { NewRecharge } from './new-recharge.js';

export type Birth = NewRecharge & RequestTexts & Readonly<{ fingerprint: string }>;

/**
 * What a statement did with one birth: it stored the birth, or refused it.
 * - `uncovered`: the balance does not pay for the recharge.
 * - `beyond_balance`: the balance and the amount together exceed the largest balance.
 * - `above_ceiling`: the day's ceiling has no room for the amount.
 *
 * A birth whose idempotency key already stands for a recharge has no row, or the row of a refusal.
 */
export type BirthResult =
  | Readonly<{ id: string; fate: 'stored'; createdAt: Date }>
  | Readonly<{ id: string; fate: 'uncovered' | 'beyond_balance' | 'above_ceiling'; createdAt: null }>;

// The largest bigint of Postgres, in which balances are kept.
const BALANCE_MINOR_MAX = 2n ** 63n - 1n;

export type BirthOptions = Readonly<{
  hintLimitMs: number;
  newId: () => string;
  /** The day's ceiling, when all births are of its client and currency. */
  ceiling?: DayCeiling;
}>;

export const insertStatement = (
  newBirths: readonly Birth[],
  { hintLimitMs, ceiling }: BirthOptions,
): Prisma.Sql => Prisma.sql`
  with
  ${ceiling ? inputUnder(births.from(newBirths), ceiling) : Prisma.sql`input as ${births.from(newBirths)}`},
  ${creditableBirths},
  ${insertedRecharges('creditable', { hintLimitMs, isCounted: ceiling !== undefined })}
  ${ceiling ? Prisma.sql`, ${countedRecharges}` : Prisma.empty}
  select id, "createdAt", 'stored' as fate
  from inserted_recharges
  union all
  select id, null, 'beyond_balance'
  from judged_births
  where is_beyond
  ${ceiling ? aboveCeiling : Prisma.empty}`;

const creditableBirths = Prisma.sql`
  judged_births as materialized (
    select input.*, exists (
      select from ledger_account wallet
      where wallet.name = 'wallet:' || input."accountId" || ':available'
        and wallet.currency = input.currency
        and wallet.balance_minor > ${BALANCE_MINOR_MAX}::bigint - input."amountMinor") as is_beyond
    from input),
  creditable as not materialized (
    select *
    from judged_births
    where not is_beyond)`;

const aboveCeiling = Prisma.sql`
  union all
  select id, null, 'above_ceiling'
  from offered
  where id not in (select id from input)`;

const heldBirths = columns({ ...birthColumns, holdJournalId: 'uuid', debit: 'text', credit: 'text' });

/**
 * The statement for recharges that are paid from a wallet: it stores only those that the balance covers. A refused
 * request stores nothing, not even its idempotency key, so the client may use the key again.
 */
export const insertWithHolds = (
  newBirths: readonly Birth[],
  { hintLimitMs, newId, ceiling }: BirthOptions,
): Prisma.Sql => {
  const held = newBirths.map((birth) => {
    const [posting] = holdOf({ ...birth, money: birth }).postings;
    return { ...birth, holdJournalId: newId(), debit: posting!.debit, credit: posting!.credit };
  });
  return Prisma.sql`
    with recursive
    ${ceiling ? inputUnder(heldBirths.from(held), ceiling) : Prisma.sql`input as materialized ${heldBirths.from(held)}`},
    ${coveredBirths(held.flatMap(({ debit, credit }) => [debit, credit]))},
    ${insertedRecharges('covered', { hintLimitMs, isCounted: ceiling !== undefined })},
    ${toPost},
    ${postedJournals}
    ${ceiling ? Prisma.sql`, ${countedRecharges}` : Prisma.empty}
    select id, "createdAt", 'stored' as fate
    from inserted_recharges
    union all
    select id, null, 'uncovered'
    from uncovered
    ${ceiling ? aboveCeiling : Prisma.empty}`;
};

/**
 * Locks the available and frozen parts of the wallets in name order, as settlements do. The births of a wallet are then
 * served in id order: each takes its amount from what the births before it left, if that suffices.
 *
 * The names are a parameter and no part of the statement. Postgres judges the condition of a locked row again if the row
 * changed while the lock was awaited, and that second judgement finds no match in another part of the statement: the
 * wallet would seem to be missing, and its balance too low.
 */
const coveredBirths = (names: readonly string[]): Prisma.Sql => Prisma.sql`
    locked_wallets as materialized (
      select wallet.name, wallet.currency, wallet.balance_minor
      from ledger_account wallet
      where wallet.name = any(${[...names]}::text[])
      order by wallet.name, wallet.currency
      for update),
    new_births as materialized (
      select input.*
      from input
      where not exists (
        select
        from recharge_request request
        where request.client_id = input."clientId" and request.idempotency_key = input."idempotencyKey")),
    queued as materialized (
      select
        birth.id,
        birth."amountMinor" as amount,
        wallet.name,
        wallet.currency,
        wallet.balance_minor,
        row_number() over (partition by wallet.name, wallet.currency order by birth.id) as place
      from new_births birth
      join locked_wallets wallet on wallet.name = birth.debit and wallet.currency = birth.currency),
    ${servedBirths},
    covered as materialized (
      select birth.*
      from new_births birth
      join served using (id)
      where served.is_covered),
    uncovered as (
      select birth.id
      from new_births birth
      where birth.id not in (select id from covered))`;

/** Serves the queue of each wallet one birth after the other. `rest` is the balance that a birth leaves. */
const servedBirths = Prisma.sql`
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

const toPost = Prisma.sql`
    to_post as materialized (
      select
        birth."holdJournalId" as journal_id,
        birth.id as transaction_id,
        'hold' as slot,
        1 as ord,
        birth.debit,
        birth.credit,
        birth."amountMinor" as amount,
        birth.currency
      from inserted_recharges
      join covered birth using (id))`;
