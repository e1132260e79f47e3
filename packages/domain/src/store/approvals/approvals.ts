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
  /** Decides as a person of the console. A recharge follows at once: it is submitted or canceled. */
  decide(ask: ApprovalAsk): Promise<ApprovalDecision>;
  /** Lets a recharge follow its approval, or expires it. Null: the recharge waits on, or waits for none. */
  follow(transactionId: string): Promise<ReportResult | null>;
}

type ApprovalsDeps = Readonly<{
  applyNews: (report: RechargeReport) => Promise<ReportResult>;
  newId: () => string;
  /** Lets a rule follow the approval of the version that waits. */
  followRule: (ruleId: string) => Promise<unknown>;
}>;

export function openApprovals({ run, read }: Pick<Store, 'run' | 'read'>, deps: ApprovalsDeps): Approvals {
  const { applyNews, newId, followRule } = deps;
  return {
    list: (filter) => listApprovals(read, filter),
    one: (id) => approvalById(run, id),
    decide: async (ask) => {
      const decided = await decideApproval(run, ask, newId);
      if ('subject' in decided && decided.kind === 'plan') await followPlanApproval(run, decided.subject!);
      if ('subject' in decided && decided.kind === 'rule') await followRule(decided.subject!);
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
