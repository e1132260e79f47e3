import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import type { RechargeReport, ReportResult } from '../recharges/report.js';

type Standing = Readonly<{
  status: 'pending' | 'approved' | 'refused' | 'expired';
  reason: string | null;
  decidedBy: string | null;
}>;

/**
 * Lets a recharge follow its approval: approved, it goes on to its submit; refused or expired, it is canceled. The
 * approval is decided in a commit of its own before, and a recharge that waits stays due, so a crash in between loses
 * nothing.
 */
export async function followApproval(
  run: Run,
  applyNews: (report: RechargeReport) => Promise<ReportResult>,
  transactionId: string,
): Promise<ReportResult | null> {
  if (!isUuid(transactionId)) return null;
  const [standing] = await run<Standing>(standingOf(transactionId));
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

/**
 * The newest approval of a recharge in the step `approve`. One that is over expires here. Where it is still open, the
 * recharge is due again when it expires.
 */
const standingOf = (transactionId: string): Prisma.Sql => Prisma.sql`
  with
  waiting as materialized (
    select id
    from recharge_transaction
    where id = ${transactionId}::uuid and next_step = 'approve'),
  newest as materialized (
    select approval.*
    from approval
    where approval.kind = 'recharge' and approval.subject = ${transactionId} and exists (select from waiting)
    order by approval.created_at desc
    limit 1),
  expired as (
    update approval
    set status = 'expired', reason = 'nobody decided in time', decided_at = now()
    from newest
    where approval.id = newest.id and approval.status = 'pending' and approval.expires_at <= now()
    returning approval.id, approval.status),
  later as (
    update recharge_transaction recharge
    set due_at = newest.expires_at
    from newest
    where recharge.id = ${transactionId}::uuid and recharge.next_step = 'approve'
      and newest.status = 'pending' and newest.expires_at > now())
  select coalesce(expired.status, newest.status) as status, newest.reason, newest.decided_by as "decidedBy"
  from newest
  left join expired on expired.id = newest.id`;
