import type { ApprovalStatus } from '../../core/approval.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';

/** What an approval of a recharge is about. */
export type ApprovedRecharge = Readonly<{
  transactionId: string;
  accountId: string;
  amountMinor: string;
  currency: string;
  paymentMethod: string;
  provider: string;
  target: string | null;
  client: string | null;
}>;

export type ApprovalView = Readonly<{
  approvalId: string;
  kind: string;
  subject: string;
  hash: string;
  requestedBy: string;
  status: ApprovalStatus;
  reason: string | null;
  decidedBy: string | null;
  createdAt: Date;
  expiresAt: Date;
  decidedAt: Date | null;
  /** The recharge that the approval is about. Null for an approval of another kind. */
  recharge: ApprovedRecharge | null;
}>;

export type ApprovalFilter = Readonly<{
  status?: ApprovalStatus | undefined;
  limit: number;
  beforeId?: string | undefined;
}>;

/** A page of approvals, newest first. `nextId` is null on the last page. */
export type ApprovalPage = Readonly<{ rows: ApprovalView[]; nextId: string | null }>;

const columns = Prisma.sql`
  approval.id as "approvalId",
  approval.kind,
  approval.subject,
  approval.hash,
  approval.requested_by as "requestedBy",
  case when approval.status = 'pending' and approval.expires_at <= now() then 'expired' else approval.status end as status,
  approval.reason,
  approval.decided_by as "decidedBy",
  approval.created_at as "createdAt",
  approval.expires_at as "expiresAt",
  approval.decided_at as "decidedAt",
  case when approval.kind = 'recharge' then (
    select jsonb_build_object(
      'transactionId', recharge.id,
      'accountId', recharge.account_id,
      'amountMinor', recharge.amount_minor::text,
      'currency', recharge.currency,
      'paymentMethod', recharge.payment_method,
      'provider', recharge.provider,
      'target', recharge.payee ->> 'to',
      'client', (select client.name from client where client.id = recharge.client_id))
    from recharge_transaction recharge
    where recharge.id = approval.subject::uuid) end as recharge`;

export async function listApprovals(
  run: Run,
  { status, limit, beforeId }: ApprovalFilter,
): Promise<ApprovalPage> {
  const rows = await run<ApprovalView>(Prisma.sql`
    select ${columns}
    from approval
    where ${isOfStatus(status)}
      ${beforeId !== undefined && isUuid(beforeId) ? before(beforeId) : Prisma.empty}
    order by approval.created_at desc, approval.id desc
    limit ${limit + 1}::int`);
  const isMore = rows.length > limit;
  return { rows: rows.slice(0, limit), nextId: isMore ? rows[limit - 1]!.approvalId : null };
}

/** A pending approval whose time is over counts as expired, also before the sweep that says so. */
const isOfStatus = (status: ApprovalStatus | undefined): Prisma.Sql => {
  if (status === undefined) return Prisma.sql`true`;
  if (status === 'pending') return Prisma.sql`approval.status = 'pending' and approval.expires_at > now()`;
  if (status === 'expired')
    return Prisma.sql`(approval.status = 'expired' or (approval.status = 'pending' and approval.expires_at <= now()))`;
  return Prisma.sql`approval.status = ${status}`;
};

const before = (id: string): Prisma.Sql => Prisma.sql`
  and (approval.created_at, approval.id) < (select created_at, id from approval where id = ${id}::uuid)`;

export async function approvalById(run: Run, id: string): Promise<ApprovalView | null> {
  if (!isUuid(id)) return null;
  const [found] = await run<ApprovalView>(Prisma.sql`
    select ${columns}
    from approval
    where approval.id = ${id}::uuid`);
  return found ?? null;
}
