import type { Decision } from '../../../core/decision.js';
import type { Money } from '../../../core/money/money.js';
import { gapMs } from '../../../core/next-step.js';
import { isFinal } from '../../../core/recharge.js';
import { storable } from '../../database/storable.js';
import { type ClaimedRow, claimOf } from '../claim.js';
import type { DeliveryOptions } from '../creation/insert-recharges.js';
import { deliveryRow, postingRow } from '../delivery.js';
import type { ProviderCallRow, RechargeReport, ReportResult, WritableSnapshot } from '../report.js';
import { extraOf, type PlanExtra, plainExtra } from './plan-extra.js';
import type { PlanRow } from './plan-row.js';

export type PlanOptions = DeliveryOptions &
  Readonly<{
    /** The time without news about a recharge after which its provider is asked. */
    reconcileAfterMs: number;
    /**
     * The longest time that one submit with its retries may take, margin included. Before that time, silence means
     * nothing.
     */
    callLimitMs: number;
    random: () => number;
    /** Called with each error by which the database refuses to record a report. */
    onRefused: (transactionId: string, error: Error) => void;
  }>;

/** A decision together with the row that the statement writes for it. */
export type Plan = Readonly<{
  id: string;
  report: RechargeReport;
  decision: Decision;
  seen: WritableSnapshot;
  callId: string | null;
  row: PlanRow;
  extra: PlanExtra | null;
}>;

const TEXT_MAX = 500;

/** Turns the decision about a report into the row that the statement writes. */
export function planWrite(
  seen: WritableSnapshot,
  report: RechargeReport,
  decision: Decision,
  options: PlanOptions,
): Plan {
  const callId = decision.claimed ? options.newId() : null;
  const extra = extraOf(decision, report, options.newId);
  const row = rowOf({ seen, report, decision, callId, extra }, options);
  return { id: seen.id, seen, report, decision, callId, extra, row };
}

/** The fields are named one by one. With a spread, a row of so many fields took four times as long. */
function rowOf(
  { seen, report, decision, callId, extra }: Omit<Plan, 'id' | 'row'>,
  options: PlanOptions,
): PlanRow {
  const { claimed, journal, openCase, nextStep, to } = decision;
  const { newId } = options;
  const rare = rareColumns(seen, report, decision, options);
  return {
    id: seen.id,
    version: seen.version,
    provider: report.provider ?? null,
    providerAccount: report.providerAccount ?? null,
    verdict: decision.verdict,
    news: decision.resolved?.reported ?? report.news,
    from: seen.state,
    to,
    source: report.source,
    reason: storable(report.reason, TEXT_MAX),
    filed: decision.filed,
    claimed,
    confirmation: decision.confirmation,
    nextStep,
    dueInMs: nextStep === null ? null : dueInMs(seen, report, decision, options),
    polled: isFruitlessPoll(report),
    waiting: report.waiting ?? null,
    providerOrderId: decision.providerOrderId,
    saidAt: report.saidAt ?? null,
    failureCode: rare.failureCode,
    failureMessage: rare.failureMessage,
    calls: claimed ? [intentOf(seen, callId!)] : (report.calls ?? []).map(withEvidence),
    journalId: journal ? newId() : null,
    slot: journal?.slot ?? null,
    postings: journal?.postings.map(postingRow) ?? [],
    caseId: openCase ? newId() : null,
    caseKind: openCase,
    caseDetail: openCase ? caseDetailOf(report) : null,
    eventId: report.eventId ?? null,
    heldInMs: rare.heldInMs,
    poolReadWithinMs: rare.poolReadWithinMs,
    freesLane: rare.freesLane,
    externalReference: rare.externalReference,
    action: rare.action,
    payableUntil: rare.payableUntil,
    deliveryId: rare.deliveryId,
    holdJournalId: rare.holdJournalId,
    holdPostings: rare.holdPostings,
    extra: plainExtra(extra),
  };
}

/** The columns that most decisions leave empty. */
function rareColumns(
  seen: WritableSnapshot,
  report: RechargeReport,
  decision: Decision,
  options: PlanOptions,
) {
  const { heldInMs, poolReadWithinMs, freesLane } = limitsOf(seen, report, decision, options);
  const { externalReference, action, payableUntil } = payerFactsOf(report, decision);
  const { deliveryId, holdJournalId, holdPostings } = deliveryRow(decision, report, options.newId);
  const failed = decision.to === 'FAILED' && seen.state !== 'FAILED';
  const failure = decision.resolved?.failure ?? report.failure;
  return {
    failureCode: failed ? (failure?.code ?? 'PAYMENT_FAILED') : null,
    failureMessage: failed ? storable(failure?.message ?? report.reason, TEXT_MAX) : null,
    heldInMs,
    poolReadWithinMs,
    freesLane,
    externalReference,
    action,
    payableUntil,
    deliveryId,
    holdJournalId,
    holdPostings,
  };
}

