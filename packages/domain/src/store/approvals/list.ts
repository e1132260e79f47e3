import type { ApprovalStatus } from '../../core/access/approval.js';
import type { Widening } from '../../core/rules/rule-widening.js';
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

/** What an approval of a rule is about: a version of it, as it was asked for. */
export type ApprovedRule = Readonly<{
  ruleId: string;
  accountId: string;
  currency: string;
  watch: string;
  belowMinor: string;
  perRechargeMinor: string;
  perDayMinor: string;
  perMonthMinor: string;
  paymentMethod: string;
  /** Where the money goes. Null: it stays in the wallet. */
  target: string | null;
  /**
   * The fields in which the version goes beyond the terms in force. Empty: it is a new rule, or a paused one that is to
   * act again.
   */
  widens: readonly Widening[];
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
  /** The version of a rule that the approval is about. Null for an approval of another kind. */
  rule: ApprovedRule | null;
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
    where recharge.id = approval.subject::uuid) end as recharge,
  case when approval.kind = 'rule' then (
    select jsonb_build_object(
      'ruleId', rule.id,
      'accountId', rule.account_id,
      'currency', rule.currency,
      'watch', rule.watch,
      'belowMinor', proposal.terms ->> 'belowMinor',
      'perRechargeMinor', proposal.terms #>> '{caps,perRechargeMinor}',
      'perDayMinor', proposal.terms #>> '{caps,perDayMinor}',
      'perMonthMinor', proposal.terms #>> '{caps,perMonthMinor}',
      'paymentMethod', proposal.recharge ->> 'paymentMethod',
      'target', proposal.target,
      'widens', proposal.widens,
      'client', (select client.name from client where client.id = rule.client_id))
    from rule_proposal proposal
    join recharge_rule rule on rule.id = proposal.rule_id
    where proposal.id = approval.id) end as rule`;

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
