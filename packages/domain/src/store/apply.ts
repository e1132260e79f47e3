import { setTimeout as sleep } from 'node:timers/promises';
import { type Decision, decide, type Recharge, type Report } from '../core/decision.js';
import { gapMs } from '../core/next-step.js';
import type { State, Verdict } from '../core/recharge.js';
import { Prisma } from '../generated/client.js';
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

// Twelve rounds with growing jitter are about two seconds: more rivals than that for one recharge do not exist.
const ROUNDS = 12;

/** The one door: reports of news go in, and state, history, ledger, calls and cases change in one statement. */
export function applier(db: Database, options: ApplyOptions): (told: Told) => Promise<Heard> {
  return coalesce<Told, Heard>(
    (reports) => eachAlone(reports, (some) => applyAll(db, some, options), isUnavailable),
    { batchMax: 64, inFlightMax: 2 },
  );
}

async function applyAll(db: Database, reports: readonly Told[], options: ApplyOptions): Promise<Heard[]> {
  const answers = new Map<Told, Heard>();
  for (let round = 1; round <= ROUNDS; round++) {
    const open = firstOfEach(reports.filter((report) => !answers.has(report)));
    if (open.length === 0) return reports.map((report) => answers.get(report)!);
    const lost = await applyRound(db, open, options, answers);
    if (lost > 0) await sleep(Math.random() * Math.min(2 ** round * 2, 250));
  }
  throw new StoreUnavailable(`no turn in ${ROUNDS} rounds`);
}

/** Two reports about one recharge cannot share a statement: the second is decided on what the first left. */
function firstOfEach(reports: readonly Told[]): Told[] {
  const first = new Map<string, Told>();
  for (const report of reports) if (!first.has(report.transactionId)) first.set(report.transactionId, report);
  return [...first.values()];
}

