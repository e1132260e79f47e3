import { Prisma } from '../../generated/client.js';

/** What a client's recharges of a day may add up to, in one currency. */
export type DayCeiling = Readonly<{ clientId: string; currency: string; dayMinor: bigint }>;

/** The step of now, on the database's clock: a day is the same one for every process. */
export const THIS_DAY_STEP = Prisma.sql`day_step(now())`;

/** The row that recharges under this ceiling wait for each other at. It is never deleted. */
export const insertedCounter = ({ clientId, currency }: DayCeiling): Prisma.Sql => Prisma.sql`
  insert into day_counter (client_id, currency)
  values (${clientId}::uuid, ${currency})
  on conflict do nothing`;

/**
 * Names those of `offered` that the ceiling has room for `input`. The counter stays locked until the commit, so of
 * several processes each decides on what the ones before it left. A row that was waited for is read as it is then.
 */
export const inputUnder = (
  offered: Prisma.Sql,
  { clientId, currency, dayMinor }: DayCeiling,
): Prisma.Sql => Prisma.sql`
  locked_counter as materialized (
    select day_sum(amounts, ${THIS_DAY_STEP}) as counted
    from (
      select amounts
      from day_counter
      where client_id = ${clientId}::uuid and currency = ${currency}
      for update) counter),
  offered as materialized ${offered},
  input as materialized (
    select offered.*
    from offered, locked_counter
    where counted + offered."amountMinor" <= ${dayMinor.toString()}::numeric)`;

/** Counts what was stored of one statement's requests; all of them are of the ceiling's client and currency. */
export const countedRecharges = Prisma.sql`
  counted_recharges as (
    insert into day_counter (client_id, currency, amounts)
    select "clientId", currency, jsonb_build_object(${THIS_DAY_STEP}::text, sum("amountMinor"))
    from inserted_recharges
    join input using (id)
    group by "clientId", currency
    on conflict (client_id, currency) do update
      set amounts = day_added(day_counter.amounts, excluded.amounts, ${THIS_DAY_STEP}))`;

/**
 * What failed or was canceled counts no more, in the step that it was counted in. What comes back from there counts
 * again.
 * Counters are locked before wallets, as requests lock them, and by name: batches that cross then wait instead of
 * deadlocking.
 */
export const recountedRecharges = Prisma.sql`
  recounted_recharges as (
    insert into day_counter (client_id, currency, amounts)
    select client_id, currency, jsonb_object_agg(day_step::text, amount)
    from (
      select client_id, currency, day_step,
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
