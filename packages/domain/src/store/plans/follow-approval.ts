import { Prisma } from '../../generated/client.js';
import { type ApprovalStanding, nextLookAt, standingOf } from '../approvals/standing.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import { movePlan } from './move.js';

/**
 * Lets a plan follow its approval: approved, it runs; refused or expired, it is canceled. The approval is decided in a
 * commit of its own before. A plan that waits is due again and again, so a crash in between loses nothing.
 */
export async function followPlanApproval(run: Run, planId: string): Promise<void> {
  if (!isUuid(planId)) return;
  const [standing] = await run<ApprovalStanding>(standingOfPlan(planId));
  if (!standing || standing.status === 'pending') return;
  const verb = standing.status === 'approved' ? 'approve' : 'cancel';
  await movePlan(run, { planId, verb, by: standing.decidedBy ?? 'operator' });
}

const standingOfPlan = (id: string): Prisma.Sql =>
  standingOf({
    ...{ kind: 'plan', id, table: 'recharge_plan' },
    waits: Prisma.sql`subject.status = 'waiting'`,
    dueAgain: nextLookAt(Prisma.sql`newest.expires_at`),
  });
