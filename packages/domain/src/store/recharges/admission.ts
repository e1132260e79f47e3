import { Prisma } from '../../generated/client.js';
import { poolQueue } from '../pools/queue.js';
import { noteSince } from './note-since.js';

/** The columns of a recharge by which its claim is judged. */
export const judgedColumns = Prisma.sql`,
      recharge.kind,
      recharge.lane,
      recharge.payee,
      recharge.provider as at_provider,
      recharge.provider_account,
      recharge.currency`;

/**
 * Judges the claims among the locked plans.
 * - A lane has one order at a time, in the order of ids. A unique index enforces it: of two claims in two statements,
 *   one is refused by the index and tried again.
 * - A pool pays what it holds, and it pays deliveries only: a recall brings money back. Each statement that takes from a pool raises its version. If another one was faster, the
 *   update below finds no row, and the claims are tried again.
 *
 * A claim that may not go on now leaves its reason on the recharge, and a due time. It changes nothing else.
 */
export const admission = Prisma.sql`
  claimed_pools as materialized (
    select pool.*
    from pool
    where (pool.provider, pool.provider_account, pool.currency) in (
      select at_provider, provider_account, currency from locked_plans where "poolReadWithinMs" is not null)),
  ${poolQueue('claimed_pools')},
  judged_claims as materialized (
    select
      plan.id,
      plan."heldInMs",
      queue.provider,
      queue.provider_account,
      queue.currency,
      queue.version as pool_version,
      case
        when plan.lane is not null and plan."from" = 'CREATED' and (
          exists (
            select
            from recharge_transaction other
            where other.lane = plan.lane and other.state in ('SUBMITTED', 'PENDING_CONFIRMATION'))
          or exists (
            select
            from recharge_transaction other
            where other.lane = plan.lane and other.id < plan.id and other.due_at is not null
              and other.state = 'CREATED' and other.next_step = 'submit'))
        then 'LANE'
        when plan."poolReadWithinMs" is not null and plan.kind = 'deliver'
          and plan.payee is not null and plan.payee ->> 'from' is null
          and not coalesce(
            queue.rest >= 0 and queue.read_at > now() - plan."poolReadWithinMs" * interval '1 ms', false)
        then 'SOURCE_FUNDS'
      end as reason
    from locked_plans plan
    left join pool_queue queue on queue.id = plan.id and plan."poolReadWithinMs" is not null
    where plan."heldInMs" is not null),
  won_pools as (
    update pool
    set version = pool.version + 1
    from (
      select distinct provider, provider_account, currency, pool_version
      from judged_claims
      where reason is null and pool_version is not null) seen
    where pool.provider = seen.provider
      and pool.provider_account = seen.provider_account
      and pool.currency = seen.currency
      and pool.version = seen.pool_version
    returning pool.provider, pool.provider_account, pool.currency),
  admitted_plans as materialized (
    select plan.*
    from locked_plans plan
    left join judged_claims claim on claim.id = plan.id
    where claim.id is null
      or (claim.reason is null and claim.pool_version is null)
      or (claim.reason is null and (claim.provider, claim.provider_account, claim.currency) in (
        select provider, provider_account, currency from won_pools))),
  held_claims as (
    update recharge_transaction recharge
    set
      due_at = clock_timestamp() + held."heldInMs" * interval '1 ms',
      waiting = ${noteSince(Prisma.sql`jsonb_build_object('reason', held.reason)`)}
    from judged_claims held
    where recharge.id = held.id and held.reason is not null
    returning recharge.id, recharge.created_at as "createdAt", held.reason)`;

/** Makes the next order of each lane due that a recharge of this batch leaves. */
export const freedLanes = Prisma.sql`
  next_in_lanes as materialized (
    select next_one.id
    from moved_recharges moved
    cross join lateral (
      select other.id
      from recharge_transaction other
      where other.lane = moved.lane and other.due_at is not null
        and other.state = 'CREATED' and other.next_step = 'submit'
      order by other.id
      limit 1
      for update skip locked) next_one
    where moved.verdict = 'moved' and moved."to" in ('SUCCEEDED', 'FAILED', 'CANCELED')),
  pulled_recharges as (
    update recharge_transaction recharge
    set due_at = clock_timestamp()
    from next_in_lanes
    where recharge.id = next_in_lanes.id)`;
