import { v7 as uuidv7 } from 'uuid';
import type { ApprovalLimits } from './core/approval.js';
import { type Approvals, openApprovals } from './store/approvals/approvals.js';
import { type BooksSnapshot, openSnapshot } from './store/archive/read.js';
import { type Audit, openAudit } from './store/audit/trail.js';
import { type Breakers, openBreakers } from './store/breakers/breakers.js';
import { type Callbacks, openCallbacks } from './store/callbacks/callbacks.js';
import { type Cases, openCases } from './store/cases/cases.js';
import { type Chain, openChain } from './store/chain/chain.js';
import { type Clients, openClients } from './store/clients/clients.js';
import { openSecurity, type Security } from './store/clients/security.js';
import { openVault, type Vault } from './store/clients/vault.js';
import { type ConsoleReads, openConsole } from './store/console/console.js';
import { openDatabase, type Run, type Store } from './store/database/database.js';
import { checkFitness, type NewerSchema } from './store/database/fitness.js';
import { excessOfRole } from './store/database/rights.js';
import { type PruneAfter, type Pruned, prune } from './store/due/prune.js';
import { openUrging, type RecheckAsk, type Rechecked } from './store/due/recheck.js';
import { openSweep, type Sweep } from './store/due/sweep.js';
import { evidenceMaker, type MakeEvidence } from './store/evidence/evidence.js';
import { type Inbox, openInbox } from './store/inbox/inbox.js';
import { type Balances, openBalances } from './store/ledger/balances.js';
import { type SnapshotOptions, takeSnapshots } from './store/ledger/snapshots.js';
import { type AccountMonths, openAccountMonths } from './store/months/months.js';
import { type Operators, openOperators } from './store/operators/operators.js';
import { openPayees, type Payees } from './store/payees/payees.js';
import { openPlans, type Plans } from './store/plans/plans.js';
import { type MoneyPools, openPools } from './store/pools/pools.js';
import { type BooksProof, prove } from './store/proof/proof.js';
import { type Checking, type Finding, verify } from './store/proof/verify.js';
import { openReads, type Reads } from './store/reads/reads.js';
import { applier } from './store/recharges/apply.js';
import { ceilingKeeper, type RechargeAsk } from './store/recharges/ceiling-keeper.js';
import { type Created, creator } from './store/recharges/create.js';
import type { PlanOptions } from './store/recharges/plan.js';
import type { RechargeReport, ReportResult } from './store/recharges/report.js';
import { type Trial, tryRecharge } from './store/recharges/trial.js';
import { type CreatedRefund, refunder } from './store/refunds/create.js';
import type { NewRefund } from './store/refunds/new-refund.js';
import { type RuleWishes, ruleOptionsOf } from './store/rules/options.js';
import { openRules, type Rules } from './store/rules/rules.js';
import { openSettlements, type Settlements } from './store/settlements/settlements.js';
import { lineAdopter } from './store/statements/adopt-line.js';
import { openReconciliations, type Reconciliations } from './store/statements/runs.js';

