import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { poolQueue } from './queue.js';

export type PoolKey = Readonly<{ provider: string; providerAccount: string; currency: string }>;

/** A reading of the money of our account at a provider. `tookMs`: the time since the read began. */
export type PoolReading = PoolKey & Readonly<{ transferableMinor: bigint; tookMs: number }>;

export interface MoneyPools {
  /** The currencies of the unfinished deliveries that a provider account pays. */
  wanted(provider: string, providerAccount: string): Promise<string[]>;
  /**
   * Stores a reading, and makes those recharges due that waited for the money that is there now, the oldest first.
   * @returns how many became due
   */
  record(reading: PoolReading): Promise<number>;
  levels(): Promise<(PoolKey & Readonly<{ transferableMinor: bigint }>)[]>;
  /** The recharges that wait for money, by provider. It counts at most COUNTED_MAX in all. */
  waiting(): Promise<{ provider: string; count: number }[]>;
}

// The most recharges that one reading makes due. A due row is written into every index of its table, so the rest waits
// for the next reading.
const PULLED_MAX = 40;
const COUNTED_MAX = 1_500;

export const openPools = (run: Run): MoneyPools => ({
  async wanted(provider, providerAccount) {
    const rows = await run<{ currency: string }>(Prisma.sql`
      select distinct currency
      from recharge_transaction recharge
      where provider = ${provider} and provider_account = ${providerAccount}
        and payee is not null and kind = 'deliver' and due_at is not null`);
    return rows.map(({ currency }) => currency);
  },
  async record(reading) {
    const [row] = await run<{ pulled: number }>(recorded(reading));
    return row!.pulled;
  },
  levels: () =>
    run(Prisma.sql`
      select
        provider,
        provider_account as "providerAccount",
        currency,
        transferable_minor as "transferableMinor"
      from pool`),
  waiting: () =>
    run(Prisma.sql`
      select provider, count(*)::int as count
      from (
        select provider
        from recharge_transaction
        where payee is not null and kind = 'deliver' and due_at is not null and waiting ->> 'reason' = 'SOURCE_FUNDS'
        limit ${COUNTED_MAX}::int) waiting
      group by provider`),
});

/** The reading counts from its beginning: a delivery that became final after that may not be in it. */
const recorded = ({
  provider,
  providerAccount,
  currency,
  transferableMinor,
  tookMs,
}: PoolReading) => Prisma.sql`
  with
  recorded_pools as (
    insert into pool (provider, provider_account, currency, transferable_minor, read_at)
    values (
      ${provider},
      ${providerAccount},
      ${currency},
      ${transferableMinor}::bigint,
      clock_timestamp() - ${tookMs}::float8 * interval '1 ms')
    on conflict (provider, provider_account, currency) do update
    set transferable_minor = excluded.transferable_minor, read_at = excluded.read_at, version = pool.version + 1
    where excluded.read_at > pool.read_at
    returning *),
  ${poolQueue('recorded_pools')},
  payable as materialized (
    select recharge.id
    from recharge_transaction recharge
    where recharge.id in (
      select id from pool_queue where reason = 'SOURCE_FUNDS' and rest >= 0 order by id limit ${PULLED_MAX}::int)
      and recharge.due_at > now()
    order by recharge.id
    for update skip locked),
  pulled_recharges as (
    update recharge_transaction recharge
    set due_at = now()
    from payable
    where recharge.id = payable.id
    returning 1)
  select (select count(*)::int from pulled_recharges) as pulled`;
