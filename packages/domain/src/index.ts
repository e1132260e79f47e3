/** The public interface of the package. No other package uses the database. */
export * from './automation.js';
export { type SecurityRule, securityRules } from './core/access/security-rules.js';
export {
  type AfterPost,
  afterPost,
  CALLBACK_SCHEDULE_MS,
  type CallbackType,
  callbackTypes,
  type PostOutcome,
} from './core/callback.js';
export { type CaseKind, isStoppedBy } from './core/cases/case-kinds.js';
export { isVerb, needsEvidence, type Verb, verbs } from './core/cases/case-verbs.js';
export type { Recharge, Report, ReportSource } from './core/decision.js';
export { AMOUNT_MINOR_MAX, type Money, majorFromMinor, minorFromMajor } from './core/money/money.js';
export type { Funding, Journal, Kind, Posting } from './core/money/postings.js';
export type { StatementLine } from './core/money/statement.js';
export {
  type Asked,
  type NextStep,
  nextStep,
  type QueryEvidence,
  type ResubmitCapabilities,
  type StepAfterQuery,
} from './core/next-step.js';
export { newsOfOrder, type ReportedFacts } from './core/order-news.js';
export type { AccountPayee, Payee } from './core/payee.js';
export {
  keyOfPlanLine,
  type LineCanary,
  linesWithoutCanary,
  type PlanStatus,
  type PlanVerb,
} from './core/plan.js';
export { isFinal, type News, news, type State, states, type Verdict } from './core/recharge.js';
export {
  type WaitingReason,
  waitingReasonOf,
  waitingReasonOfDelivery,
  waitingReasons,
} from './core/waiting/waiting.js';
export type { WaitingNote } from './core/waiting/waiting-note.js';
export { type Domain, type DomainOptions, openDomain } from './domain.js';
export * from './people.js';
export type { AccountBalance, BooksSnapshot, LedgerLine } from './store/archive/read.js';
export {
  type ArchivedBooks,
  ArchiveFault,
  type BalancesDigest,
  balancesDigest,
  type RestoreStep,
  restoreBooks,
} from './store/archive/restore.js';
export { archivedTables, leftOutTables } from './store/archive/tables.js';
export type { AuditCall } from './store/audit/call.js';
export type { AuditFilter, AuditPage, CallPlace } from './store/audit/search.js';
export type { Audit } from './store/audit/trail.js';
export type { BreakerKey, Breakers, ProviderDown } from './store/breakers/breakers.js';
export type { CallbackBacklog, Callbacks } from './store/callbacks/callbacks.js';
export type { CallbackContent } from './store/callbacks/content.js';
export type { DeliveryFilter, DeliveryPage, ShownDelivery } from './store/callbacks/deliveries.js';
export type {
  CallbackEndpoint,
  EndpointProblem,
  EndpointWithSecret,
  Rotation,
  ShownSecret,
} from './store/callbacks/endpoints.js';
export type { FiledPost } from './store/callbacks/filing.js';
export type { CallbackPost } from './store/callbacks/posts.js';
export type { Cases } from './store/cases/cases.js';
export type { CaseFilter, CasePage, CaseReader, CaseViewer } from './store/cases/list.js';
export type { ResolutionAsk, ResolutionProblem, ResolvedCase } from './store/cases/resolve.js';
export type { CaseView, IsRefunding } from './store/cases/view.js';
export type { Ceiling } from './store/ceilings/ceiling.js';
export type { Chain } from './store/chain/chain.js';
export type { BrokenLink, ChainCheck, HeadCheck } from './store/chain/check.js';
export type { Head } from './store/chain/links.js';
export type { AnsweredKeys, KeyedVerb, KnownKey, VerbAnswer } from './store/clients/answered-keys.js';
export type { AddedKey, Clients, NewClient, NewKey } from './store/clients/clients.js';
export type { Key, KeyVerifier } from './store/clients/key.js';
export type { Alarm, Anomaly, KeyLock, Security, Suspicion } from './store/clients/security.js';
export * from './store/console/face.js';
export { StoreUnavailable } from './store/database/failure.js';
export { storeFaultInWords } from './store/database/failure-words.js';
export { migrate, schemaScript } from './store/database/migrate.js';
export { isUuid, storable } from './store/database/storable.js';
export type { PruneAfter, Pruned } from './store/due/prune.js';
export { RECHECK_EVERY_MS, type RecheckAsk, type Rechecked } from './store/due/recheck.js';
export type { Due, Lane } from './store/due/source.js';
export type { Sweep } from './store/due/sweep.js';
export type { EvidencePack } from './store/evidence/pack.js';
export type { Unread } from './store/inbox/filing.js';
export type { Inbox, Receipt, SignedEvent, StoredEvent } from './store/inbox/inbox.js';
export type { Balance, Balances, WalletEntry } from './store/ledger/balances.js';
export type { MonthLine } from './store/months/lines.js';
export {
  type AccountMonth,
  type AccountMonthProblem,
  type AccountMonths,
  openTally,
} from './store/months/months.js';
export type { KeptPayee, Payees } from './store/payees/payees.js';
export type { CreatedPlan, PlanProblem } from './store/plans/create.js';
export type { MovedPlan } from './store/plans/move.js';
export type { NewPlan, PlanLine } from './store/plans/new-plan.js';
export type { Plans, PlanWork } from './store/plans/plans.js';
export type { PlanPage, PlanProgress, PlanSum } from './store/plans/read.js';
export type { PlanLineStatus, PlanLineView, PlanView, PlanViewer } from './store/plans/view.js';
export type { NextPlanLine, PlanRefusal, TakenPlan } from './store/plans/work.js';
export type { MoneyPools, PoolKey, PoolReading } from './store/pools/pools.js';
export type { BooksProof } from './store/proof/proof.js';
export { type Finding, invariantNames } from './store/proof/verify.js';
export type { Outstanding } from './store/reads/outstanding.js';
export type { Reads } from './store/reads/reads.js';
export type { TimelineRow } from './store/reads/timeline.js';
export type { DeliveryView, LeftWaiting, RechargeView, ShownAction } from './store/reads/view.js';
export type { WaitingSum } from './store/reads/waiting-sums.js';
export type { RechargeAsk } from './store/recharges/creation/ceiling-keeper.js';
export type { Created, CreateProblem } from './store/recharges/creation/create.js';
export type { MoneyDestination, NewRecharge } from './store/recharges/creation/new-recharge.js';
export type { Trial, TrialCheck, TrialProblem } from './store/recharges/creation/trial.js';
export type {
  Claim,
  ProviderCallRow,
  RechargeReport,
  RechargeSnapshot,
  ReportResult,
} from './store/recharges/report.js';
export type { CreatedRefund, RefundProblem } from './store/refunds/create.js';
export type { NewRefund } from './store/refunds/new-refund.js';
export type { RefundView } from './store/refunds/view.js';
export type { Settlement, SettlementDay, Settlements } from './store/settlements/settlements.js';
export type { StatementDifference } from './store/statements/differences.js';
export type { StoredGap } from './store/statements/gaps.js';
export type { StatementLevel } from './store/statements/levels.js';
export type { Period } from './store/statements/parts.js';
export type { ReconciliationRun, RunFilter, RunSource } from './store/statements/run-rows.js';
export type { AskedRun, Reconciled, Reconciliations, RunAsk } from './store/statements/runs.js';
