import { setTimeout as sleep } from 'node:timers/promises';
import { type Decision, decide } from '../../core/decision.js';
import { nextSteps } from '../../core/next-step.js';
import { kinds } from '../../core/postings.js';
import { states } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import { eachAlone } from '../batches/each-alone.js';
import type { Run } from '../database/database.js';
import { isContended, isRefusal, isUnavailable, StoreUnavailable } from '../database/failure.js';
import { isUuid } from '../database/storable.js';
import { writeStatement } from './apply-statement.js';
import { type Plan, type PlanOptions, planWrite, resultOf, type WrittenRow } from './plan.js';
import { noteRefusal } from './refusals.js';
import type { RechargeReport, RechargeSnapshot, ReportResult } from './report.js';

type RechargeRead = RechargeSnapshot & { eventDone: boolean | null; createdAt: Date };

// Twelve rounds in a row without a turn are about two seconds: more rivals than that for one recharge do not exist.
const ROUNDS = 12;

/** The one door: reports of news go in, and state, history, ledger, calls and cases change in one statement. */
export function applier(run: Run, options: PlanOptions): (told: RechargeReport) => Promise<ReportResult> {
  const apply = async (reports: readonly RechargeReport[]) => {
    const answers = await applyAll(run, reports, options);
    return Promise.all(answers.map((answer, n) => noteIfRefused(run, reports[n]!, answer, options)));
  };
  return coalesce<RechargeReport, ReportResult>(apply, {
    batchMax: 64,
    inFlightMax: 2,
    lockOf: ({ transactionId }) => transactionId,
  });
}

/** A client or an operator hears of a refusal by the error. Those who only pass on what was said would say it again. */
async function noteIfRefused(
  run: Run,
  report: RechargeReport,
  answer: ReportResult | Error,
  options: PlanOptions,
): Promise<ReportResult | Error> {
  const isPassedOn = report.source !== 'client' && report.source !== 'operator';
  if (!(answer instanceof Error) || !isRefusal(answer) || !isPassedOn || !isUuid(report.transactionId))
    return answer;
  return noteRefusal(run, report, answer, options).catch(() => answer);
}

/**
 * What a round has committed stays answered, whatever becomes of the rounds after it: a claim is heard of once.
 * The first round believes what its reporters saw; who loses it there has the row read anew.
 */
async function applyAll(
  run: Run,
  reports: readonly RechargeReport[],
  options: PlanOptions,
): Promise<(ReportResult | Error)[]> {
  const answers = new Map<RechargeReport, ReportResult | Error>();
  const tried = new Set<RechargeReport>();
  const round = (some: readonly RechargeReport[]) =>
    applyRound(run, some, options, (report) => (tried.has(report) ? undefined : seenBy(report)));
  for (let fruitless = 0; fruitless < ROUNDS; ) {
    const open = firstOfEach(reports.filter((report) => !answers.has(report)));
    if (open.length === 0) break;
    const heard = await eachAlone<RechargeReport, ReportResult | null>(open, round, { isHopeless: isAway });
    for (const [n, report] of open.entries()) if (heard[n]) answers.set(report, heard[n]);
    if (heard.some((answer) => answer instanceof Error && isAway(answer))) break;
    const lost = open.filter((report) => !answers.has(report));
    fruitless = lost.length === open.length ? fruitless + 1 : 0;
    // Whoever only believed something old has met no rival, and waits for none.
    const hasRivals = lost.some((report) => tried.has(report) || !seenBy(report));
    for (const report of lost) tried.add(report);
    if (hasRivals) await sleep(Math.random() * Math.min(2 ** fruitless * 4, 250));
  }
  return reports.map((report) => answers.get(report) ?? new StoreUnavailable('the report got no turn'));
}

const isAway = (error: unknown): boolean => isUnavailable(error) && !isContended(error);

/** Two reports about one recharge cannot share a statement: the second is decided on what the first left. */
function firstOfEach(reports: readonly RechargeReport[]): RechargeReport[] {
  const first = new Map<string, RechargeReport>();
  for (const report of reports) if (!first.has(report.transactionId)) first.set(report.transactionId, report);
  return [...first.values()];
}

