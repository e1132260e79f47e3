import { Prisma } from '../../generated/client.js';
import type { Store } from '../database/database.js';
import { followPlanApproval } from '../plans/follow-approval.js';
import type { RechargeReport, ReportResult } from '../recharges/report.js';
import { type ApprovalAsk, type ApprovalProblem, decideApproval } from './decide.js';
import { followApproval } from './follow.js';
import {
  type ApprovalFilter,
  type ApprovalPage,
  type ApprovalView,
  approvalById,
  listApprovals,
} from './list.js';

export type ApprovalDecision =
  | Readonly<{ ok: true; approval: ApprovalView; submits: Readonly<{ id: string; provider: string }> | null }>
  | Readonly<{ ok: false; problem: ApprovalProblem }>;

/** What a second person has to agree to. An approval is bound to a hash of its payload. */
export interface Approvals {
  list(filter: ApprovalFilter): Promise<ApprovalPage>;
  one(id: string): Promise<ApprovalView | null>;
  /**
   * Asks for an approval. A subject has one pending approval of a kind, and asking again returns that one.
   * @param requestedBy the user, or the id of the client whose key asks
   * @param clientId the client whose key asks. Null: a person asks
   */
  request(ask: {
    kind: string;
    subject: string;
    hash: string;
    requestedBy: string;
    clientId: string | null;
    expiresAt: Date;
  }): Promise<ApprovalView>;
  /** The newest approval of a subject that is bound to this hash. */
  of(kind: string, subject: string, hash: string): Promise<ApprovalView | null>;
  /** Decides as a person of the console. A recharge follows at once: it is submitted or canceled. */
  decide(ask: ApprovalAsk): Promise<ApprovalDecision>;
  /** Lets a recharge follow its approval, or expires it. Null: the recharge waits on, or waits for none. */
  follow(transactionId: string): Promise<ReportResult | null>;
}

type ApprovalsDeps = Readonly<{
  applyNews: (report: RechargeReport) => Promise<ReportResult>;
  newId: () => string;
}>;

export function openApprovals({ run, read }: Pick<Store, 'run' | 'read'>, deps: ApprovalsDeps): Approvals {
  const { applyNews, newId } = deps;
  const newestOf = async (
    kind: string,
    subject: string,
    isMeant: Prisma.Sql,
  ): Promise<ApprovalView | null> => {
    const [found] = await run<{ id: string }>(Prisma.sql`
      select id
      from approval
      where kind = ${kind} and subject = ${subject} and ${isMeant}
      order by created_at desc
      limit 1`);
    return found ? approvalById(run, found.id) : null;
  };
  return {
    list: (filter) => listApprovals(read, filter),
    one: (id) => approvalById(run, id),
    request: async ({ kind, subject, hash, requestedBy, clientId, expiresAt }) => {
      await run(Prisma.sql`
        select request_approval(
          ${newId()}::uuid, ${kind}, ${subject}, ${hash}, ${requestedBy}, ${clientId}::uuid, ${expiresAt}::timestamptz)`);
      const asked = await newestOf(kind, subject, Prisma.sql`true`);
      if (!asked) throw new Error(`the approval of ${kind} ${subject} is gone`);
      return asked;
    },
    of: (kind, subject, hash) => newestOf(kind, subject, Prisma.sql`hash = ${hash}`),
    decide: async (ask) => {
      const decided = await decideApproval(run, ask, newId);
      if ('subject' in decided && decided.kind === 'plan') await followPlanApproval(run, decided.subject!);
      const isRecharge = 'subject' in decided && decided.kind === 'recharge';
      const after = isRecharge ? await followApproval(run, applyNews, decided.subject!) : null;
      if (!decided.ok) return { ok: false, problem: decided.problem };
      const approval = (await approvalById(run, ask.approvalId))!;
      const isSubmitted = ask.verb === 'approve' && approval.recharge !== null && after !== null;
      const submits = isSubmitted ? { id: decided.subject, provider: approval.recharge!.provider } : null;
      return { ok: true, approval, submits };
    },
    follow: (transactionId) => followApproval(run, applyNews, transactionId),
  };
}
