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

// Each round that fails means that somebody asked for something else of the subject at the same moment.
const ROUNDS_MAX = 12;

/**
 * Asks for an approval. A subject has one pending approval of a kind, and asking again for the same returns that one.
 * If nobody decided it in time, or if something else is asked for now, it ends, and another one takes its place. If two
 * requests ask for different things at the same moment, each gets an approval of its own. The earlier one of these has
 * then ended.
 */
export async function requestApproval(run: Run, id: string, request: ApprovalRequest): Promise<ApprovalView> {
  const { kind, subject } = request;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    await run(endOthers(request));
    await run(asking(id, request));
    const [asked] = await run<{ id: string }>(askedApproval(id, request));
    const approval = asked && (await approvalById(run, asked.id));
    if (approval) return approval;
  }
  throw new Error(`something else was asked for of ${kind} ${subject} ${ROUNDS_MAX} times in a row`);
}

const endOthers = ({ kind, subject, hash }: ApprovalRequest): Prisma.Sql => Prisma.sql`
  update approval
  set
    status = case when expires_at <= now() then 'expired' else 'refused' end,
    reason = case when expires_at <= now() then 'nobody decided in time' else 'something else was asked for' end,
    decided_at = now()
  where kind = ${kind} and subject = ${subject} and status = 'pending'
    and (expires_at <= now() or hash <> ${hash})`;

const asking = (
  id: string,
  { kind, subject, hash, requestedBy, clientId, expiresAt }: ApprovalRequest,
): Prisma.Sql => Prisma.sql`
  select request_approval(
    ${id}::uuid, ${kind}, ${subject}, ${hash}, ${requestedBy}, ${clientId}::uuid, ${expiresAt}::timestamptz)`;

/**
 * The approval with this id. If the same thing was asked for or approved just before, that earlier approval instead.
 */
const askedApproval = (id: string, { kind, subject, hash }: ApprovalRequest): Prisma.Sql => Prisma.sql`
  select id
  from approval
  where kind = ${kind} and subject = ${subject} and hash = ${hash}
    and (id = ${id}::uuid or status = 'pending' or (status = 'approved' and expires_at > now()))
  order by id = ${id}::uuid desc, created_at desc
  limit 1`;

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
