import type { State } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';

/** The largest sum of a client's recharges of one day in one currency, in minor units. */
export type DayCeiling = Readonly<{ clientId: string; currency: string; dayMinor: bigint }>;

/** The current step on the database's clock, so a day is the same for all processes. */
export const THIS_DAY_STEP = Prisma.sql`day_step(now())`;

/**
 * Makes the counter's row, if it is missing. Recharges under this ceiling lock the row one after the other. It is never
 * deleted.
 */
export const insertedCounter = ({ clientId, currency }: DayCeiling): Prisma.Sql => Prisma.sql`
  insert into day_counter (client_id, currency)
  values (${clientId}::uuid, ${currency})
  on conflict do nothing`;

/**
 * Parts of a statement. They select the recharges of `offered` for which the ceiling has room, as `input`. The counter
 * stays locked until the commit, so each process decides on the sum that the earlier ones committed. Postgres reads a
 * row whose lock was awaited as it is after the wait.
 * @param isWanted a condition that is decided before the counter is locked. If it is false, nothing is locked. It is a
 *   select of its own, without columns of the counter
 */
export const inputUnder = (
  offered: Prisma.Sql,
  { clientId, currency, dayMinor }: DayCeiling,
  isWanted: Prisma.Sql = Prisma.sql`true`,
): Prisma.Sql => Prisma.sql`
  locked_counter as materialized (
    select day_sum(amounts, ${THIS_DAY_STEP}) as counted
    from (
      select amounts
      from day_counter
      where client_id = ${clientId}::uuid and currency = ${currency} and ${isWanted}
      for update) counter),
  offered as materialized ${offered},
  input as materialized (
    select offered.*
    from offered, locked_counter
    where ${hasRoom(dayMinor)})`;

const hasRoom = (dayMinor: bigint): Prisma.Sql =>
  Prisma.sql`counted + offered."amountMinor" <= ${dayMinor.toString()}::numeric`;

/** Whether the day's ceiling has room for the recharge of `offered` at the moment. It locks nothing. */
export const hasRoomNow = ({ clientId, currency, dayMinor }: DayCeiling): Prisma.Sql => Prisma.sql`
  (select ${hasRoom(dayMinor)}
  from (
    select coalesce(sum(day_sum(amounts, ${THIS_DAY_STEP})), 0) as counted
    from day_counter
    where client_id = ${clientId}::uuid and currency = ${currency}) counter)`;

/** Adds the stored recharges to the day's counter. All of them are of the ceiling's client and currency. */
export const countedRecharges = Prisma.sql`
  counted_recharges as (
    insert into day_counter (client_id, currency, amounts)
    select "clientId", currency, jsonb_build_object(${THIS_DAY_STEP}::text, sum("amountMinor"))
    from inserted_recharges
    join input using (id)
    group by "clientId", currency
    on conflict (client_id, currency) do update
      set amounts = day_added(day_counter.amounts, excluded.amounts, ${THIS_DAY_STEP}))`;

/** Recharges in these states do not count. */
const UNCOUNTED: readonly string[] = ['FAILED', 'CANCELED'] satisfies State[];

export const isUncounted = (state: string): boolean => UNCOUNTED.includes(state);

/**
 * Subtracts recharges that failed or were canceled from the step that they were counted in, and adds recharges that
 * leave those states.
 *
 * Counters are locked by name and before wallets, in the same order as new requests lock them. Batches that cross then
 * wait instead of deadlocking.
 */
export const recountedRecharges = Prisma.sql`
  recounted_recharges as (
    insert into day_counter (client_id, currency, amounts)
    select client_id, currency, jsonb_object_agg(day_step::text, amount)
    from (
      select
        client_id,
        currency,
        day_step,
        sum(case when "to" in ('FAILED', 'CANCELED') then -amount_minor else amount_minor end) as amount
      from moved_recharges
      where day_step is not null
        and ("from" in ('FAILED', 'CANCELED')) <> ("to" in ('FAILED', 'CANCELED'))
      group by client_id, currency, day_step) step
    group by client_id, currency
    order by client_id, currency
    on conflict (client_id, currency) do update
      set amounts = day_added(day_counter.amounts, excluded.amounts, ${THIS_DAY_STEP})
    returning 1)`;
