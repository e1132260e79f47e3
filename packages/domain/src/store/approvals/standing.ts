import type { ApprovalStatus } from '../../core/access/approval.js';
import { Prisma } from '../../generated/client.js';

/** The reason of an approval that is refused because its facts have changed. */
export const VOID = 'what it is about has changed since it was asked for';

export type ApprovalStanding = Readonly<{
  status: ApprovalStatus;
  reason: string | null;
  decidedBy: string | null;
}>;

type Subject = Readonly<{
  kind: 'recharge' | 'plan';
  id: string;
  /** The table of the subject. */
  table: 'recharge_transaction' | 'recharge_plan';
  /** Whether a row of the table, named `subject`, waits for its approval. */
  waits: Prisma.Sql;
  /** When the subject is due again while its approval, the relation `newest`, is open. */
  dueAgain: Prisma.Sql;
}>;

/**
 * When the subject of an open approval is due again. An approval is decided in a commit of its own, and the process may
 * die before the subject follows it. So the subject looks again and again, and not only when the approval expires.
 */
export const nextLookAt = (expiresAt: Prisma.Sql = Prisma.sql`'infinity'`): Prisma.Sql =>
  Prisma.sql`least(${expiresAt}, now() + interval '30 seconds')`;

/**
 * The newest approval of a subject that waits for one. An approval that is over expires here. Where it is still open, the
 * subject is due again. A subject that a decision has made due meanwhile stays due.
 */
export const standingOf = ({ kind, id, table, waits, dueAgain }: Subject): Prisma.Sql => Prisma.sql`
  with
  newest as materialized (
    select approval.*
    from approval
    where approval.kind = ${kind} and approval.subject = ${id}
      and exists (select from ${Prisma.raw(table)} subject where subject.id = ${id}::uuid and ${waits})
    order by approval.created_at desc
    limit 1),
  expired as (
    update approval
    set status = 'expired', reason = 'nobody decided in time', decided_at = now()
    from newest
    where approval.id = newest.id and approval.status = 'pending' and approval.expires_at <= now()
    returning approval.id, approval.status),
  later as (
    update ${Prisma.raw(table)} subject
    set due_at = ${dueAgain}
    from newest
    where subject.id = ${id}::uuid and ${waits} and subject.due_at > clock_timestamp()
      and newest.status = 'pending' and newest.expires_at > now())
  select coalesce(expired.status, newest.status) as status, newest.reason, newest.decided_by as "decidedBy"
  from newest
  left join expired on expired.id = newest.id`;
