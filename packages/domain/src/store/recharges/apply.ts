import { setTimeout as sleep } from 'node:timers/promises';
import { refusalOf } from '../../core/cases/resolution.js';
import { type Decision, decide, decideClaim } from '../../core/decision.js';
import { fundings, kinds } from '../../core/money/postings.js';
import { nextSteps } from '../../core/next-step.js';
import { states } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import { asApproved, isApprovalVoid } from '../approvals/claim.js';
import { coalesce } from '../batches/coalesce.js';
import { eachAlone } from '../batches/each-alone.js';
import { type CaseInJson, casesInJson, knownCases } from '../cases/known.js';
import type { Run } from '../database/database.js';
import {
  isBookedElsewhere,
  isContended,
  isLaneTaken,
  isRefusal,
  isUnavailable,
  StoreUnavailable,
} from '../database/failure.js';
import { columns } from '../database/rows.js';
import { isUuid } from '../database/storable.js';
import { returnedFunding } from '../refunds/original.js';
import { writeStatement } from './apply-statement.js';
import { type Plan, type PlanOptions, planWrite, resultOf, type WrittenRow } from './decisions/plan.js';
import { noteRefusal, withoutItsOrder } from './refusals.js';
import type { RechargeReport, RechargeSnapshot, ReportResult, WritableSnapshot } from './report.js';

type RechargeRead = RechargeSnapshot & {
  eventDone: boolean | null;
  createdAt: Date;
  /** Whether the facts that the recharge was approved for have changed since. */
  isApprovalVoid: boolean | null;
};

// Twelve rounds without a result take about two seconds. No recharge has that many reports competing for it.
const ROUNDS = 12;

/**
 * Applies news to recharges. A recharge changes in no other way. One statement writes its state, history, ledger, calls
 * and cases.
 */
export function applier(run: Run, options: PlanOptions): (report: RechargeReport) => Promise<ReportResult> {
  const apply = async (reports: readonly RechargeReport[]) => {
    const results = await applyAll(run, reports, options);
    return Promise.all(results.map((result, n) => answerIfRefused(run, reports[n]!, result, options)));
  };
  return coalesce<RechargeReport, ReportResult>(apply, {
    // A row costs some 32 buffers, most of them in indexes. So a statement stays below 2,000 buffers.
    batchMax: 48,
    inFlightMax: 2,
    // Two thirds of what a statement of ten reports costs the database does not depend on their number.
    besideMin: 24,
    lockOf: ({ transactionId }) => transactionId,
  });
}

/**
 * A client or an operator gets the database's error as the answer. The other sources only pass on what a provider said
 * and would report it again and again, so their refusals are counted on the recharge. What names an order of another
 * recharge would always be refused, so it is recorded without the order.
 */
async function answerIfRefused(
  run: Run,
  report: RechargeReport,
  result: ReportResult | Error,
  options: PlanOptions,
): Promise<ReportResult | Error> {
  const isPassedOn = report.source !== 'client' && report.source !== 'operator';
  if (!(result instanceof Error) || !isRefusal(result) || !isPassedOn || !isUuid(report.transactionId))
    return result;
  if (!isBookedElsewhere(result) || report.doubt === 'booked_elsewhere')
    return noteRefusal(run, report, result, options).catch(() => result);
  const kept = withoutItsOrder(report, result);
  const [told] = await applyAll(run, [kept], options);
  return answerIfRefused(run, kept, told!, options);
}

type Results = Map<RechargeReport, ReportResult | Error>;

/**
 * Repeats rounds until each report has a result. A failure of a later round does not change the results that earlier
 * rounds committed, because a claim is granted only once.
 *
 * The first round decides on the snapshot that the reporter passed. If the recharge has changed since, a later round
 * reads it again and decides anew.
 */
