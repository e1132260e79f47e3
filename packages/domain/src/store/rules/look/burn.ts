import type { BurnRate } from '../../../core/rules/rule-facts.js';
import type { BalanceFigure } from '../../../core/rules/rule-terms.js';
import { Prisma } from '../../../generated/client.js';
import type { Run } from '../../database/database.js';
import type { RuleClock } from './clock.js';
import { figureOf } from './readings.js';

/** The days over which the use of a balance is averaged. A shorter history gives no average. */
const BURN_DAYS = 7;
const HISTORY_MIN_MS = 86_400_000;
const DAY_MS = 86_400_000;

type UsedUp = Readonly<{ usedMinor: bigint; since: Date | null; now: Date }>;

/** A wallet or a watched account, by the rule that watches it. */
export type Burned = Readonly<{
  watch: 'cloud' | 'wallet';
  accountId: string;
  currency: string;
  figure: BalanceFigure;
}>;

/** How fast a balance was used up in the last days. Null: its history is too short. */
export async function readBurn(run: Run, clock: RuleClock, of: Burned): Promise<BurnRate | null> {
  const [found] = await run<UsedUp>(of.watch === 'wallet' ? usedOfWallet(clock, of) : usedAtCloud(clock, of));
  const { usedMinor, since, now } = found!;
  const knownMs = since === null ? 0 : Math.min(now.getTime() - since.getTime(), BURN_DAYS * DAY_MS);
  if (knownMs < HISTORY_MIN_MS) return null;
  const used = usedMinor > 0n ? usedMinor : 0n;
  return { perDayMinor: (used * BigInt(DAY_MS)) / BigInt(knownMs), days: Math.floor(knownMs / DAY_MS) };
}

/**
 * What the wallet paid for deliveries, less what came back from them. Refunds are not use. Nor is a delivery that only
 * passes collected money on.
 */
const usedOfWallet = (clock: RuleClock, { accountId, currency }: Burned): Prisma.Sql => {
  const name = `wallet:${accountId}:available`;
  const spending = (side: 'debit' | 'credit'): Prisma.Sql => Prisma.sql`
    select coalesce(sum(entry.amount_minor), 0)
    from ledger_entry entry
    join recharge_transaction recharge on recharge.id = entry.transaction_id
    where entry.${Prisma.raw(`${side}_account`)} = ${name} and entry.currency = ${currency}
      and entry.${Prisma.raw(`${side}_account`)} like 'wallet:%'
      and entry.at > ${clock.now()} - ${BURN_DAYS}::int * interval '1 day'
      and recharge.kind = 'deliver' and recharge.collected_by is null`;
  return Prisma.sql`
    select
      ((${spending('debit')}) - (${spending('credit')}))::bigint as "usedMinor",
      (
        select min(entry.at)
        from ledger_entry entry
        where entry.credit_account = ${name} and entry.currency = ${currency}
          and entry.credit_account like 'wallet:%') as since,
      ${clock.now()} as now`;
};

/** The falls of the balance between its readings, without what we recalled. A rise is money that came in. */
const usedAtCloud = (clock: RuleClock, { accountId, currency, figure }: Burned): Prisma.Sql => Prisma.sql`
  with
  readings as materialized (
    select
      reading.at,
      lag(${figureOf(figure)}) over (order by reading.at) - ${figureOf(figure)} as fall,
      reading.provider,
      reading.account
    from payee
    join account_reading reading on reading.provider = payee.provider
      and reading.provider_account = payee.provider_account
      and reading.account = payee.to_account
      and reading.currency = payee.currency
    where payee.account_id = ${accountId} and payee.currency = ${currency}
      and reading.at > ${clock.now()} - ${BURN_DAYS}::int * interval '1 day'
      and ${figureOf(figure)} is not null)
  select
    (coalesce(sum(fall) filter (where fall > 0), 0) - (
      select coalesce(sum(recall.amount_minor), 0)
      from payee
      join recharge_transaction recall on recall.provider = payee.provider
        and recall.provider_account = payee.provider_account
        and recall.currency = payee.currency
      where payee.account_id = ${accountId} and payee.currency = ${currency}
        and recall.kind = 'recall' and recall.state = 'SUCCEEDED'
        and recall.payee ->> 'to' = payee.to_account
        and recall.account_id = ${accountId}
        and recall.refund_of is not null
        and recall.succeeded_at > ${clock.now()} - ${BURN_DAYS}::int * interval '1 day'))::bigint as "usedMinor",
    min(at) as since,
    ${clock.now()} as now
  from readings`;