/** The state machine, the ledger and the inbox. No other package uses the database. */
export interface Domain extends Sweep {
  /** Stores a validated request. A repeated idempotency key answers with the first request's transaction. */
  createRecharge(ask: RechargeAsk): Promise<Created>;
  /** What would become of a request. It stores nothing and looks at no idempotency key. */
  tryRecharge(ask: RechargeAsk): Promise<Trial>;
  /** Stores a refund of a recharge. Its repeated idempotency key answers with the first request's transaction. */
  createRefund(ask: NewRefund): Promise<CreatedRefund>;
  /**
   * Reports news about a recharge. A recharge changes in no other way. Calls that arrive together share one statement.
   */
  applyNews(report: RechargeReport): Promise<ReportResult>;
  /**
   * Makes those recharges of a provider due whose last call had no answer. To be called once the provider answers
   * again. Returns their number.
   */
  pullForward(provider: string): Promise<number>;
  /** Makes a recharge due, so that its provider is asked now. At most once within RECHECK_EVERY_MS. */
  recheck(ask: RecheckAsk): Promise<Rechecked>;
  readonly inbox: Inbox;
  readonly reads: Reads;
  readonly balances: Balances;
  /** Statements of accounts by calendar month. */
  readonly accountMonths: AccountMonths;
  /** Writes balances of the accounts that keep no running balance. Returns their number. A timer may call it. */
  takeSnapshots(options?: SnapshotOptions): Promise<number>;
  readonly pools: MoneyPools;
  readonly payees: Payees;
  readonly breakers: Breakers;
  readonly cases: Cases;
  readonly console: ConsoleReads;
  readonly callbacks: Callbacks;
  readonly clients: Clients;
  readonly operators: Operators;
  readonly approvals: Approvals;
  readonly audit: Audit;
  readonly security: Security;
  /** Deletes old data that is not part of the books. It ends within half a minute, so a timer may call it. */
  prune(kept: PruneAfter): Promise<Pruned>;
  verify(checking?: Checking): Promise<Finding[]>;
  readonly chain: Chain;
  /** All that is on record about one recharge, with the links of the chain that cover it. */
  readonly evidence: MakeEvidence;
  /** Reads the books as of one moment, for an export. The work is done once, and its pages may be slow to consume. */
  snapshot<T>(work: (books: BooksSnapshot) => Promise<T>): Promise<T>;
  readonly reconciliations: Reconciliations;
  readonly rules: Rules;
  readonly plans: Plans;
  readonly settlements: Settlements;
  /** Checks every invariant and adds up every currency. It reads the whole of the books, which may take minutes. */
  proof(): Promise<BooksProof>;
  /** @throws StoreUnavailable if the database is away or cannot serve this process. The message says why. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type DomainOptions = RuleWishes &
  Readonly<{
    databaseUrl: string;
    poolMax?: number;
    /** The time without news about a recharge after which its provider is asked. */
    reconcileAfterMs: number;
    /**
     * Time between two sweeps, default 1 s. A recharge whose submit job is lost is due again after one or two periods.
     */
    sweepPeriodMs?: number;
    /** Time limit of one provider call. A submit may take several calls, and the waits between them. */
    providerTimeoutMs: number;
    /**
     * Master keys: `<id>:<base64 of 32 bytes>`, separated by spaces. The first one seals. Without one, new keys cannot
     * sign.
     */
    masterKeys?: string | undefined;
    /** Whether `ping` accepts a database whose schema is newer than this release. Default: refuse. */
    newerSchema?: NewerSchema;
    onConnectionLost?: (error: Error) => void;
    /** Called with each error by which the database refuses a report. The third refusal of a recharge opens a case. */
    onRefused?: (transactionId: string, error: Error) => void;
    /** Called once, with words for the operator, if the role of this process could disable the guards of the books. */
    onExcessRights?: ((words: string) => void) | undefined;
    /** The time after which an approval expires. Default: a day. */
    approvalExpiresMs?: number;
    /** Limits per currency, in minor units, above which a verb of a person that moves money needs an approval. */
    approvalAbove?: ApprovalLimits;
    /** Whether the first recharge to each payee needs an approval, whatever its amount. */
    approvesFirst?: boolean;
    /** The providers whose orders go one at a time between two accounts. Default: none. */
    lanedProviders?: readonly string[];
    newId?: () => string;
    now?: () => Date;
    random?: () => number;
  }>;

// A hint arrives within milliseconds. A hint that takes two seconds is lost or in a long queue, so the sweeper may take
// the row.
const HINT_LIMIT_MS = 2_000;
// The time of a submit beyond providerTimeoutMs: the grace of its call, three seconds of short refusals with their
// waits, and three seconds between its claim and its first call.
const SUBMIT_MARGIN_MS = 7_000;
// The time of a query beyond providerTimeoutMs: the grace of its call, and three seconds of short refusals with their
// waits.
const QUERY_MARGIN_MS = 3_500;

const APPROVAL_EXPIRES_MS = 86_400_000;

