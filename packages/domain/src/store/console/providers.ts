import { Prisma } from '../../generated/client.js';
import { openNow } from '../breakers/breakers.js';
import type { Run } from '../database/database.js';

/** The newest calls of an account at a provider: how they ended and how long they took. */
export type CallSummary = Readonly<{
  provider: string;
  providerAccount: string;
  operation: string;
  outcome: string;
  count: number;
  medianMs: number | null;
  p95Ms: number | null;
  lastAt: Date;
}>;

export type ToldBreaker = Readonly<{
  provider: string;
  providerAccount: string;
  operation: string;
  openedAt: Date;
  openUntil: Date;
}>;

export type PoolLevel = Readonly<{
  provider: string;
  providerAccount: string;
  currency: string;
  transferableMinor: bigint;
  readAt: Date;
  /** Recharges that wait for its money, COUNTED_MAX at most. */
  waiting: number;
}>;

export type ProviderState = Readonly<{
  calls: readonly CallSummary[];
  breakers: readonly ToldBreaker[];
  pools: readonly PoolLevel[];
}>;

// A call costs some five buffers: its row, and the recharge that tells its provider.
const CALLS_MAX = 250;
const COUNTED_MAX = 300;

export async function providerState(read: Run): Promise<ProviderState> {
  const [calls, breakers, pools] = await Promise.all([
    read<CallSummary>(newestCalls),
    read<ToldBreaker>(Prisma.sql`
      select
        provider,
        provider_account as "providerAccount",
        operation,
        opened_at as "openedAt",
        open_until as "openUntil"
      from (${openNow}) open_breaker
      order by 1, 2, 3`),
    read<PoolLevel>(poolLevels),
  ]);
  return { calls, breakers, pools };
}

const newestCalls = Prisma.sql`
  with newest as materialized (
    select transaction_id, operation, outcome, started_at, ended_at
    from provider_call
    order by id desc
    limit ${CALLS_MAX}::int)
  select
    recharge.provider,
    recharge.provider_account as "providerAccount",
    newest.operation,
    coalesce(newest.outcome, 'unanswered') as outcome,
    count(*)::int as count,
    (percentile_cont(0.5) within group (order by extract(epoch from newest.ended_at - newest.started_at)) * 1000)::float8
      as "medianMs",
    (percentile_cont(0.95) within group (order by extract(epoch from newest.ended_at - newest.started_at)) * 1000)::float8
      as "p95Ms",
    max(newest.started_at) as "lastAt"
  from newest
  join recharge_transaction recharge on recharge.id = newest.transaction_id
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4`;

const poolLevels = Prisma.sql`
  select
    pool.provider,
    pool.provider_account as "providerAccount",
    pool.currency,
    pool.transferable_minor as "transferableMinor",
    pool.read_at as "readAt",
    (select count(*)::int
      from (
        select waiting
        from recharge_transaction recharge
        where recharge.provider = pool.provider and recharge.provider_account = pool.provider_account
          and recharge.currency = pool.currency
          and recharge.payee is not null and recharge.kind = 'deliver' and recharge.due_at is not null
        limit ${COUNTED_MAX}::int) queued
      where queued.waiting ->> 'reason' = 'SOURCE_FUNDS') as waiting
  from pool
  order by 1, 2, 3`;
