/** The public interface of the domain for people: who they are, what they may do, and what they have to agree to. */
export { type ApprovalLimits, type ApprovalStatus, needsApproval } from './core/access/approval.js';
export { mayAs, type OperatorRole, operatorRoles } from './core/access/operator-rules.js';
export type { ApprovalDecision, Approvals } from './store/approvals/approvals.js';
export type { ApprovalAsk, ApprovalProblem } from './store/approvals/decide.js';
export type { ApprovalFilter, ApprovalPage, ApprovalView } from './store/approvals/list.js';
export {
  BULK_MAX,
  type BulkItem,
  type BulkStatus,
  type BulkSum,
  type Bulks,
  type BulkVerb,
  type BulkView,
  bulkVerbs,
  type NewBulk,
  type NextBulkItem,
  type TakenBulk,
} from './store/bulk/bulks.js';
export {
  COMMENT_MAX,
  type Desk,
  type DeskAct,
  type DeskEntry,
  type DeskFilter,
  type DeskProblem,
} from './store/desk/desk.js';
export type { Actor } from './store/operators/file-action.js';
export type { Credentials, Operators } from './store/operators/operators.js';
export { SESSION_IDLE_MS, SESSION_MS, type SignedIn } from './store/operators/sessions.js';
export type { SignOn, SignOnResult } from './store/operators/sign-on.js';
export type { MadeOperator, NewOperator, OperatorChange, OperatorRow } from './store/operators/users.js';