async function applyAll(
  run: Run,
  reports: readonly RechargeReport[],
  options: PlanOptions,
): Promise<(ReportResult | Error)[]> {
  const results: Results = new Map();
  const tried = new Set<RechargeReport>();
  const round = (some: readonly RechargeReport[]) =>
    applyRound(run, some, options, (report) => (tried.has(report) ? null : decidedUnread(report)));
  for (let fruitless = 0; fruitless < ROUNDS; ) {
    const open = firstPerRecharge(reports.filter((report) => !results.has(report)));
    if (open.length === 0) break;
    if (await isAwayInRound(open, round, results)) break;
    const lost = open.filter((report) => !results.has(report));
    fruitless = lost.length === open.length ? fruitless + 1 : 0;
    await pauseForCompetitors(lost, tried, fruitless);
    for (const report of lost) tried.add(report);
  }
  return reports.map((report) => results.get(report) ?? new StoreUnavailable('the report got no turn'));
}

/** Runs one round and notes its results. Returns whether the database was away for one of them. */
async function isAwayInRound(
  open: readonly RechargeReport[],
  round: (reports: readonly RechargeReport[]) => Promise<(ReportResult | null)[]>,
  results: Results,
): Promise<boolean> {
  const found = await eachAlone<RechargeReport, ReportResult | null>(open, round, { isHopeless: isAway });
  // A claim that lost its lane to another statement is decided again. It then finds the lane taken.
  for (const [n, report] of open.entries())
    if (found[n] && !isLaneTaken(found[n])) results.set(report, found[n]);
  return found.some((result) => result instanceof Error && isAway(result));
}

/**
 * Waits for a random time before the next round if reports lost a race against other reports. A report that failed only
 * because its snapshot was stale has no competitor, so it is retried without a pause.
 */
async function pauseForCompetitors(
  lost: readonly RechargeReport[],
  tried: ReadonlySet<RechargeReport>,
  fruitless: number,
): Promise<void> {
  const hasCompetitors = lost.some((report) => tried.has(report) || !isDecidedUnread(report));
  if (hasCompetitors) await sleep(Math.random() * Math.min(2 ** fruitless * 4, 250));
}

const isAway = (error: unknown): boolean => isUnavailable(error) && !isContended(error);

/**
 * Two reports about one recharge cannot share a statement, because the second is decided on the result of the first.
 */
function firstPerRecharge(reports: readonly RechargeReport[]): RechargeReport[] {
  const first = new Map<string, RechargeReport>();
  for (const report of reports) if (!first.has(report.transactionId)) first.set(report.transactionId, report);
  return [...first.values()];
}

/** The snapshot that a claim assumes instead of reading its recharge. A claim is nearly always the first report. */
const neverReported = {
  state: 'CREATED',
  confirmation: null,
  nextStep: 'submit',
  attempt: 0,
  version: 0,
  asks: 0,
  // No case is open, because a report that opens one changes the version.
  openCases: [],
  cases: [],
} as const;

/** A decided report, with the snapshot that it was decided on. */
type Decided = Readonly<{ seen: WritableSnapshot; decision: Decision }>;

const isDecidedUnread = ({ news, seen }: RechargeReport): boolean => news === 'submit' || seen !== undefined;

/** Decides a report without a read, if it is a claim or its reporter passes a snapshot. Null if a read is needed. */
function decidedUnread(report: RechargeReport): Decided | null {
  const { news, seen, transactionId } = report;
  if (news === 'submit')
    return { seen: { id: transactionId, ...neverReported }, decision: decideClaim(neverReported) };
  return seen ? { seen, decision: decide(seen, report) } : null;
}

/**
 * Reads the recharges without a snapshot, decides each report, and writes all decisions in one statement. Null stands
 * for a report that lost its race and must be decided again.
 */
async function applyRound(
  run: Run,
  reports: readonly RechargeReport[],
  options: PlanOptions,
  unreadOf: (report: RechargeReport) => Decided | null,
): Promise<(ReportResult | null)[]> {
  const decided = new Map(reports.map((report) => [report, unreadOf(report)]));
  const unread = reports.filter((report) => !decided.get(report));
  const rows = unread.length > 0 ? await readRows(run, unread) : new Map<string, RechargeRead>();
  const results = new Map<RechargeReport, ReportResult>();
  const plans: Plan[] = [];
  for (const report of reports) {
    const ready = decided.get(report);
    const row = rows.get(report.transactionId);
    const undecided = ready ? null : verdictWithoutDecision(row, report);
    const told = undecided || ready ? report : asApproved(row!, report);
    const decision = undecided ? null : (ready?.decision ?? decide(row!, told));
    if (decision && (ready || leavesTrace(decision, told)))
      plans.push(Object.assign(planWrite(ready?.seen ?? row!, told, decision, options), { report }));
    else results.set(report, resultWithoutWrite(undecided ?? decision!.verdict, row));
  }
  const written = plans.length > 0 ? await write(run, plans, options) : new Map<string, WrittenRow>();
  for (const plan of plans) {
    const row = written.get(plan.id);
    if (row) results.set(plan.report, resultOf(plan, row));
  }
  return reports.map((report) => results.get(report) ?? null);
}

