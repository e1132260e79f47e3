import { hash } from 'node:crypto';
import { type ApprovalLimits, needsApproval } from '../../core/access/approval.js';
import type { Verb } from '../../core/cases/case-verbs.js';
import { Prisma } from '../../generated/client.js';
import { newestApproval, requestApproval } from '../approvals/request.js';
import type { Run } from '../database/database.js';
import type { CaseViewer } from './list.js';
import type { CaseView } from './view.js';

/** How the verbs of people and of keys are approved. */
export type VerbApproving = Readonly<{
  /** The limits of people. A key has limits of its own. */
  approvalAbove: ApprovalLimits;
  expiresMs: number;
  now: () => Date;
}>;

type AskedVerb = Readonly<{
  verb: Verb;
  evidence: object | null;
  viewer: CaseViewer;
  actor: string;
  approvalAbove?: ApprovalLimits;
}>;

const MOVING_MONEY: readonly Verb[] = ['adopt', 'return'];

/**
 * The approval that a verb waits for. Null if it needs none, or if a second person has approved exactly this verb with
 * this evidence. An approval is used up with its case, which is closed by the verb.
 */
export async function awaitedApproval(
  { run, newId, approving }: Readonly<{ run: Run; newId: () => string; approving: VerbApproving }>,
  ask: AskedVerb,
  seen: CaseView,
): Promise<string | null> {
  const { verb, viewer, actor } = ask;
  const limits = ask.approvalAbove ?? (viewer === null ? approving.approvalAbove : {});
  if (seen.closedAt || !MOVING_MONEY.includes(verb) || !isAbove(limits, seen)) return null;
  const held = seen.amountMinor === null ? await heldIn(run, seen.id) : null;
  const bound = { kind: 'resolution', subject: seen.id, hash: hashOf(ask, seen, held) };
  const approved = await newestApproval(run, bound);
  if (approved?.status === 'approved' && approved.expiresAt > approving.now()) return null;
  const asked = await requestApproval(run, newId(), {
    ...bound,
    requestedBy: viewer?.clientId ?? actor,
    clientId: viewer?.clientId ?? null,
    expiresAt: new Date(approving.now().getTime() + approving.expiresMs),
  });
  return asked.approvalId;
}

/** A case about no certain amount is above every limit. */
function isAbove(limits: ApprovalLimits, { amountMinor, currency }: CaseView): boolean {
  if (Object.keys(limits).length === 0) return false;
  return amountMinor === null || currency === null || needsApproval(limits, {}, amountMinor, currency);
}

/** The money of a case in several currencies, which has no sum. An approval is for this money and no more. */
async function heldIn(run: Run, caseId: string): Promise<string | null> {
  const [row] = await run<{ held: string }>(Prisma.sql`
    select suspended::text as held from reconciliation_case where id = ${caseId}::uuid and suspended <> '[]'`);
  return row?.held ?? null;
}

const hashOf = ({ verb, evidence }: AskedVerb, seen: CaseView, held: string | null): string =>
  hash(
    'sha256',
    JSON.stringify([
      ...[seen.id, verb, String(seen.amountMinor), seen.currency, evidence],
      ...(held === null ? [] : [held]),
    ]),
  );
