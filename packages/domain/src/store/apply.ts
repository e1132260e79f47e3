import { setTimeout as sleep } from 'node:timers/promises';
import { type Decision, decide, type Recharge, type Report } from '../core/decision.js';
import { gapMs } from '../core/next-step.js';
import type { State, Verdict } from '../core/recharge.js';
import { writeStatement } from './apply-statement.js';
import { coalesce, eachAlone } from './coalesce.js';
import type { Database } from './database.js';
import { isUnavailable, persist, StoreUnavailable } from './failure.js';

/** One contact with a provider, as it is kept. A submit's `id` is the one its intent was opened with. */
export type CallRecord = Readonly<{
  id: string;
  operation: 'submit' | 'query';
  attempt: number;
  outcome: string | null;
  providerCode: string | null;
  httpStatus: number | null;
  startedAt: Date;
  endedAt: Date | null;
}>;

export type Told = Report &
  Readonly<{
    transactionId: string;
    calls?: readonly CallRecord[];
    /** Row id of the stored webhook event that this report comes from: it is filed as processed in the same commit. */
    eventId?: string;
    /** Soonest time of the next step, when somebody named one (a provider's Retry-After). */
    notBeforeMs?: number;
  }>;

export type Heard = Readonly<{
  verdict: Verdict | 'unknown_transaction' | 'repeated';
  state: State | null;
  /** When the recharge was created; null for one that is not there. */
  createdAt: Date | null;
  /** Set when this report opened an attempt: what the provider needs to know. */
  claim: Claim | null;
}>;

export type Claim = Readonly<{
  transactionId: string;
  attempt: number;
  callId: string;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  paymentMethod: string;
  provider: string;
  metadata: Readonly<Record<string, string>>;
  createdAt: Date;
}>;

type Row = Recharge & {
  version: number;
  asks: number;
  eventDone: boolean | null;
  paymentMethod: string;
  metadata: Readonly<Record<string, string>> | null;
  createdAt: Date;
};

export type ApplyOptions = Readonly<{
  newId: () => string;
  /** How long a provider may be silent before it is asked. */
  reconcileAfterMs: number;
  /** Longest time one submit with its retries may take, margin included: until then its silence means nothing. */
  callLimitMs: number;
  random: () => number;
}>;

// Twelve rounds in a row without a turn are about two seconds: more rivals than that for one recharge do not exist.
const ROUNDS = 12;

/** The one door: reports of news go in, and state, history, ledger, calls and cases change in one statement. */
export function applier(db: Database, options: ApplyOptions): (told: Told) => Promise<Heard> {
  return coalesce<Told, Heard>((reports) => applyAll(db, reports, options), { batchMax: 64, inFlightMax: 2 });
}

/** What a round has committed stays answered, whatever becomes of the rounds after it: a claim is heard of once. */
async function applyAll(
  db: Database,
  reports: readonly Told[],
  options: ApplyOptions,
): Promise<(Heard | Error)[]> {
  const answers = new Map<Told, Heard | Error>();
  const round = (some: readonly Told[]) => applyRound(db, some, options);
  for (let fruitless = 0; fruitless < ROUNDS; ) {
    const open = firstOfEach(reports.filter((report) => !answers.has(report)));
    if (open.length === 0) break;
    const heard = await eachAlone<Told, Heard | null>(open, round, isUnavailable);
    for (const [n, report] of open.entries()) if (heard[n]) answers.set(report, heard[n]);
    if (heard.some((answer) => answer instanceof Error && isUnavailable(answer))) break;
    const lost = heard.filter((answer) => answer === null).length;
    fruitless = lost === open.length ? fruitless + 1 : 0;
    if (lost > 0) await sleep(Math.random() * Math.min(2 ** fruitless * 4, 250));
  }
  return reports.map((report) => answers.get(report) ?? new StoreUnavailable('the report got no turn'));
}

/** Two reports about one recharge cannot share a statement: the second is decided on what the first left. */
function firstOfEach(reports: readonly Told[]): Told[] {
  const first = new Map<string, Told>();
  for (const report of reports) if (!first.has(report.transactionId)) first.set(report.transactionId, report);
  return [...first.values()];
}

/** One read, one decision each, one write. Null for a report that lost its race and has to be decided again. */
async function applyRound(
  db: Database,
  reports: readonly Told[],
  options: ApplyOptions,
): Promise<(Heard | null)[]> {
  const rows = await readRows(db, reports);
  const answers = new Map<Told, Heard>();
  const plans: Plan[] = [];
  for (const report of reports) {
    const row = rows.get(report.transactionId);
    if (!row) {
      answers.set(report, { verdict: 'unknown_transaction', state: null, createdAt: null, claim: null });
    } else if (row.eventDone) {
      answers.set(report, { verdict: 'repeated', state: row.state, createdAt: row.createdAt, claim: null });
    } else {
      const decision = decide(row, report);
      if (leavesTrace(decision, report)) plans.push(planOf(row, report, decision, options));
      else
        answers.set(report, {
          verdict: decision.verdict,
          state: decision.to,
          createdAt: row.createdAt,
          claim: null,
        });
    }
  }
  const written = plans.length > 0 ? await write(db, plans) : new Set<string>();
  for (const plan of plans) if (written.has(plan.id)) answers.set(plan.report, plan.answer);
  return reports.map((report) => answers.get(report) ?? null);
}