const withEvidence = (call: ProviderCallRow): PlanRow['calls'][number] =>
  call.evidence === undefined ? { ...call, evidence: null } : (call as PlanRow['calls'][number]);

/** The facts of the report that are for the payer. The facts of an order that is not ours are not kept. */
function payerFactsOf(
  { externalReference, action, payableUntil }: RechargeReport,
  { verdict }: Decision,
): Pick<PlanRow, 'externalReference' | 'action' | 'payableUntil'> {
  if (verdict === 'conflict') return { externalReference: null, action: null, payableUntil: null };
  const number = externalReference === undefined ? null : storable(externalReference, TEXT_MAX);
  return { externalReference: number, action: action ?? null, payableUntil: payableUntil ?? null };
}

export const caseDetailOf = (report: RechargeReport): object => ({
  news: report.news,
  reason: storable(report.reason, TEXT_MAX),
  money: report.money ? inJson(report.money) : null,
  providerOrderId: report.providerOrderId ?? null,
  accountId: report.accountId == null ? null : storable(report.accountId, TEXT_MAX),
  reference: report.reference == null ? null : storable(report.reference, TEXT_MAX),
  ...(report.evidence && { evidence: report.evidence }),
});

/** JSON has no bigint. */
const inJson = ({ amountMinor, currency }: Money) => ({ amountMinor: String(amountMinor), currency });

/** After a claim the next step waits for the whole call. After that the gap grows with each query. */
function dueInMs(
  seen: WritableSnapshot,
  report: RechargeReport,
  decision: Decision,
  options: PlanOptions,
): number {
  if (decision.claimed) return options.callLimitMs;
  if (
    report.isUrgent ||
    decision.resolved?.isSentAgain ||
    (report.news === 'withdraw' && decision.nextStep === 'cancel')
  )
    return 0;
  if (decision.nextStep === 'submit') {
    // The first retry comes at the earliest allowed time. If the provider refuses again and again, the gaps between
    // retries grow.
    const retries = Math.max(0, seen.attempt - 1);
    const patience =
      retries === 0
        ? 0
        : gapMs(report.unreached ? 0 : retries - 1, options.reconcileAfterMs, options.random());
    return Math.max(report.notBeforeMs ?? 0, patience);
  }
  const asks = isFruitlessPoll(report) ? seen.asks : 0;
  const gap = gapMs(asks, options.reconcileAfterMs, options.random());
  return Math.max(report.notBeforeMs ?? 0, Math.min(gap, report.notAfterMs ?? gap));
}

/** A claim is judged where its reporter says so, and where its recharge is known to be in a lane. */
function limitsOf(
  { lane }: WritableSnapshot,
  { limits }: RechargeReport,
  { claimed, verdict, to }: Decision,
  { reconcileAfterMs, random }: PlanOptions,
): Pick<PlanRow, 'heldInMs' | 'poolReadWithinMs' | 'freesLane'> {
  const isJudged = claimed && (limits !== undefined || lane != null);
  return {
    heldInMs: isJudged ? gapMs(0, reconcileAfterMs, random()) : null,
    poolReadWithinMs: (isJudged && limits?.poolReadWithinMs) || null,
    freesLane: lane != null && verdict === 'moved' && isFinal(to),
  };
}

/** Whether the report is of a query without a final result. The gap to the next query then grows. */
const isFruitlessPoll = ({ source, unreached }: RechargeReport): boolean => source === 'poll' && !unreached;

const intentOf = (seen: WritableSnapshot, callId: string): PlanRow['calls'][number] => ({
  id: callId,
  operation: 'submit',
  attempt: seen.attempt + 1,
  outcome: null,
  providerCode: null,
  httpStatus: null,
  startedAt: null,
  endedAt: null,
  evidence: null,
});

/** The statement's answer about a row that it wrote. `claimed` is set only if this opened an attempt. */
export type WrittenRow = Readonly<{
  id: string;
  createdAt: Date;
  claimed: ClaimedRow | null;
  held: ReportResult['held'] | null;
  /** The provider of the delivery or the refund that was created. */
  deliveredBy: string | null;
}>;
export const resultOf = (
  { decision, seen, callId, row, extra }: Plan,
  { createdAt, claimed, held, deliveredBy }: WrittenRow,
): ReportResult =>
  held
    ? { verdict: 'stale', state: seen.state, createdAt, claim: null, delivery: null, held }
    : {
        verdict: decision.verdict,
        state: decision.to,
        createdAt,
        claim: claimed ? claimOf(seen, decision, claimed, { createdAt, callId: callId! }) : null,
        delivery: createdBy(row.deliveryId ?? extra?.returned[0]?.id ?? null, deliveredBy),
      };

const createdBy = (id: string | null, provider: string | null): ReportResult['delivery'] =>
  id !== null && provider !== null ? { id, provider } : null;
