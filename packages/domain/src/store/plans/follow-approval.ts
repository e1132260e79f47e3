import type { ApprovalStatus } from '../../core/approval.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import { movePlan } from './move.js';

type PlanStanding = Readonly<{ status: ApprovalStatus; decidedBy: string | null }>;

/**
 * Lets a plan follow its approval: approved, it runs; refused or expired, it is canceled. The approval is decided in a
 * commit of its own before, and a plan that waits stays due, so a crash in between loses nothing.
 */
export async function followPlanApproval(run: Run, planId: string): Promise<void> {
  if (!isUuid(planId)) return;
  const [standing] = await run<PlanStanding>(standingOf(planId));
  if (!standing || standing.status === 'pending') return;
  const verb = standing.status === 'approved' ? 'approve' : 'cancel';
  await movePlan(run, { planId, verb, by: standing.decidedBy ?? 'operator' });
}

/** The newest approval of a plan that waits. One that is over expires here. Where it is open, the plan waits for its end. */
const standingOf = (planId: string): Prisma.Sql => Prisma.sql`
  with
  newest as materialized (
    select approval.*
    from approval
    where approval.kind = 'plan' and approval.subject = ${planId}
      and exists (select from recharge_plan where id = ${planId}::uuid and status = 'waiting')
    order by approval.created_at desc
    limit 1),
  expired as (
    update approval
    set status = 'expired', reason = 'nobody decided in time', decided_at = now()
    from newest
    where approval.id = newest.id and approval.status = 'pending' and approval.expires_at <= now()
    returning approval.status),
  later as (
    update recharge_plan plan
    set due_at = newest.expires_at
    from newest
    where plan.id = ${planId}::uuid and newest.status = 'pending' and newest.expires_at > now()
      and plan.status = 'waiting')
  select
    coalesce((select status from expired), newest.status) as status,
    newest.decided_by as "decidedBy"
  from newest`;