/** One read, one decision each, one write. Answers those that are settled; returns how many lost their race. */
async function applyRound(
  db: Database,
  reports: readonly Told[],
  options: ApplyOptions,
  answers: Map<Told, Heard>,
): Promise<number> {
  const rows = await readRows(db, reports);
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
  if (plans.length === 0) return 0;
  const written = await write(db, plans);
  for (const plan of plans) if (written.has(plan.id)) answers.set(plan.report, plan.answer);
  return plans.length - written.size;
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

/**
 * Rows are locked in id order, then wallets in name order: batches that cross then wait instead of deadlocking.
 * Entries are numbered after their wallets are locked, so the running balances of a wallet follow its entry ids.
 * A row whose version is no longer the one decided on is left alone, and with it everything that hangs on it.
 * Each part reads from the one before and carries its columns along: joins of one batch with itself would cost its
 * square (of 64 reports a settlement took 500 us of the database's time each so, and 130 us this way).
 */
const writeStatement = (json: string): Prisma.Sql => Prisma.sql`
  with held as materialized (
    select p.* from jsonb_to_recordset(${json}::jsonb) as p(
      id uuid, version int, verdict text, news text, "from" text, "to" text, source text, reason text, filed boolean,
      claimed boolean, confirmation text, "nextStep" text, "dueInMs" bigint, polled boolean, "orderId" text,
      "failureCode" text, "failureMessage" text, calls jsonb, "journalId" uuid, slot text, postings jsonb,
      "caseId" uuid, "caseKind" text, "caseDetail" jsonb, "eventId" uuid)
    join recharge_transaction t on t.id = p.id and t.version = p.version
    order by p.id for update of t),
  moved as (
    update recharge_transaction t set
      state = p."to", version = t.version + 1, seq = t.seq + p.filed::int, attempt = t.attempt + p.claimed::int,
      confirmation = p.confirmation, next_step = p."nextStep",
      due_at = now() + p."dueInMs" * interval '1 ms',
      asks = case when p.polled then t.asks else 0 end,
      provider_order_id = coalesce(t.provider_order_id, p."orderId"),
      failure_code = coalesce(p."failureCode", t.failure_code),
      failure_message = coalesce(p."failureMessage", t.failure_message),
      submitted_at = case when p."to" = 'SUBMITTED' then coalesce(t.submitted_at, now()) else t.submitted_at end,
      succeeded_at = case when p."to" = 'SUCCEEDED' then coalesce(t.succeeded_at, now()) else t.succeeded_at end,
      failed_at = case when p."to" = 'FAILED' then coalesce(t.failed_at, now()) else t.failed_at end,
      canceled_at = case when p."to" = 'CANCELED' then coalesce(t.canceled_at, now()) else t.canceled_at end,
      updated_at = case when p.verdict = 'moved' or p.claimed then now() else t.updated_at end
    from held p where t.id = p.id and t.version = p.version
    returning t.id, t.seq, p.verdict, p.news, p."from", p."to", p.source, p.reason, p.filed, p.calls, p."journalId",
      p.slot, p.postings, p."caseId", p."caseKind", p."caseDetail", p."eventId"),
  filed as (
    insert into transition (transaction_id, seq, news, verdict, from_state, to_state, source, reason)
    select id, seq, news, verdict, "from", "to", source, reason from moved where filed),
  called as (
    insert into provider_call (id, transaction_id, attempt, operation, outcome, provider_code, http_status, started_at,
      ended_at)
    select c.id, m.id, c.attempt, c.operation, c.outcome, c."providerCode", c."httpStatus",
      coalesce(c."startedAt", now()), c."endedAt"
    from moved m, jsonb_to_recordset(m.calls) as c(
      id uuid, attempt int, operation text, outcome text, "providerCode" text, "httpStatus" int,
      "startedAt" timestamptz, "endedAt" timestamptz)
    on conflict (id) do update set outcome = excluded.outcome, provider_code = excluded.provider_code,
      http_status = excluded.http_status, ended_at = excluded.ended_at),
  journals as (
    insert into ledger_journal (id, transaction_id, slot)
    select "journalId", id, slot from moved where slot is not null),
  postings as materialized (
    select row_number() over (order by m.id, e.ord) as n, m."journalId" as journal_id, m.id as transaction_id,
      e.debit, e.credit, e."amountMinor" as amount, e.currency
    from moved m, rows from (jsonb_to_recordset(m.postings)
      as (debit text, credit text, "amountMinor" bigint, currency text))
      with ordinality as e(debit, credit, "amountMinor", currency, ord)
    where m.slot is not null),
  sides as materialized (
    select *, coalesce(sum(delta) over (partition by account, currency order by n
      rows between 1 following and unbounded following), 0) as later
    from (
      select *, 'debit' as side, debit as account, -amount as delta from postings
      union all select *, 'credit', credit, amount from postings) side),
  wallets as (
    insert into ledger_account (name, currency, balance_minor)
    select account, currency, sum(delta) from sides where account like 'wallet:%' group by 1, 2 order by 1, 2
    on conflict (name, currency) do update set balance_minor = ledger_account.balance_minor + excluded.balance_minor
    returning name, currency, balance_minor),
  charted as (
    insert into ledger_account (name, currency)
    select distinct account, currency from sides where account not like 'wallet:%' order by 1, 2
    on conflict (name, currency) do nothing),
  entered as (
    insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency,
      debit_balance_minor, credit_balance_minor)
    select s.journal_id, s.transaction_id, s.debit, s.credit, s.amount, s.currency,
      max((w.balances ->> (s.account || ' ' || s.currency))::bigint - s.later) filter (where s.side = 'debit'),
      max((w.balances ->> (s.account || ' ' || s.currency))::bigint - s.later) filter (where s.side = 'credit')
    from sides s, (select jsonb_object_agg(name || ' ' || currency, balance_minor) as balances from wallets) w
    group by s.n, s.journal_id, s.transaction_id, s.debit, s.credit, s.amount, s.currency
    order by s.n),
  processed as (
    update webhook_event e set processed_at = now(), due_at = null, verdict = m.verdict, transaction_id = m.id
    from moved m where e.id = m."eventId"),
  opened as (
    insert into reconciliation_case (id, transaction_id, subject, kind, detail)
    select "caseId", id, id::text, "caseKind", "caseDetail" from moved where "caseKind" is not null
    on conflict (subject, kind) where closed_at is null do nothing)
  select id from moved`;
