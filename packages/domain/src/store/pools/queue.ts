import { Prisma } from '../../generated/client.js';

/** Deliveries that the source of the provider account pays. A payee with a source of its own is not in the pool. */
const inPool = (pool: string): Prisma.Sql =>
  Prisma.raw(`recharge.provider = ${pool}.provider
      and recharge.provider_account = ${pool}.provider_account
      and recharge.currency = ${pool}.currency
      and recharge.kind = 'deliver'
      and recharge.payee is not null
      and recharge.payee ->> 'from' is null`);

/**
 * The unfinished deliveries of the pools in the relation `from`, with what each one needs and what it finds. Money is
 * reserved for every delivery that was sent and is not final, or became final after the reading. Those that are not sent
 * stand in the order of their age: a large one at the head is not overtaken by small ones.
 */
export const poolQueue = (from: 'claimed_pools' | 'recorded_pools'): Prisma.Sql => Prisma.sql`
  free_pools as materialized (
    select pool.*, pool.transferable_minor - (
      select coalesce(sum(recharge.amount_minor), 0)
      from recharge_transaction recharge
      where ${inPool('pool')} and recharge.succeeded_at > pool.read_at) as free
    from ${Prisma.raw(from)} pool),
  pool_queue as materialized (
    select
      recharge.id,
      recharge.waiting ->> 'reason' as reason,
      pool.provider,
      pool.provider_account,
      pool.currency,
      pool.version,
      pool.read_at,
      pool.free
        - sum(recharge.amount_minor) filter (where recharge.next_step = 'submit') over older
        - coalesce(sum(recharge.amount_minor) filter (where recharge.next_step <> 'submit') over whole, 0)
        as rest
    from free_pools pool
    join recharge_transaction recharge on ${inPool('pool')} and recharge.due_at is not null
    window
      whole as (partition by pool.provider, pool.provider_account, pool.currency),
      older as (partition by pool.provider, pool.provider_account, pool.currency order by recharge.id))`;
