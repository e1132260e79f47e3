import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import type { RechargeReport, ReportResult } from '../recharges/report.js';
import { type ApprovalStanding, standingOf } from './standing.js';

/**
 * Lets a recharge follow its approval: approved, it goes on to its submit; refused or expired, it is canceled. The
 * decision, a commit of its own, also makes the recharge due. So a crash in between loses nothing.
 */
export async function followApproval(
  run: Run,
  applyNews: (report: RechargeReport) => Promise<ReportResult>,
  transactionId: string,
): Promise<ReportResult | null> {
  if (!isUuid(transactionId)) return null;
  const [standing] = await run<ApprovalStanding>(standingOfRecharge(transactionId));
  if (!standing || standing.status === 'pending') return null;
  const { status, decidedBy, reason } = standing;
  const report = { transactionId, source: 'operator' as const };
  if (status === 'approved')
    return applyNews({ ...report, news: 'resolved', isApproved: true, reason: `approved by ${decidedBy}` });
  const why = status === 'expired' ? 'its approval has expired' : `not approved: ${reason}`;
  return applyNews({
    ...report,
    news: 'withdraw',
    reason: decidedBy === null ? why : `${why} (${decidedBy})`,
  });
}

const standingOfRecharge = (id: string): Prisma.Sql =>
  standingOf({
    ...{ kind: 'recharge', id, table: 'recharge_transaction' },
    waits: Prisma.sql`subject.next_step = 'approve'`,
    // The client sees this due time as the end of the wait.
    dueAgain: Prisma.sql`newest.expires_at`,
  });
