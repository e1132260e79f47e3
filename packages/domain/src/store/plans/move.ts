import { needsApproval, type PlanVerb, planMoves } from '../../core/plan.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { planById } from './read.js';
import { type PlanView, planColumns } from './view.js';

export type PlanMove = Readonly<{
  planId: string;
  verb: PlanVerb;
  /** The id of a key, or `operator`. Of `start`: whose accounts and ceilings bound the lines. */
  by: string;
  /** A code, if no person pauses it. */
  because?: string;
  /** The sums above which a plan waits for an approval, per currency. Default: no plan waits. */
  approvalAbove?: Readonly<Record<string, bigint>>;
}>;

export type MovedPlan =
  | Readonly<{ ok: true; plan: PlanView }>
  | Readonly<{ ok: false; problem: 'unknown_plan' | 'invalid_state'; plan: PlanView | null }>;

/** Uses a verb on a plan. A verb that was used before changes nothing, so it can be repeated. */
export async function movePlan(run: Run, move: PlanMove): Promise<MovedPlan> {
  const plan = await planById(run, move.planId, null);
  if (!plan) return { ok: false, problem: 'unknown_plan', plan };
  const { from, already } = planMoves[move.verb];
  if (already.includes(plan.status)) return { ok: true, plan };
  if (!from.includes(plan.status)) return { ok: false, problem: 'invalid_state', plan };
  const [moved] = await run<PlanView>(movedPlan(move, plan));
  // Another verb was faster. Each verb leads to a status that this one is judged by.
  return moved ? { ok: true, plan: moved } : movePlan(run, move);
}

function movedPlan({ verb, by, because, approvalAbove }: PlanMove, plan: PlanView): Prisma.Sql {
  const isStart = verb === 'start';
  const to = isStart && needsApproval(plan, approvalAbove) ? 'waiting' : planMoves[verb].to;
  return Prisma.sql`
    update recharge_plan plan
    set
      status = ${to},
      due_at = case when ${to} = 'running' then now() end,
      started_by = case when ${isStart} then ${by} else plan.started_by end,
      started_at = case when ${to} = 'running' then coalesce(plan.started_at, now()) else plan.started_at end,
      finished_at = case when ${to} = 'canceled' then now() end,
      paused_because = ${because ?? null}::text
    where plan.id = ${plan.id}::uuid and plan.status = ${plan.status}
    returning ${planColumns}`;
}
