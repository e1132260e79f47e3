import type { State } from '../../core/recharge.js';
import type { WaitingReason } from '../../core/waiting/waiting.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { oldestWaiting } from '../reads/waiting-sums.js';

/** The first age in seconds of each group, youngest first. */
export const riskAgesS = [0, 60, 600, 3_600, 86_400] as const;

/** Unfinished money of one reason, one currency and one group of ages. */
export type AgedRisk = Readonly<{
  reason: WaitingReason;
  currency: string;
  /** The first age of the group: one of riskAgesS. */
  ageS: number;
  count: number;
  amountMinor: bigint;
}>;

export const agedRisks = (read: Run): Promise<AgedRisk[]> =>
  read<AgedRisk>(Prisma.sql`
    select
      reason,
      currency,
      (select max(age) from unnest(${[...riskAgesS]}::int[]) age
        where age = 0 or waiting.created_at <= now() - age * interval '1 s') as "ageS",
      count(*)::int as count,
      sum(amount_minor)::bigint as "amountMinor"
    from ${oldestWaiting} waiting
    group by 1, 2, 3
    order by 1, 2, 3`);

/** The most recharges that are looked at. Each costs a buffer. */
export const RECENT_MAX = 1_200;

/** One span of time of a chart, with the recharges that were created in it, by their state now. */
export type WorkSpan = Readonly<{ at: Date; state: State; count: number }>;

export type RecentWork = Readonly<{
  /** How many recharges were looked at. RECENT_MAX: there are older ones. */
  count: number;
  /** The oldest recharge that was looked at. Null: there is none. */
  since: Date | null;
  /** The length of each span in seconds. */
  spanS: number;
  spans: readonly WorkSpan[];
  /** From the submit to success, in milliseconds. Null: none of them succeeded. */
  medianMs: number | null;
  p95Ms: number | null;
}>;

type WorkRow = Readonly<{
  at: Date | null;
  state: State;
  count: number;
  total: number;
  since: Date | null;
  spanS: number;
  medianMs: number | null;
  p95Ms: number | null;
}>;

/**
 * The possible lengths of one span of the chart, in seconds. The length is chosen so that the chart has about 24 spans.
 */
const SPANS_S = [60, 300, 900, 3_600] as const;
const CHART_S = 86_400;

/**
 * Counting all recharges of a day would read every one of them. So only the newest are counted. Where many recharges
 * arrive, these are the ones of the last minutes.
 */
export async function recentWork(read: Run): Promise<RecentWork> {
  const rows = await read<WorkRow>(Prisma.sql`
    with
    newest as materialized (
      select state, created_at, submitted_at, succeeded_at
      from recharge_transaction
      order by id desc
      limit ${RECENT_MAX}::int),
    charted as materialized (
      select * from newest where created_at > now() - ${CHART_S}::int * interval '1 s'),
    facts as materialized (
      select
        count(*)::int as total,
        min(created_at) as since,
        coalesce((
          select min(span) from unnest(${[...SPANS_S]}::int[]) span
          where span * 24 >= extract(epoch from now() - min(created_at))), ${SPANS_S.at(-1)!}::int) as span_s,
        (percentile_cont(0.5) within group (order by extract(epoch from succeeded_at - submitted_at)) * 1000)::float8
          as median_ms,
        (percentile_cont(0.95) within group (order by extract(epoch from succeeded_at - submitted_at)) * 1000)::float8
          as p95_ms
      from charted)
    select
      span.at,
      span.state,
      coalesce(span.count, 0) as count,
      facts.total,
      facts.since,
      facts.span_s as "spanS",
      facts.median_ms as "medianMs",
      facts.p95_ms as "p95Ms"
    from facts
    left join (
      select
        to_timestamp(floor(extract(epoch from created_at) / facts.span_s) * facts.span_s)::timestamptz(3) as at,
        state,
        count(*)::int as count
      from charted, facts
      group by 1, 2) span on true
    order by span.at, span.state`);
  const { total, since, spanS, medianMs, p95Ms } = rows[0]!;
  const spans = rows.flatMap(({ at, state, count }) => (at === null ? [] : [{ at, state, count }]));
  return { count: total, since, spanS, spans, medianMs, p95Ms };
}

export type EventBacklog = Readonly<{ count: number; oldestAt: Date | null }>;

/** The most events that are counted. Any higher number would raise the same alarm. */
export const EVENTS_COUNTED_MAX = 1_000;

export async function eventBacklog(read: Run): Promise<EventBacklog> {
  const [row] = await read<EventBacklog>(Prisma.sql`
    select count(*)::int as count, min(stored_at) as "oldestAt"
    from (
      select stored_at
      from webhook_event
      where due_at is not null
      order by due_at
      limit ${EVENTS_COUNTED_MAX}::int) waiting`);
  return row!;
}
