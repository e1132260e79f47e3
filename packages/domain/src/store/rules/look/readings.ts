import type { BalanceFigure } from '../../../core/rules/rule-terms.js';
import { Prisma } from '../../../generated/client.js';
import type { Run } from '../../database/database.js';
import { isUuid } from '../../database/storable.js';
import type { RuleClock } from './clock.js';

/** A cloud account that rules watch. */
export type WatchedAccount = Readonly<{
  provider: string;
  /** Name of our account at the provider. */
  providerAccount: string;
  account: string;
  currency: string;
}>;

/** A balance as a provider told it. Null: it does not tell the cash apart from credit and vouchers. */
export type WatchedBalance = Readonly<{ minor: bigint; cashMinor: bigint | null }>;

export interface WatchedBalances {
  /**
   * Takes the turn to read the cloud account of a rule. Null: the rule watches none, its balance is fresh, somebody else
   * reads it, or the provider asked for patience. So rules on one account share one call per interval.
   */
  claim(ruleId: string): Promise<WatchedAccount | null>;
  record(account: WatchedAccount, balance: WatchedBalance, tookMs: number): Promise<void>;
  /** Leaves the account alone for a time, because the provider throttles. */
  leave(account: WatchedAccount, forMs: number): Promise<void>;
}

/** A figure of `reading`, a row of `account_reading`. */
export const figureOf = (figure: BalanceFigure): Prisma.Sql =>
  figure === 'cash' ? Prisma.sql`reading.cash_minor` : Prisma.sql`reading.balance_minor`;

type ReadingTimes = Readonly<{
  /** A balance of this age is read again. */
  freshForMs: number;
  /** A read without a result may be repeated after this. */
  patienceMs: number;
}>;

export const openWatchedBalances = (
  run: Run,
  clock: RuleClock,
  { freshForMs, patienceMs }: ReadingTimes,
): WatchedBalances => ({
  async claim(ruleId) {
    if (!isUuid(ruleId)) return null;
    const [claimed] = await run<WatchedAccount>(Prisma.sql`
      insert into watched_account as watched (provider, provider_account, account, currency, asked_at)
      select payee.provider, payee.provider_account, payee.to_account, payee.currency, ${clock.now()}
      from recharge_rule rule
      join payee on payee.account_id = rule.account_id and payee.currency = rule.currency
      where rule.id = ${ruleId}::uuid and rule.watch = 'cloud' and rule.status = 'active'
      on conflict (provider, provider_account, account, currency) do update
      set asked_at = excluded.asked_at
      where coalesce(watched.read_at <= excluded.asked_at - ${freshForMs}::float8 * interval '1 ms', true)
        and coalesce(watched.asked_at <= excluded.asked_at - ${patienceMs}::float8 * interval '1 ms'
          or watched.read_at >= watched.asked_at, true)
        and coalesce(watched.wait_until <= excluded.asked_at, true)
      returning provider, provider_account as "providerAccount", account, currency`);
    return claimed ?? null;
  },
  async record(account, balance, tookMs) {
    await run(recorded(clock, account, balance, tookMs));
  },
  async leave({ provider, providerAccount, account, currency }, forMs) {
    await run(Prisma.sql`
      update watched_account
      set wait_until = ${clock.now()} + ${forMs}::float8 * interval '1 ms'
      where provider = ${provider} and provider_account = ${providerAccount}
        and account = ${account} and currency = ${currency}`);
  },
});

/** A balance counts from the beginning of its read. It is kept as history when it changed, and once per hour. */
const recorded = (
  clock: RuleClock,
  { provider, providerAccount, account, currency }: WatchedAccount,
  { minor, cashMinor }: WatchedBalance,
  tookMs: number,
): Prisma.Sql => Prisma.sql`
  with
  before as materialized (
    select *
    from watched_account
    where provider = ${provider} and provider_account = ${providerAccount}
      and account = ${account} and currency = ${currency}
    for update),
  kept_readings as (
    insert into account_reading (provider, provider_account, account, currency, at, balance_minor, cash_minor)
    select
      provider,
      provider_account,
      account,
      currency,
      ${clock.now()},
      ${minor.toString()}::bigint,
      ${cashMinor?.toString() ?? null}::bigint
    from before
    where before.balance_minor is distinct from ${minor.toString()}::bigint
      or before.cash_minor is distinct from ${cashMinor?.toString() ?? null}::bigint
      or before.kept_at <= ${clock.now()} - interval '1 hour'
    on conflict do nothing
    returning at)
  update watched_account watched
  set
    balance_minor = ${minor.toString()}::bigint,
    cash_minor = ${cashMinor?.toString() ?? null}::bigint,
    read_at = ${clock.now()} - ${tookMs}::float8 * interval '1 ms',
    wait_until = null,
    kept_at = coalesce((select max(at) from kept_readings), watched.kept_at)
  from before
  where watched.provider = before.provider and watched.provider_account = before.provider_account
    and watched.account = before.account and watched.currency = before.currency
    and coalesce(watched.read_at < ${clock.now()}, true)`;
