import type { LineCanary } from '../../core/plan.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { columns } from '../database/rows.js';
import { joinedCanary, judgedPayee, lineCanary } from './line-canary.js';
import type { PlanLine } from './new-plan.js';
import { lineColumns } from './view.js';

/** A plan that a worker has taken. */
export type TakenPlan = Readonly<{
  id: string;
  clientId: string;
  status: 'running' | 'waiting';
  currency: string;
  correlationId: string;
  startedBy: string;
}>;

/** A line that gets its recharge next. */
export type NextPlanLine = PlanLine &
  Readonly<{
    place: number;
    /** Why the line does not go to its payee at once. Null: the line goes. */
    canary: LineCanary | null;
    /** The payee that this was decided by, as text of JSON. Null: it does not depend on the payee. */
    judgedPayee: string | null;
  }>;

export type PlanRefusal = Readonly<{ place: number; code: string; message: string }>;

// A worker that dies with a plan delays the plan by this time. A batch of lines takes less than a second.
const LEASE_MS = 5_000;
// A plan whose recharges are all created is looked at until they are final. The gap between two looks grows with the
// age of the plan, between these limits.
const GAP_MAX_MS = 30_000;
const GAP_MIN_MS = 500;

/** Takes the plan that is due for the longest time, for a few seconds. Null: none is due. */
export async function takePlan(run: Run): Promise<TakenPlan | null> {
  const [taken] = await run<TakenPlan>(Prisma.sql`
    with due as materialized (
      select id
      from recharge_plan
      where due_at <= now()
      order by due_at
      limit 1
      -- While lines of a plan are stored, their statement holds the plan. Then another plan has its turn.
      for no key update skip locked)
    update recharge_plan plan
    set due_at = now() + ${LEASE_MS}::int * interval '1 ms'
    from due
    where plan.id = due.id
    returning
      plan.id,
      plan.client_id as "clientId",
      plan.status,
      plan.currency,
      plan.correlation_id as "correlationId",
      plan.started_by as "startedBy"`);
  return taken ?? null;
}

/** The next lines without a recharge. None: all have one, or the plan does not run. */
export const nextPlanLines = (run: Run, planId: string, max: number): Promise<NextPlanLine[]> =>
  run<NextPlanLine>(Prisma.sql`
    select ${lineColumns}, ${lineCanary} as canary, ${judgedPayee} as "judgedPayee"
    from recharge_plan plan
    join recharge_plan_line line on line.plan_id = plan.id
      and line.place >= plan.next_place and line.place < plan.next_place + ${max}::int
    ${joinedCanary}
    where plan.id = ${planId}::uuid and plan.status = 'running'
    order by line.place`);

const refusalRows = columns({ place: 'int', code: 'text', message: 'text' });

/** The refusals in the relation `input`, of the plan in the relation `advanced`. */
const insertedRefusals = Prisma.sql`
    insert into recharge_plan_refusal (plan_id, place, code, message)
    select advanced.id, place, code, message
    from advanced
    cross join input
    on conflict do nothing`;

/**
 * Notes that each line up to a place has its recharge or its refusal, or is held. Then makes the plan due. A plan that
 * was paused or canceled meanwhile keeps its status. If two workers hold one plan, the later one changes nothing.
 */
export const advancePlan = async (
  run: Run,
  planId: string,
  upTo: number,
  { refusals, held }: Readonly<{ refusals: readonly PlanRefusal[]; held: readonly number[] }>,
): Promise<void> => {
  await run(Prisma.sql`
    with
    input as materialized ${refusalRows.from(refusals)},
    advanced as (
      update recharge_plan
      set
        next_place = ${upTo + 1}::int,
        due_at = case when status = 'running' then now() end
      where id = ${planId}::uuid and next_place <= ${upTo}::int
      returning id),
    held_lines as (
      insert into recharge_plan_held (plan_id, place)
      select advanced.id, place
      from advanced
      cross join unnest(${[...held]}::int[]) place
      on conflict do nothing)
    ${insertedRefusals}`);
};

/** Notes that lines which were held have their recharge or their refusal, and makes the plan due. */
export const releaseHeld = async (
  run: Run,
  planId: string,
  places: readonly number[],
  refusals: readonly PlanRefusal[],
): Promise<void> => {
  await run(Prisma.sql`
    with
    input as materialized ${refusalRows.from(refusals)},
    released as (
      delete from recharge_plan_held
      where plan_id = ${planId}::uuid and place = any(${[...places]}::int[])),
    advanced as (
      update recharge_plan
      set due_at = case when status = 'running' then now() end
      where id = ${planId}::uuid
      returning id)
    ${insertedRefusals}`);
};

/** The plan is finished once each line is final. Returns whether it has just become so. */
export async function settlePlan(run: Run, planId: string): Promise<boolean> {
  const [settled] = await run<{ isFinished: boolean }>(Prisma.sql`
    with counted as materialized (
      select coalesce(sum(succeeded_lines + failed_lines + canceled_lines), 0) as final_lines
      from recharge_plan_count
      where plan_id = ${planId}::uuid)
    update recharge_plan plan
    set
      status = case when final_lines = plan.lines then 'finished' else plan.status end,
      finished_at = case when final_lines = plan.lines then now() end,
      due_at = case when final_lines < plan.lines
        then now() + least(greatest((now() - plan.started_at) / 20, ${GAP_MIN_MS}::int * interval '1 ms'),
          ${GAP_MAX_MS}::int * interval '1 ms') end
    from counted
    where plan.id = ${planId}::uuid and plan.status = 'running' and plan.next_place > plan.lines
    returning plan.status = 'finished' as "isFinished"`);
  return settled?.isFinished ?? false;
}
