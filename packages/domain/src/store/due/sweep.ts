import { type NextStep, nextSteps } from '../../core/next-step.js';
import { kinds } from '../../core/postings.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { uuidsOf } from '../database/storable.js';

/** The due rows that go to one queue. */
export type Lane =
  | Readonly<{ what: 'recharge'; provider: string; nextStep: NextStep }>
  | Readonly<{ what: 'event' }>;

/** Something unfinished whose time has come. */
export type Due = Lane & Readonly<{ id: string }>;

/**
 * @property afterMs how long a provider may be silent before it is asked
 * @property queryLimitMs longest time of one query with its retries: within it no second one is started
 * @property periodMs time between two sweeps
 */
export type SweepTimes = Readonly<{ afterMs: number; queryLimitMs: number; periodMs: number }>;

export interface Sweep {
  /**
   * Takes up to `max` due rows of a lane, or of all, oldest first, and sets each one's next due time, so that two
   * sweepers never hold the same row and a job that is lost is found again.
   */
  takeDue(max: number, lane?: Lane): Promise<Due[]>;
  /** Takes up to `max` unfinished recharges whether due or not, or the one with this id: somebody asks for it by hand. */
  takeWaiting(max: number, id?: string): Promise<Due[]>;
  /** Makes rows due again whose jobs could not be added. */
  putBack(due: readonly Due[]): Promise<void>;
  /** How many recharges are due at providers other than these. */
  dueElsewhere(providers: readonly string[]): Promise<{ provider: string; count: number }[]>;
}

export const openSweep = (run: Run, times: SweepTimes): Sweep => ({
  takeDue: async (max, lane) => [
    ...(lane?.what === 'event' ? [] : await takeRecharges(run, max, times, dueIn(lane))),
    ...(lane?.what === 'recharge' ? [] : await takeEvents(run, max, times)),
  ],
  takeWaiting: (max, id) => takeRecharges(run, max, times, waiting(id)),
  putBack: (due) => putBack(run, due),
  dueElsewhere: (providers) => dueElsewhere(run, providers),
});

const dueIn = (lane?: Extract<Lane, { what: 'recharge' }>): Prisma.Sql =>
  lane
    ? Prisma.sql`provider = ${lane.provider} and next_step = ${lane.nextStep} and due_at <= now()`
    : Prisma.sql`due_at <= now()`;

const waiting = (id?: string): Prisma.Sql =>
  id === undefined
    ? Prisma.sql`due_at is not null`
    : Prisma.sql`due_at is not null and id = any(${uuidsOf([id])}::uuid[])`;

/**
 * A recharge that waits for its submit job has a time that grows with its age only. It comes again after a period or
 * two, because the job may be lost; where rows wait out an outage of hours it comes after a quarter of its age or more,
 * up to four times `afterMs`. One that waits for a question has the provider's patience: the gap doubles with every sweep that
 * brought nothing, up to four times `afterMs`. (Questions that bring nothing grow the gap to 64 times, `gapMs`.)
 * What only a newer release knows is left to its sweep: to put its time off would delay it.
 */
async function takeRecharges(
  run: Run,
  max: number,
  { afterMs, queryLimitMs, periodMs }: SweepTimes,
  which: Prisma.Sql,
): Promise<Due[]> {
  const rows = await run<{ id: string; provider: string; nextStep: NextStep }>(Prisma.sql`
    with due as materialized (
      select id from recharge_transaction
      where ${which} and kind = any(${[...kinds]}::text[]) and next_step = any(${[...nextSteps]}::text[])
      order by due_at limit ${max}::int for update skip locked)
    update recharge_transaction t set
      asks = case when t.next_step = 'ask' then greatest(t.asks, least(t.asks + 1, 2)) else t.asks end,
      due_at = now() + case when t.next_step = 'ask'
        then greatest(${afterMs}::int * 2 ^ least(t.asks, 2) * (0.75 + random() / 2), ${queryLimitMs}::int)
          * interval '1 ms'
        else greatest(${periodMs}::int * interval '1 ms',
          least((now() - t.created_at) / 4, ${afterMs}::int * interval '2 ms')) * (1 + random()) end
    from due where t.id = due.id
    returning t.id, t.provider, t.next_step as "nextStep"`);
  return rows.map((row) => ({ what: 'recharge' as const, ...row }));
}

/** An event waits a quarter as long again as it has waited. */
async function takeEvents(run: Run, max: number, { afterMs }: SweepTimes): Promise<Due[]> {
  const rows = await run<{ id: string }>(Prisma.sql`
    with due as materialized (
      select id from webhook_event where due_at <= now()
      order by due_at limit ${max}::int for update skip locked)
    update webhook_event e set due_at = now() + (0.75 + random() / 2)
      * least(greatest((now() - e.stored_at) / 4, ${afterMs}::int * interval '1 ms'), ${afterMs}::int * interval '64 ms')
    from due where e.id = due.id
    returning e.id`);
  return rows.map((row) => ({ what: 'event' as const, ...row }));
}

async function putBack(run: Run, due: readonly Due[]): Promise<void> {
  const idsOf = (what: Due['what']) => uuidsOf(due.filter((one) => one.what === what).map(({ id }) => id));
  const [recharges, events] = [idsOf('recharge'), idsOf('event')];
  // A row that somebody holds is being worked on: its time is set by what is heard.
  if (recharges.length > 0)
    await run(Prisma.sql`
      with taken as materialized (
        select id from recharge_transaction where id = any(${recharges}::uuid[]) and due_at is not null
        order by id for update skip locked)
      update recharge_transaction t set due_at = now() from taken where t.id = taken.id`);
  if (events.length > 0)
    await run(Prisma.sql`
      with taken as materialized (
        select id from webhook_event where id = any(${events}::uuid[]) and due_at is not null
        order by id for update skip locked)
      update webhook_event e set due_at = now() from taken where e.id = taken.id`);
}

/** Steps from provider to provider through the index, so that the backlogs of the others are not read. */
function dueElsewhere(
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
      where t.provider = known.provider and t.next_step in ('submit', 'ask') and t.due_at <= now()) counted
    where known.provider <> all(${[...providers]}::text[]) and counted.count > 0`);
}
