import {
  type CapLimits,
  type CapScope,
  limitsOf,
  reasonOfScope,
  type WiderCap,
  type WiderLimits,
} from '../../../core/rules/rule-caps.js';
import { Prisma } from '../../../generated/client.js';
import type { Run } from '../../database/database.js';

/** The counters that a recharge of a rule counts in, by scope, in the rule's currency. */
export type RuleCounters = Readonly<{
  names: Readonly<Record<CapScope, string>>;
  currency: string;
  /** The present quarter of an hour, and the present month of UTC as the number of months since the year 0. */
  step: number;
  month: number;
}>;

/** @param source our account at the provider that pays. Null: none is known */
export const countersOf = (
  clientId: string,
  source: string | null,
  currency: string,
  now: Date,
): RuleCounters => ({
  names: { owner: `owner ${clientId}`, source: `source ${source ?? 'unknown'}`, fleet: 'fleet' },
  currency,
  step: Math.floor(now.getTime() / STEP_MS),
  month: now.getUTCFullYear() * 12 + now.getUTCMonth(),
});

const STEP_MS = 900_000;
const STEPS_OF_DAY = 96;

const namesIn = ({ names }: RuleCounters): string[] => Object.values(names).sort();

type CounterRow = Readonly<{
  name: string;
  dayMinor: string;
  timesInDay: number;
  firstStep: number | null;
  monthMinor: string;
  timesInMonth: number;
}>;

/** The caps over a rule, with what their counters have now. It reads three rows at most, and none without caps. */
export async function readWider(run: Run, wider: WiderLimits, counters: RuleCounters): Promise<WiderCap[]> {
  const limits = limitsOf(wider, counters.currency);
  if (limits.length === 0) return [];
  const rows = await run<CounterRow>(readCounters(counters));
  return limits.map((cap) => {
    const row = rows.find(({ name }) => name === counters.names[cap.scope]);
    const {
      dayMinor = '0',
      timesInDay = 0,
      firstStep = null,
      monthMinor = '0',
      timesInMonth = 0,
    } = row ?? {};
    const dayFreeAt = firstStep === null ? null : new Date((firstStep + STEPS_OF_DAY + 1) * STEP_MS);
    const used = { dayMinor: BigInt(dayMinor), monthMinor: BigInt(monthMinor) };
    return { ...cap, used: { ...used, timesInDay, timesInMonth, dayFreeAt } };
  });
}

export const readCounters = (counters: RuleCounters): Prisma.Sql => Prisma.sql`
  select
    name,
    day_sum(amounts, ${counters.step}::int)::text as "dayMinor",
    day_sum(times, ${counters.step}::int)::int as "timesInDay",
    (
      select min(key::int)
      from jsonb_object_keys(times) key
      where key::int >= ${counters.step - STEPS_OF_DAY}::int) as "firstStep",
    case when month >= ${counters.month}::int then month_minor else 0 end::text as "monthMinor",
    case when month >= ${counters.month}::int then month_times else 0 end as "timesInMonth"
  from rule_counter
  where name = any(${namesIn(counters)}::text[]) and currency = ${counters.currency}`;

/** Makes the counters' rows, if they are missing, so that there is something to lock. They are never deleted. */
export const insertedCounters = (counters: RuleCounters): Prisma.Sql => Prisma.sql`
  insert into rule_counter (name, currency)
  select name, ${counters.currency}
  from unnest(${namesIn(counters)}::text[]) name
  order by name collate "C"
  on conflict do nothing`;

/**
 * Locks the counters until the commit, so that two rules that decide at once count one after the other. All of them are
 * locked, also those of scopes without caps, and in the order of their names: statements that cross then wait instead of
 * deadlocking. Postgres reads a row whose lock was awaited as it is after the wait.
 */
export const lockedCounters = (counters: RuleCounters): Prisma.Sql => Prisma.sql`
    locked_counters as materialized (
      select
        name,
        day_sum(amounts, ${counters.step}::int) as day_minor,
        day_sum(times, ${counters.step}::int) as times_in_day,
        case when month >= ${counters.month}::int then month_minor else 0 end as month_minor,
        case when month >= ${counters.month}::int then month_times else 0 end as times_in_month
      from (
        select *
        from rule_counter
        where name = any(${namesIn(counters)}::text[]) and currency = ${counters.currency}
          and (select count(*) from won_rule) > 0
        order by name collate "C"
        for update) counter)`;

/**
 * The branches of a `case` that name the wider cap which has no room for an amount. A cap without a counter has no
 * room.
 */
export const heldByWider = (
  wider: WiderLimits,
  { names, currency }: RuleCounters,
  amountMinor: bigint,
): Prisma.Sql => {
  const branches = limitsOf(wider, currency).map(
    ({ scope, limits }) => Prisma.sql`
        when not exists (
          select
          from locked_counters
          where name = ${names[scope]} and ${hasRoom(limits, amountMinor)})
        then ${reasonOfScope[scope]}`,
  );
  return branches.length === 0 ? Prisma.empty : Prisma.join(branches, '');
};

const hasRoom = (limits: CapLimits, amountMinor: bigint): Prisma.Sql => Prisma.sql`
            day_minor + ${amountMinor.toString()}::numeric <= coalesce(${textOf(limits.perDayMinor)}::numeric, 'infinity')
            and month_minor + ${amountMinor.toString()}::numeric
              <= coalesce(${textOf(limits.perMonthMinor)}::numeric, 'infinity')
            and times_in_day < coalesce(${limits.timesPerDay}::numeric, 'infinity')
            and times_in_month < coalesce(${limits.timesPerMonth}::numeric, 'infinity')`;

const textOf = (minor: bigint | null): string | null => (minor === null ? null : String(minor));

/** Counts the stored recharge. It counts whatever becomes of it, and whether there are caps or not. */
export const countedRule = (counters: RuleCounters, amountMinor: bigint): Prisma.Sql => {
  const amount = amountMinor.toString();
  return Prisma.sql`
    counted_rule as (
      insert into rule_counter as counter (name, currency, amounts, times, month, month_minor, month_times)
      select
        name,
        ${counters.currency},
        jsonb_build_object(${counters.step}::int, ${amount}::numeric),
        jsonb_build_object(${counters.step}::int, 1),
        ${counters.month}::int,
        ${amount}::numeric,
        1
      from inserted_recharges
      cross join unnest(${namesIn(counters)}::text[]) name
      order by name collate "C"
      on conflict (name, currency) do update
        set
          amounts = day_added(counter.amounts, excluded.amounts, ${counters.step}::int),
          times = day_added(counter.times, excluded.times, ${counters.step}::int),
          month = greatest(counter.month, excluded.month),
          month_minor = excluded.month_minor
            + case when counter.month >= excluded.month then counter.month_minor else 0 end,
          month_times = excluded.month_times
            + case when counter.month >= excluded.month then counter.month_times else 0 end)`;
};