/** Opens the domain on the database at an address. No app has to import Prisma. */
export function openDomain(options: DomainOptions): Domain {
  const newId = options.newId ?? uuidv7;
  const now = options.now ?? (() => new Date());
  const vault = options.masterKeys === undefined ? null : openVault(options.masterKeys);
  const store = openStore(options);
  const { run, read, survey } = store;
  const storing = storingOf(options, newId);
  const applying: PlanOptions = {
    ...storing,
    reconcileAfterMs: options.reconcileAfterMs,
    callLimitMs: options.providerTimeoutMs + SUBMIT_MARGIN_MS,
    random: options.random ?? Math.random,
    onRefused: options.onRefused ?? (() => {}),
  };
  const applyNews = applier(run, applying);
  return {
    createRecharge: ceilingKeeper(run, creator(run, storing)),
    tryRecharge: (ask) => tryRecharge(read, ask, storing.approving),
    createRefund: refunder(run, storing),
    applyNews,
    ...openSweep(run, {
      afterMs: options.reconcileAfterMs,
      queryLimitMs: options.providerTimeoutMs + QUERY_MARGIN_MS,
      periodMs: options.sweepPeriodMs ?? 1_000,
    }),
    ...openUrging(run),
    inbox: openInbox(run, { hintLimitMs: HINT_LIMIT_MS, newId }),
    reads: openReads(store, applying.callLimitMs),
    balances: openBalances(read),
    accountMonths: openAccountMonths(store),
    takeSnapshots: (options) => takeSnapshots(run, options),
    pools: openPools(run),
    payees: openPayees(run),
    breakers: openBreakers(run),
    cases: openCases(store, applyNews, lineAdopter(store, storing, applying), {
      newId,
      approving: verbApprovingOf(options, now),
    }),
    console: openConsole(read),
    callbacks: openCallbacks({ store, vault, newId, now }),
    ...openCallers(store, { vault, newId, now, applyNews }),
    audit: openAudit(store),
    security: openSecurity(run),
    prune: (kept) => prune(run, kept),
    verify: (checking) => verify(survey, checking),
    chain: openChain(store),
    ...openExports(store),
    reconciliations: openReconciliations(store, { newId }),
    rules: openRules(store, ruleOptionsOf(options, storing, applying.random)),
    plans: openPlans(store, storing),
    settlements: openSettlements(read),
    proof: () => prove(survey, now),
    ping: pinger(read, { now, newerSchema: options.newerSchema ?? 'refuse' }, options.onExcessRights),
    close: store.close,
  };
}

const openStore = ({ databaseUrl, poolMax = 8, onConnectionLost = () => {} }: DomainOptions) =>
  openDatabase({ databaseUrl, poolMax, onConnectionLost });

/** What leaves the books as a file. */
const openExports = (store: Store): Pick<Domain, 'evidence' | 'snapshot'> => ({
  evidence: evidenceMaker(store),
  snapshot: (work) => store.snapshot(async (run) => work(await openSnapshot(run))),
});

const verbApprovingOf = (options: DomainOptions, now: () => Date) => ({
  approvalAbove: options.approvalAbove ?? {},
  expiresMs: options.approvalExpiresMs ?? APPROVAL_EXPIRES_MS,
  now,
});

const storingOf = (options: DomainOptions, newId: () => string) => ({
  newId,
  hintLimitMs: HINT_LIMIT_MS,
  lanedProviders: options.lanedProviders ?? [],
  approving: {
    expiresMs: options.approvalExpiresMs ?? APPROVAL_EXPIRES_MS,
    approvesFirst: options.approvesFirst ?? false,
  },
});

/** The programs and the people that may do something, and what people have to agree to. */
const openCallers = (
  store: Store,
  deps: { vault: Vault | null; newId: () => string; now: () => Date; applyNews: Domain['applyNews'] },
) => ({
  clients: openClients(store, deps),
  operators: openOperators(store.run, deps),
  approvals: openApprovals(store, deps),
});

