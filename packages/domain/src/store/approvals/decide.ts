import type { ApprovalStatus } from '../../core/access/approval.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid, storable } from '../database/storable.js';
import { filedAct } from '../operators/file-action.js';
import { isOutdated } from '../rules/proposal.js';
import { VOID } from './standing.js';

/** A person's decision about an approval, as it was asked for. */
export type ApprovalAsk = Readonly<{
  approvalId: string;
  verb: 'approve' | 'refuse';
  /** Needed to refuse. */
  reason: string;
  actor: string;
  role: string;
}>;

/**
 * - `own_request`: the person asked for the approval, or made the key that asked.
 * - `void`: the facts that the approval is about have changed since, so it is refused.
 * - `decided`: somebody was faster, or the approval has expired.
 */
export type ApprovalProblem = 'unknown_approval' | 'own_request' | 'void' | 'decided';

export type DecisionResult =
  | Readonly<{ ok: true; kind: string; subject: string }>
  | Readonly<{ ok: false; problem: ApprovalProblem; kind?: string; subject?: string }>;

type DecisionRow = Readonly<{
  kind: string;
  subject: string;
  status: ApprovalStatus;
  isOpen: boolean;
  isOwn: boolean;
  isVoid: boolean;
}>;

const REASON_MAX = 500;

/**
 * Decides once. One statement judges the person and the payload, writes the decision and files the action. A person who
 * made or rotated a key of the client that asked counts as the one who asked.
 */
export async function decideApproval(
  run: Run,
  ask: ApprovalAsk,
  newId: () => string,
): Promise<DecisionResult> {
  if (!isUuid(ask.approvalId)) return { ok: false, problem: 'unknown_approval' };
  const [row] = await run<DecisionRow>(decision(ask, newId()));
  if (!row) return { ok: false, problem: 'unknown_approval' };
  const { kind, subject } = row;
  if (!row.isOpen) return { ok: false, problem: 'decided', kind, subject };
  if (ask.verb === 'approve' && row.isOwn) return { ok: false, problem: 'own_request' };
  if (ask.verb === 'approve' && row.isVoid) return { ok: false, problem: 'void', kind, subject };
  return { ok: true, kind, subject };
}

/** Whether the person asked for it, and whether what it is about has changed since. */
const judgedFor = (actor: string): Prisma.Sql => Prisma.sql`
  judged as materialized (
    select
      found.*,
      case when found.client_id is null
        then found.requested_by = ${actor}
        else exists (
          select
          from api_key key
          join operator_action made on made.subject = 'key ' || key.id
          where key.client_id = found.client_id
            and made.actor = ${actor}
            and made.verb in ('create_key', 'rotate_key')) end as is_own,
      case found.kind
        when 'recharge' then found.hash is distinct from (
          select approval_hash(recharge)
          from recharge_transaction recharge
          where recharge.id::text = found.subject)
        when 'rule' then found.hash is distinct from (
          select rule_approval_hash(proposal)
          from rule_proposal proposal
          join recharge_rule rule on rule.proposal_id = proposal.id
          where proposal.id = found.id and not ${isOutdated})
        else false end as is_void
    from found)`;

const decision = (
  { approvalId, verb, reason, actor, role }: ApprovalAsk,
  id: string,
): Prisma.Sql => Prisma.sql`
  with
  found as materialized (
    select approval.*, approval.status = 'pending' and approval.expires_at > now() as is_open
    from approval
    where approval.id = ${approvalId}::uuid
    for update),
  ${judgedFor(actor)},
  done as (
    update approval
    set
      status = case when ${verb} = 'approve' and not judged.is_void then 'approved' else 'refused' end,
      reason = case when ${verb} = 'approve' and judged.is_void then ${VOID} else ${storable(reason, REASON_MAX)} end,
      decided_by = ${actor},
      decided_at = now()
    from judged
    where approval.id = judged.id and judged.is_open and (${verb} = 'refuse' or not judged.is_own)
    returning approval.kind, approval.subject),
  due as (
    update recharge_transaction recharge
    set due_at = clock_timestamp()
    from done
    where done.kind = 'recharge' and recharge.id::text = done.subject and recharge.next_step = 'approve'),
  ${filedAct({
    ...{ id, actor, role, subject: `approval ${approvalId}`, reason: storable(reason, REASON_MAX) },
    verb: Prisma.sql`select case when ${verb} = 'approve' and is_void then 'find_void' else ${verb} end from judged`,
    transactionId: Prisma.sql`select subject from done where kind = 'recharge'`,
  })}
  select
    judged.kind,
    judged.subject,
    judged.status,
    judged.is_open as "isOpen",
    judged.is_own as "isOwn",
    judged.is_void as "isVoid"
  from judged`;
