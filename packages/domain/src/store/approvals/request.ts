import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { type ApprovalView, approvalById } from './list.js';

export type ApprovalRequest = Readonly<{
  kind: string;
  subject: string;
  hash: string;
  /** The user, or the id of the client whose key asks. */
  requestedBy: string;
  /** The client whose key asks. Null: a person asks. */
  clientId: string | null;
  expiresAt: Date;
}>;

/**
 * Asks for an approval. A subject has one pending approval of a kind, and asking again for the same returns that one. If
 * nobody decided it in time, or if something else is asked for now, it ends, and another one takes its place.
 */
export async function requestApproval(
  run: Run,
  id: string,
  { kind, subject, hash, requestedBy, clientId, expiresAt }: ApprovalRequest,
): Promise<ApprovalView> {
  await run(Prisma.sql`
    update approval
    set
      status = case when expires_at <= now() then 'expired' else 'refused' end,
      reason = case when expires_at <= now() then 'nobody decided in time' else 'something else was asked for' end,
      decided_at = now()
    where kind = ${kind} and subject = ${subject} and status = 'pending'
      and (expires_at <= now() or hash <> ${hash})`);
  await run(Prisma.sql`
    select request_approval(
      ${id}::uuid, ${kind}, ${subject}, ${hash}, ${requestedBy}, ${clientId}::uuid, ${expiresAt}::timestamptz)`);
  const asked = await newestApproval(run, { kind, subject });
  if (!asked) throw new Error(`the approval of ${kind} ${subject} is gone`);
  return asked;
}

/** The newest approval of a subject, or the newest one that is bound to a hash. */
export async function newestApproval(
  run: Run,
  { kind, subject, hash = null }: Readonly<{ kind: string; subject: string; hash?: string | null }>,
): Promise<ApprovalView | null> {
  const [found] = await run<{ id: string }>(Prisma.sql`
    select id
    from approval
    where kind = ${kind} and subject = ${subject} and hash = coalesce(${hash}, hash)
    order by created_at desc
    limit 1`);
  return found ? approvalById(run, found.id) : null;
}