/** Whether the recharge is of the provider and the account that the report comes from. */
const isOfReporter = (
  row: Pick<RechargeRead, 'provider' | 'providerAccount'>,
  { provider = row.provider, providerAccount = row.providerAccount }: RechargeReport,
): boolean => provider === row.provider && providerAccount === row.providerAccount;

function verdictWithoutDecision(
  row: RechargeRead | undefined,
  report: RechargeReport,
): ReportResult['verdict'] | null {
  if (!row || !isOfReporter(row, report)) return 'unknown_transaction';
  if (!isUnderstood(row)) return 'not_understood';
  if (row.eventDone) return 'repeated';
  if (report.resolution) return refusalOf(row, report.resolution);
  return report.mayWait && row.state === 'CREATED' ? 'early' : null;
}

/**
 * While a newer release is rolled out, its recharges are in the same tables. If this release decided about such a
 * recharge by its own rules, it could charge a customer for a refund.
 */
const isUnderstood = ({ kind, funding, state, nextStep }: RechargeRead): boolean =>
  kinds.includes(kind) &&
  fundings.includes(funding) &&
  states.includes(state) &&
  (nextStep === null || nextSteps.includes(nextStep));

const resultWithoutWrite = (verdict: ReportResult['verdict'], row: RechargeRead | undefined): ReportResult =>
  verdict === 'unknown_transaction' || !row
    ? { verdict, state: null, createdAt: null, claim: null, delivery: null }
    : { verdict, state: row.state, createdAt: row.createdAt, claim: null, delivery: null };

const leavesTrace = (decision: Decision, report: RechargeReport): boolean =>
  decision.filed || (report.calls?.length ?? 0) > 0 || report.eventId !== undefined;

const readColumns = columns({ id: 'uuid', eventId: 'uuid?' });

async function readRows(run: Run, reports: readonly RechargeReport[]): Promise<Map<string, RechargeRead>> {
  const input = reports.map(({ transactionId, eventId }) => ({
    id: transactionId,
    eventId: eventId ?? null,
  }));
  const rows = await run<Omit<RechargeRead, 'cases' | 'openCases'> & { cases: CaseInJson[] }>(Prisma.sql`
    with input as ${readColumns.from(input)}
    select
      recharge.id,
      recharge.kind,
      recharge.state,
      recharge.confirmation,
      recharge.account_id as "accountId",
      recharge.amount_minor as "amountMinor",
      recharge.currency,
      recharge.provider,
      recharge.provider_account as "providerAccount",
      recharge.funding,
      ${returnedFunding} as "returnedFunding",
      recharge.payee,
      recharge.lane,
      recharge.provider_order_id as "providerOrderId",
      recharge.next_step as "nextStep",
      recharge.action is not null as "isPayable",
      recharge.settled_said_at as "settledSaidAt",
      recharge.attempt,
      recharge.version,
      recharge.asks,
      recharge.created_at as "createdAt",
      ${isApprovalVoid} as "isApprovalVoid",
      (select event.processed_at is not null
        from webhook_event event
        where event.id = input."eventId") as "eventDone",
      array(
        select journal.slot
        from ledger_journal journal
        where journal.transaction_id = recharge.id) as slots,
      ${casesInJson} as cases
    from input
    join recharge_transaction recharge on recharge.id = input.id`);
  return new Map(rows.map((row) => [row.id, Object.assign(row, knownCases(row.cases))]));
}

async function write(
  run: Run,
  plans: readonly Plan[],
  options: PlanOptions,
): Promise<Map<string, WrittenRow>> {
  const rows = await run<WrittenRow>(writeStatement(plans, options));
  return new Map(rows.map((row) => [row.id, row]));
}
