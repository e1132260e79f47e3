import { v7 as uuidv7 } from 'uuid';
import type { ApprovalLimits } from './core/access/approval.js';
import { type Approvals, openApprovals } from './store/approvals/approvals.js';
import { type BooksSnapshot, openSnapshot } from './store/archive/read.js';
import { type Audit, openAudit } from './store/audit/trail.js';
import { type Breakers, openBreakers } from './store/breakers/breakers.js';
import { type Bulks, openBulks } from './store/bulk/bulks.js';
import { type Callbacks, openCallbacks } from './store/callbacks/callbacks.js';
import { type Cases, openCases } from './store/cases/cases.js';
import { type Chain, openChain } from './store/chain/chain.js';
import { type AnsweredKeys, openAnsweredKeys } from './store/clients/answered-keys.js';
import { type Clients, openClients } from './store/clients/clients.js';
import { openSecurity, type Security } from './store/clients/security.js';
import { openVault, type Vault } from './store/clients/vault.js';
import { type ConsoleReads, openConsole } from './store/console/console.js';
import { openDatabase, type Run, type Store } from './store/database/database.js';
import { checkFitness, type NewerSchema } from './store/database/fitness.js';
import { excessOfRole } from './store/database/rights.js';
import { type Desk, openDesk } from './store/desk/desk.js';
import { type PruneAfter, type Pruned, prune } from './store/due/prune.js';
import type { AnsweringAccount } from './store/due/pull-forward.js';
import { openRecheck, type RecheckAsk, type Rechecked } from './store/due/recheck.js';
import { openSweep, type Sweep } from './store/due/sweep.js';
import { evidenceMaker, type MakeEvidence } from './store/evidence/evidence.js';
import { type Inbox, openInbox } from './store/inbox/inbox.js';
import { type Balances, openBalances } from './store/ledger/balances.js';
import { type SnapshotOptions, takeSnapshots } from './store/ledger/snapshots.js';
import { type AccountMonths, openAccountMonths } from './store/months/months.js';
import { type Notices, openNotices } from './store/notices/notices.js';
import { type Operators, openOperators } from './store/operators/operators.js';
import { openPayees, type Payees } from './store/payees/payees.js';
import { openPlans, type Plans } from './store/plans/plans.js';
import { type MoneyPools, openPools } from './store/pools/pools.js';
import { type BooksProof, prove } from './store/proof/proof.js';
import { type Checking, type Finding, verify } from './store/proof/verify.js';
import { openReads, type Reads } from './store/reads/reads.js';
import { applier } from './store/recharges/apply.js';
import { ceilingKeeper, type RechargeAsk } from './store/recharges/creation/ceiling-keeper.js';
import { type Created, openCreator } from './store/recharges/creation/create.js';
import { type Trial, tryRecharge } from './store/recharges/creation/trial.js';
import type { PlanOptions } from './store/recharges/decisions/plan.js';
import type { RechargeReport, ReportResult } from './store/recharges/report.js';
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
  pullForward(of: AnsweringAccount): Promise<number>;
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
  readonly desk: Desk;
  /** Verbs on many recharges or cases. */
  readonly bulks: Bulks;
  readonly console: ConsoleReads;
  readonly callbacks: Callbacks;
  readonly notices: Notices;
  readonly clients: Clients;
  /** The idempotency keys of requests for a verb, with the answers that were given. */
  readonly answeredKeys: AnsweredKeys;
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
  const applying = applyingOf(options, storing);
  const applyNews = applier(run, applying);
  const rules = openRules(store, ruleOptionsOf(options, storing, applying.random));
  return {
    createRecharge: ceilingKeeper(run, openCreator(run, storing)),
    tryRecharge: (ask) => tryRecharge(read, ask, storing.approving),
    createRefund: refunder(run, storing),
    applyNews,
    ...openSweep(run, {
      afterMs: options.reconcileAfterMs,
      queryLimitMs: options.providerTimeoutMs + QUERY_MARGIN_MS,
      periodMs: options.sweepPeriodMs ?? 1_000,
    }),
    ...openRecheck(run),
    inbox: openInbox(run, { hintLimitMs: HINT_LIMIT_MS, newId }),
    reads: openReads(store, applying.callLimitMs),
    pools: openPools(run),
    payees: openPayees(run),
    breakers: openBreakers(run),
    cases: openCases(store, applyNews, lineAdopter(store, storing, applying), {
      newId,
      approving: verbApprovingOf(options, now),
    }),
    desk: openDesk(store, { newId }),
    bulks: openBulks(store, { newId }),
    console: openConsole(read),
    callbacks: openCallbacks({ store, vault, newId, now }),
    notices: openNotices(run),
    ...openCallers(store, { vault, newId, now, applyNews, followRule: rules.follow }),
    audit: openAudit(store),
    security: openSecurity(run),
    prune: (kept) => prune(run, kept),
    verify: (checking) => verify(survey, checking),
    chain: openChain(store),
    ...openBooks(store),
    reconciliations: openReconciliations(store, { newId }),
    rules,
    plans: openPlans(store, storing),
    proof: () => prove(survey, now),
    ping: pinger(read, { now, newerSchema: options.newerSchema ?? 'refuse' }, options.onExcessRights),
    close: store.close,
  };
}

const openStore = ({ databaseUrl, poolMax = 8, onConnectionLost = () => {} }: DomainOptions) =>
  openDatabase({ databaseUrl, poolMax, onConnectionLost });

type BooksParts = 'balances' | 'accountMonths' | 'takeSnapshots' | 'settlements' | 'evidence' | 'snapshot';

/** The parts for finance: reads, and exports as files. */
const openBooks = (store: Store): Pick<Domain, BooksParts> => ({
  balances: openBalances(store.read),
  accountMonths: openAccountMonths(store),
  takeSnapshots: (options) => takeSnapshots(store.run, options),
  settlements: openSettlements(store.read),
  evidence: evidenceMaker(store),
  snapshot: (work) => store.snapshot(async (run) => work(await openSnapshot(run))),
});

const verbApprovingOf = (options: DomainOptions, now: () => Date) => ({
  approvalAbove: options.approvalAbove ?? {},
  expiresMs: options.approvalExpiresMs ?? APPROVAL_EXPIRES_MS,
  now,
});

const applyingOf = (options: DomainOptions, storing: ReturnType<typeof storingOf>): PlanOptions => ({
  ...storing,
  reconcileAfterMs: options.reconcileAfterMs,
  callLimitMs: options.providerTimeoutMs + SUBMIT_MARGIN_MS,
  random: options.random ?? Math.random,
  onRefused: options.onRefused ?? (() => {}),
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

/** The parts about callers: programs and people with what they may do, and the approvals of people. */
const openCallers = (
  store: Store,
  deps: Parameters<typeof openApprovals>[1] & { vault: Vault | null; now: () => Date },
) => ({
  clients: openClients(store, deps),
  answeredKeys: openAnsweredKeys(store.run),
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
