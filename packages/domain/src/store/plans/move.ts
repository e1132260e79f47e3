import { type ApprovalLimits, needsApproval } from '../../core/access/approval.js';
import { type PlanVerb, planMoves } from '../../core/plan.js';
import { Prisma } from '../../generated/client.js';
import { nextLookAt } from '../approvals/standing.js';
import type { Run } from '../database/database.js';
import { patiently } from './patiently.js';
import { planById } from './read.js';
import { type PlanView, planColumns } from './view.js';

export type PlanMove = Readonly<{
  planId: string;
  verb: PlanVerb;
  /** The id of a key, or `operator`. After `start`, the accounts and ceilings of this key bound the lines. */
  by: string;
  /** The reason as a code, if it is not a person who pauses the plan. */
  because?: string;
  /** The sums above which a plan waits for an approval, per currency. Default: no plan waits. */
  approvalAbove?: ApprovalLimits;
  /** The approval of a plan that waits, in case one is needed. */
  approval?: Readonly<{ id: string; expiresMs: number }>;
}>;

export type MovedPlan =
  /** `replayed`: the verb had happened before, and changed nothing now. */
  | Readonly<{ ok: true; plan: PlanView; replayed: boolean }>
  | Readonly<{ ok: false; problem: 'unknown_plan' | 'invalid_state'; plan: PlanView | null }>;

/** Uses a verb on a plan. A verb that was used before changes nothing, so it can be repeated. */
export async function movePlan(run: Run, move: PlanMove): Promise<MovedPlan> {
  const plan = await planById(run, move.planId, null);
  if (!plan) return { ok: false, problem: 'unknown_plan', plan };
  const { from, already } = planMoves[move.verb];
  if (already.includes(plan.status)) return { ok: true, plan, replayed: true };
  if (!from.includes(plan.status)) return { ok: false, problem: 'invalid_state', plan };
  // On a busy machine lines that are being stored hold the plan for seconds. A pause has to get through.
  const [moved] = await patiently<PlanView>(run, movedPlan(move, plan));
  // Another verb was faster. This one is judged again by the status that the other has left.
  return moved ? { ok: true, plan: moved, replayed: false } : movePlan(run, move);
}

function movedPlan(
  { verb, by, because, approvalAbove = {}, approval }: PlanMove,
  plan: PlanView,
): Prisma.Sql {
  const isStart = verb === 'start';
  const isWaiting = isStart && needsApproval(approvalAbove, {}, plan.totalMinor, plan.currency);
  const to = isWaiting ? 'waiting' : planMoves[verb].to;
  const expiresAt = isWaiting ? Prisma.sql`now() + ${approval!.expiresMs}::float8 * interval '1 ms'` : null;
  return Prisma.sql`
    with
    plan as (
    update recharge_plan plan
    set
      status = ${to},
      due_at = ${expiresAt ? nextLookAt(expiresAt) : Prisma.sql`case when ${to} = 'running' then now() end`},
      started_by = case when ${isStart} then ${by} else plan.started_by end,
      started_at = case when ${to} = 'running' then coalesce(plan.started_at, now()) else plan.started_at end,
      finished_at = case when ${to} = 'canceled' then now() end,
      paused_because = ${because ?? null}::text
    where plan.id = ${plan.id}::uuid and plan.status = ${plan.status}
    returning plan.*)
    ${verb === 'cancel' ? answeredApproval : Prisma.empty}
    select ${planColumns}${expiresAt ? askedApproval(approval!.id, expiresAt) : Prisma.empty}
    from plan`;
}

/** The end of a plan that waits for its approval also ends the approval. */
const answeredApproval = Prisma.sql`,
    answered_approvals as (
      update approval
      set status = 'refused', reason = 'the plan was canceled', decided_at = now()
      from plan
      where approval.kind = 'plan' and approval.subject = plan.id::text and approval.status = 'pending')`;

/** An approval of a plan is bound to its content, which never changes. */
const askedApproval = (id: string, expiresAt: Prisma.Sql): Prisma.Sql => Prisma.sql`,
      request_approval(
        ${id}::uuid,
        'plan',
        plan.id::text,
        plan.fingerprint,
        plan.client_id::text,
        plan.client_id,
        ${expiresAt})::text as asked`;
