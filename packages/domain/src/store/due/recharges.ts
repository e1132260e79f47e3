import { kinds } from '../../core/money/postings.js';
import { type NextStep, nextSteps } from '../../core/next-step.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { uuidsOf } from '../database/storable.js';
import { type Due, type DueSource, inBatches, type Lane, putBackRows, type SweepTimes } from './source.js';

type RechargeLane = Extract<Lane, { what: 'recharge' }>;

/** Unfinished recharges. Each provider has a lane for each next step. */
export const dueRecharges = (run: Run, times: SweepTimes): DueSource<RechargeLane> => ({
  lanes: (providers) =>
    providers.flatMap((provider): RechargeLane[] =>
      nextSteps.map((nextStep) => ({ what: 'recharge', provider, nextStep })),
    ),
  withWork: (lanes) => lanesWithWork(run, lanes),
  take: (max, lane) => inBatches(max, (some) => takeRecharges(run, some, times, dueIn(lane))),
  putBack: (ids) => putBackRows(run, 'recharge_transaction', ids),
});

/**
 * Takes up to `max` unfinished recharges, due or not. With `id` it takes that recharge only. An operator's command uses
 * it.
 */
export const takeUnfinished = (run: Run, max: number, times: SweepTimes, id?: string): Promise<Due[]> =>
  inBatches(max, (some, taken) => takeRecharges(run, some, times, unfinished(taken, id)));

/**
 * Asks for all lanes in one statement. A statement for each lane is sixteen each second with four providers, and most of
 * them find nothing. The oldest row of each lane is read and then compared: `exists` with all conditions became a join
 * that read every due row, 0.7 s with a backlog of 200,000.
 */
async function lanesWithWork(run: Run, lanes: readonly RechargeLane[]): Promise<RechargeLane[]> {
  const rows = await run<{ place: number }>(Prisma.sql`
    select lane.place::int as place
    from unnest(${lanes.map(({ provider }) => provider)}::text[], ${lanes.map(({ nextStep }) => nextStep)}::text[])
      with ordinality as lane(provider, next_step, place)
    cross join lateral (
      select waiting.due_at
      from recharge_transaction waiting
      where waiting.provider = lane.provider and waiting.next_step = lane.next_step and waiting.due_at is not null
      order by waiting.due_at
      limit 1) oldest
    where oldest.due_at <= now()`);
  const busy = new Set(rows.map(({ place }) => place - 1));
  return lanes.filter((_, place) => busy.has(place));
}

const dueIn = (lane?: RechargeLane): Prisma.Sql =>
  lane
    ? Prisma.sql`provider = ${lane.provider} and next_step = ${lane.nextStep} and due_at <= now()`
    : Prisma.sql`due_at <= now()`;

const unfinished = (taken: readonly Due[], id?: string): Prisma.Sql =>
  id === undefined
    ? Prisma.sql`due_at is not null and id <> all(${taken.map((due) => due.id)}::uuid[])`
    : Prisma.sql`due_at is not null and id = any(${uuidsOf([id])}::uuid[])`;

/**
 * Takes recharges and sets their next due times.
 * - Next step `submit`: the gap depends on the recharge's age only. A young recharge is due again after one or two
 *   periods, because its job may be lost. During an outage of hours the gap is a quarter to a half of the age, at most
 *   four times `afterMs`.
 * - Next step `ask` or `cancel`: the gap doubles with each sweep without a result, up to four times `afterMs`. (Fruitless queries
 *   lengthen it up to 64 times: `gapMs`.)
 *
 * A recharge whose kind or step only a newer release knows is left to that release's sweep. A new due time would delay
 * it.
 */
async function takeRecharges(
  run: Run,
  max: number,
  { afterMs, queryLimitMs, periodMs }: SweepTimes,
  which: Prisma.Sql,
): Promise<Due[]> {
  const rows = await run<{ id: string; provider: string; nextStep: NextStep }>(Prisma.sql`
    with due as materialized (
      select id
      from recharge_transaction
      where ${which} and kind = any(${[...kinds]}::text[]) and next_step = any(${[...nextSteps]}::text[])
      order by due_at
      limit ${max}::int
      for update skip locked)
    update recharge_transaction t
    set
      asks = case when t.next_step <> 'submit' then greatest(t.asks, least(t.asks + 1, 2)) else t.asks end,
      due_at = now() + case
        when t.next_step <> 'submit'
        then greatest(${afterMs}::int * 2 ^ least(t.asks, 2) * (0.75 + random() / 2), ${queryLimitMs}::int)
          * interval '1 ms'
        else greatest(
          ${periodMs}::int * interval '1 ms',
          least((now() - t.created_at) / 4, ${afterMs}::int * interval '2 ms')) * (1 + random())
      end
    from due
    where t.id = due.id
    returning t.id, t.provider, t.next_step as "nextStep"`);
  return rows.map((row) => ({ what: 'recharge' as const, ...row }));
}

/**
 * Counts the due recharges of all providers other than these. The statement steps from provider to provider through the
 * index, so the backlogs of the given providers are not read.
 */
export function dueElsewhere(
  run: Run,
  providers: readonly string[],
): Promise<{ provider: string; count: number }[]> {
  return run(Prisma.sql`
    with recursive known as (
      select min(provider) as provider from recharge_transaction where due_at is not null
      union all
      select (select min(t.provider) from recharge_transaction t where t.due_at is not null and t.provider > known.provider)
      from known where known.provider is not null)
    select known.provider, counted.count from known, lateral (
      select count(*)::int as count from recharge_transaction t
      where t.provider = known.provider and t.next_step = any(${[...nextSteps]}::text[]) and t.due_at <= now()) counted
    where known.provider <> all(${[...providers]}::text[]) and counted.count > 0`);
}
