import { Prisma } from '../../generated/client.js';
import type { RechargeReport } from '../recharges/report.js';

/** Whether the facts that the unsent `recharge` was approved for have changed since. Null: it was not approved. */
export const isApprovalVoid = Prisma.sql`case when recharge.state = 'CREATED' and recharge.version > 0 then (
        select approval.hash is distinct from approval_hash(recharge)
        from approval
        where approval.kind = 'recharge' and approval.subject = recharge.id::text and approval.status = 'approved'
        order by approval.created_at desc
        limit 1) end`;

/** The report as it is, except for a claim of a recharge whose approval is void: the recharge is taken back instead. */
export const asApproved = (
  { isApprovalVoid: isVoid }: Readonly<{ isApprovalVoid: boolean | null }>,
  report: RechargeReport,
): RechargeReport =>
  isVoid && report.news === 'submit'
    ? {
        transactionId: report.transactionId,
        news: 'withdraw',
        source: 'operator',
        reason: 'its approval is void: the payee of the account has changed since',
      }
    : report;