/** Checks the rights of the role once, after the first ping that finds the database fit. */
function pinger(
  read: Run,
  fitness: Parameters<typeof checkFitness>[1],
  onExcess: DomainOptions['onExcessRights'],
): () => Promise<void> {
  let isChecked = onExcess === undefined;
  return async () => {
    await checkFitness(read, fitness);
    if (isChecked) return;
    const words = await excessOfRole(read);
    isChecked = true;
    if (words !== null) onExcess?.(words);
  };
}

export * from './automation.js';
export { type ApprovalLimits, type ApprovalStatus, needsApproval } from './core/approval.js';
export {
  type AfterPost,
  afterPost,
  CALLBACK_SCHEDULE_MS,
  type CallbackType,
  callbackTypes,
  type PostOutcome,
} from './core/callback.js';
export { type CaseKind, isStoppedBy } from './core/case-kinds.js';
export { isVerb, needsEvidence, type Verb, verbs } from './core/case-verbs.js';
export type { Recharge, Report, ReportSource } from './core/decision.js';
export { AMOUNT_MINOR_MAX, type Money, majorFromMinor, minorFromMajor } from './core/money.js';
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
export { keyOfPlanLine, type PlanStatus, type PlanVerb } from './core/plan.js';
export type { Funding, Journal, Kind, Posting } from './core/postings.js';
export { isFinal, type News, news, type State, states, type Verdict } from './core/recharge.js';
export { type SecurityRule, securityRules } from './core/security-rules.js';
export type { StatementLine } from './core/statement.js';
export {
  type WaitingReason,
  waitingReasonOf,
  waitingReasonOfDelivery,
  waitingReasons,
} from './core/waiting.js';
export type { WaitingNote } from './core/waiting-note.js';
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
export { archivedTables } from './store/archive/tables.js';
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
  ShownSecret,
} from './store/callbacks/endpoints.js';
export type { FiledPost } from './store/callbacks/filing.js';
export type { CallbackPost } from './store/callbacks/posts.js';
export type { Cases } from './store/cases/cases.js';
export type { CaseFilter, CasePage, CaseReader, CaseViewer } from './store/cases/list.js';
export type { BalanceChange, CasePreview } from './store/cases/preview.js';
export type { ResolutionAsk, ResolutionProblem, ResolvedCase } from './store/cases/resolve.js';
export type { CaseView, IsRefunding } from './store/cases/view.js';
export type { Ceiling } from './store/ceilings/ceiling.js';
export type { Chain } from './store/chain/chain.js';
export type { BrokenLink, ChainCheck, HeadCheck } from './store/chain/check.js';
export type { Head } from './store/chain/links.js';
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
export type { Actor } from './store/operators/file-action.js';
export type { Credentials, Operators } from './store/operators/operators.js';
export { SESSION_IDLE_MS, SESSION_MS, type SignedIn } from './store/operators/sessions.js';
export type { MadeOperator, NewOperator, OperatorChange, OperatorRow } from './store/operators/users.js';
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
export type { RechargeAsk } from './store/recharges/ceiling-keeper.js';
export type { Created, CreateProblem } from './store/recharges/create.js';
export type { MoneyDestination, NewRecharge } from './store/recharges/new-recharge.js';
export type {
  Claim,
  ProviderCallRow,
  RechargeReport,
  RechargeSnapshot,
  ReportResult,
} from './store/recharges/report.js';
export type { Trial, TrialCheck, TrialProblem } from './store/recharges/trial.js';
export type { CreatedRefund, RefundProblem } from './store/refunds/create.js';
export type { NewRefund } from './store/refunds/new-refund.js';
export type { RefundView } from './store/refunds/view.js';
export type { Settlement, SettlementDay, Settlements } from './store/settlements/settlements.js';
export type { Period, StatementDifference } from './store/statements/differences.js';
export type { StoredGap } from './store/statements/gaps.js';
export type { StatementLevel } from './store/statements/levels.js';
export type { ReconciliationRun, RunFilter, RunSource } from './store/statements/run-rows.js';
export type { AskedRun, Reconciled, Reconciliations, RunAsk } from './store/statements/runs.js';
