import { Prisma } from '../../generated/client.js';
import { openedCases } from '../cases/open.js';
import type { Run } from '../database/database.js';
import { codeOf } from '../database/failure.js';
import { storable, storableJson } from '../database/storable.js';
import { caseDetailOf, type PlanOptions } from './decisions/plan.js';
import type { RechargeReport, ReportResult } from './report.js';

export type RefusalOptions = Pick<PlanOptions, 'newId' | 'reconcileAfterMs' | 'random' | 'onRefused'>;

// A migration that is under way may cause one or two refusals. A third one needs a person.
const REFUSALS_BEFORE_CASE = 3;
const ERROR_MAX = 500;

/**
 * Counts a refusal of the database on the recharge and drops the report. The recharge and the event that the report
 * came from are tried again with doubling gaps. The third refusal opens a case, and the next report that moves the
 * recharge closes it.
 */
export async function noteRefusal(
  run: Run,
  report: RechargeReport,
  error: Error,
  options: RefusalOptions,
): Promise<ReportResult> {
  options.onRefused(report.transactionId, error);
  const [row] = await run<Pick<ReportResult, 'state' | 'createdAt'>>(noted(report, error, options));
  const { state, createdAt } = row ?? { state: null, createdAt: null };
  return { verdict: 'refused', state, createdAt, claim: null, delivery: null };
}

/**
 * What is left of a report whose order is booked for another recharge: that it was made, by which call or event. What it
 * says of the order decides nothing here, and a case tells it. Our own order counts as acknowledged, so it is never sent
 * again by itself.
 */
export function withoutItsOrder(report: RechargeReport, error: Error): RechargeReport {
  const { transactionId, news, source, reason, attempt, calls, eventId, provider, providerAccount } = report;
  return {
    ...{ transactionId, source, reason },
    news: news === 'unknown' ? 'unknown' : 'accepted',
    ...(attempt !== undefined && { attempt }),
    ...(calls !== undefined && { calls }),
    ...(eventId !== undefined && { eventId }),
    ...(provider !== undefined && { provider }),
    ...(providerAccount !== undefined && { providerAccount }),
    doubt: 'booked_elsewhere',
    evidence: { error: storable(error.message, ERROR_MAX), reported: caseDetailOf(report) },
  };
}

const noted = (report: RechargeReport, error: Error, options: RefusalOptions): Prisma.Sql => Prisma.sql`
  with
  refused_recharge as (
    update recharge_transaction recharge
    set
      refusals = recharge.refusals + 1,
      due_at = case when recharge.due_at is not null
        then greatest(recharge.due_at, now() + ${gap('recharge.refusals', options)}) end
    where recharge.id = ${report.transactionId}::uuid
      and recharge.provider = coalesce(${report.provider ?? null}, recharge.provider)
    returning recharge.id, recharge.state, recharge.created_at, recharge.refusals),
  delayed_events as (
    update webhook_event event
    set
      transaction_id = refused_recharge.id,
      due_at = greatest(event.due_at, now() + ${gap('refused_recharge.refusals - 1', options)})
    from refused_recharge
    where event.id = ${report.eventId ?? null}::uuid and event.processed_at is null),
  to_open as (
    select
      ${options.newId()}::uuid as case_id,
      id::text as subject,
      id as transaction_id,
      'unprocessable' as kind,
      ${storableJson(detailOf(report, error))}::jsonb as detail
    from refused_recharge
    where refusals >= ${REFUSALS_BEFORE_CASE}::int),
  ${openedCases}
  select state, created_at as "createdAt" from refused_recharge`;

/** The gap after a number of refusals. It is the gap of `gapMs` after as many fruitless queries. */
const gap = (refusals: string, { reconcileAfterMs, random }: RefusalOptions): Prisma.Sql => Prisma.sql`
  ${reconcileAfterMs * (0.75 + random() / 2)}::float8 * 2 ^ least(${Prisma.raw(refusals)}, 6) * interval '1 ms'`;

const detailOf = (report: RechargeReport, error: Error): object => ({
  ...caseDetailOf(report),
  source: report.source,
  error: storable(error.message, ERROR_MAX),
  sqlState: codeOf(error),
});