/** A claim is nearly always the first thing that happens to a recharge. Its decision looks at no more than this. */
const newborn: Omit<RechargeSnapshot, 'id'> = {
  kind: 'collect',
  state: 'CREATED',
  confirmation: null,
  accountId: '',
  amountMinor: 0n,
  currency: '',
  provider: '',
  providerOrderId: null,
  nextStep: 'submit',
  attempt: 0,
  slots: [],
  openCases: [],
  version: 0,
  asks: 0,
};

const seenBy = (report: RechargeReport): RechargeSnapshot | undefined =>
  report.news === 'submit' ? { id: report.transactionId, ...newborn } : report.seen;

/**
 * One read of what nobody has seen, one decision each, one write. Null for a report that lost its race and has to be
 * decided again.
 */
async function applyRound(
  run: Run,
  reports: readonly RechargeReport[],
  options: PlanOptions,
  seenOf: (report: RechargeReport) => RechargeSnapshot | undefined,
): Promise<(ReportResult | null)[]> {
  const unseen = reports.filter((report) => !seenOf(report));
  const rows = unseen.length > 0 ? await readRows(run, unseen) : new Map<string, RechargeRead>();
  const answers = new Map<RechargeReport, ReportResult>();
  const plans: Plan[] = [];
  for (const report of reports) {
    const seen = seenOf(report);
    const row = rows.get(report.transactionId);
    const unheard = seen ? null : verdictWithoutDecision(row, report);
    const decision = unheard ? null : decide(seen ?? row!, report);
    if (decision && (seen || leavesTrace(decision, report)))
      plans.push(planWrite(seen ?? row!, report, decision, options));
    else answers.set(report, answerOf(unheard ?? decision!.verdict, row));
  }
  const written = plans.length > 0 ? await write(run, plans) : new Map<string, WrittenRow>();
  for (const plan of plans) {
    const found = written.get(plan.id);
    if (found) answers.set(plan.report, resultOf(plan, found));
  }
  return reports.map((report) => answers.get(report) ?? null);
}

function verdictWithoutDecision(
  row: RechargeRead | undefined,
  report: RechargeReport,
): ReportResult['verdict'] | null {
  if (!row || (report.provider !== undefined && report.provider !== row.provider))
    return 'unknown_transaction';
  if (!isUnderstood(row)) return 'not_understood';
  if (row.eventDone) return 'repeated';
  return report.mayWait && row.state === 'CREATED' ? 'early' : null;
}

/**
 * While a newer release is rolled out its recharges are in the same tables. To decide on one by the rules of this
 * release could charge a customer for a refund.
 */
const isUnderstood = ({ kind, state, nextStep }: RechargeRead): boolean =>
  kinds.includes(kind) && states.includes(state) && (nextStep === null || nextSteps.includes(nextStep));

const answerOf = (verdict: ReportResult['verdict'], row: RechargeRead | undefined): ReportResult =>
  verdict === 'unknown_transaction' || !row
    ? { verdict, state: null, createdAt: null, claim: null }
    : { verdict, state: row.state, createdAt: row.createdAt, claim: null };

const leavesTrace = (decision: Decision, report: RechargeReport): boolean =>
  decision.filed || (report.calls?.length ?? 0) > 0 || report.eventId !== undefined;

async function readRows(run: Run, reports: readonly RechargeReport[]): Promise<Map<string, RechargeRead>> {
  const asked = JSON.stringify(reports.map((r) => ({ id: r.transactionId, event: r.eventId ?? null })));
  const rows = await run<RechargeRead>(Prisma.sql`
    select t.id, t.kind, t.state, t.confirmation, t.account_id as "accountId", t.amount_minor as "amountMinor",
      t.currency, t.provider, t.provider_order_id as "providerOrderId", t.next_step as "nextStep", t.attempt,
      t.version, t.asks, t.created_at as "createdAt",
      (select e.processed_at is not null from webhook_event e where e.id = a.event) as "eventDone",
      array(select j.slot from ledger_journal j where j.transaction_id = t.id) as slots,
      array(select c.kind from reconciliation_case c
        where c.subject = t.id::text and c.closed_at is null) as "openCases"
    from jsonb_to_recordset(${asked}::jsonb) as a(id uuid, event uuid)
    join recharge_transaction t on t.id = a.id`);
  return new Map(rows.map((row) => [row.id, row]));
}

async function write(run: Run, plans: readonly Plan[]): Promise<Map<string, WrittenRow>> {
  const rows = await run<WrittenRow>(writeStatement(plans.map((plan) => plan.row)));
  return new Map(rows.map((row) => [row.id, row]));
}