const leavesTrace = (decision: Decision, report: Told): boolean =>
  decision.filed || (report.calls?.length ?? 0) > 0 || report.eventId !== undefined;

type Plan = Readonly<{ id: string; report: Told; answer: Heard; row: object }>;

function planOf(row: Row, report: Told, decision: Decision, options: ApplyOptions): Plan {
  const { claimed, journal, openCase, nextStep, to } = decision;
  const callId = claimed ? options.newId() : null;
  const failed = to === 'FAILED' && row.state !== 'FAILED';
  return {
    id: row.id,
    report,
    answer: {
      verdict: decision.verdict,
      state: to,
      createdAt: row.createdAt,
      claim: claimed ? claimOf(row, callId!) : null,
    },
    row: {
      id: row.id,
      version: row.version,
      verdict: decision.verdict,
      news: report.news,
      from: row.state,
      to,
      source: report.source,
      reason: report.reason.slice(0, 500),
      filed: decision.filed,
      claimed,
      confirmation: decision.confirmation,
      nextStep,
      dueInMs: nextStep === null ? null : dueInMs(row, report, decision, options),
      polled: report.source === 'poll',
      orderId: report.providerOrderId ?? null,
      failureCode: failed ? (report.failure?.code ?? 'PAYMENT_FAILED') : null,
      failureMessage: failed ? (report.failure?.message ?? report.reason).slice(0, 500) : null,
      calls: claimed ? [intentOf(row, callId!)] : (report.calls ?? []),
      journalId: journal ? options.newId() : null,
      slot: journal?.slot ?? null,
      postings: journal?.postings.map(({ debit, credit, money }) => ({ debit, credit, ...money })) ?? [],
      caseId: openCase ? options.newId() : null,
      caseKind: openCase,
      caseDetail: openCase ? { news: report.news, reason: report.reason, money: report.money ?? null } : null,
      eventId: report.eventId ?? null,
    },
  };
}

/** A claim leaves the worker the time of its call; silence after that grows more patient with each question. */
function dueInMs(row: Row, report: Told, decision: Decision, options: ApplyOptions): number {
  if (decision.claimed) return options.callLimitMs;
  if (decision.nextStep === 'submit') return report.notBeforeMs ?? 0;
  const asks = report.source === 'poll' ? row.asks : 0;
  return Math.max(report.notBeforeMs ?? 0, gapMs(asks, options.reconcileAfterMs, options.random()));
}

const intentOf = (row: Row, callId: string): object => ({
  id: callId,
  operation: 'submit',
  attempt: row.attempt + 1,
  outcome: null,
  providerCode: null,
  httpStatus: null,
  startedAt: null,
  endedAt: null,
});

const claimOf = (row: Row, callId: string): Claim => ({
  transactionId: row.id,
  attempt: row.attempt + 1,
  callId,
  accountId: row.accountId,
  amountMinor: row.amountMinor,
  currency: row.currency,
  paymentMethod: row.paymentMethod,
  provider: row.provider,
  metadata: row.metadata ?? {},
  createdAt: row.createdAt,
});

async function readRows(db: Database, reports: readonly Told[]): Promise<Map<string, Row>> {
  const asked = JSON.stringify(
    reports.map((r) => ({ id: r.transactionId, event: r.eventId ?? null, claim: r.news === 'submit' })),
  );
  const rows = await persist(
    () => db.$queryRaw<Row[]>`
      select t.id, t.kind, t.state, t.confirmation, t.account_id as "accountId", t.amount_minor as "amountMinor",
        t.currency, t.provider, t.provider_order_id as "providerOrderId", t.next_step as "nextStep", t.attempt,
        t.version, t.asks, t.payment_method as "paymentMethod", t.created_at as "createdAt", q.metadata,
        (select e.processed_at is not null from webhook_event e where e.id = a.event) as "eventDone",
        array(select j.slot from ledger_journal j where j.transaction_id = t.id) as slots,
        array(select c.kind from reconciliation_case c
          where c.subject = t.id::text and c.closed_at is null) as "openCases"
      from jsonb_to_recordset(${asked}::jsonb) as a(id uuid, event uuid, claim boolean)
      join recharge_transaction t on t.id = a.id
      left join recharge_request q on a.claim and q.transaction_id = t.id`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

async function write(db: Database, plans: readonly Plan[]): Promise<Set<string>> {
  const json = JSON.stringify(
    plans.map((plan) => plan.row),
    (_, value) => (typeof value === 'bigint' ? value.toString() : value),
  );
  const rows = await persist(() => db.$queryRaw<{ id: string }[]>(writeStatement(json)));
  return new Set(rows.map((row) => row.id));
}
