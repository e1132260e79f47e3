import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import type { Run, Store } from '../database/database.js';
import { uuidsOf } from '../database/storable.js';
import { type RefundView, refundsOf } from '../refunds/view.js';
import { COUNTED_MAX, clockSkewMs, type WebhookBacklog, webhookBacklog } from './gauges.js';
import { inOrder } from './in-order.js';
import { type ListFilter, listRecharges, type RechargePage } from './list.js';
import { type Outstanding, outstandingById } from './outstanding.js';
import { type TimelineRow, timeline } from './timeline.js';
import { type RechargeView, viewColumns } from './view.js';
import { type WaitingSum, waitingSums } from './waiting-sums.js';

export interface Reads {
  recharge(id: string): Promise<RechargeView | null>;
  /** The facts of one recharge. Null if there is none, or if only a newer release knows its kind. */
  outstanding(id: string): Promise<Outstanding | null>;
  /** W3C traceparent of the request for a recharge. Null: the request was in no trace, or there is none. */
  traceparent(id: string): Promise<string | null>;
  list(filter: ListFilter): Promise<RechargePage>;
  /** All that happened to a recharge, and to its delivery and refunds if those are given, oldest first. */
  timeline(id: string, partIds?: readonly string[]): Promise<TimelineRow[]>;
  /** The refunds of a recharge, newest first. */
  refunds(of: string): Promise<RefundView[]>;
  /**
   * Counts the unfinished recharges older than `slaMs` per provider. It counts at most COUNTED_MAX recharges in all,
   * the oldest ones.
   */
  pendingBeyond(slaMs: number): Promise<{ provider: string; count: number }[]>;
  openCases(): Promise<{ kind: string; count: number }[]>;
  /** Stored events that were not processed yet. */
  webhookBacklog(): Promise<WebhookBacklog>;
  /** The time by which the clock of this process is ahead of the clock of the database. */
  clockSkewMs(now: () => number): Promise<number>;
  /** What the oldest unfinished recharges wait for. It looks at SUMMED_MAX recharges at most. */
  waitingSums(): Promise<WaitingSum[]>;
}

/** @param callLimitMs longest time that one submit may take */
export function openReads({ run, read }: Pick<Store, 'run' | 'read'>, callLimitMs: number): Reads {
  const limits = { batchMax: 100, inFlightMax: 2 };
  return {
    recharge: coalesce<string, RechargeView | null>((ids) => rechargesById(run, ids), limits),
    outstanding: coalesce<string, Outstanding | null>(
      (ids) => outstandingById(run, ids, callLimitMs),
      limits,
    ),
    traceparent: coalesce<string, string | null>((ids) => traceparents(run, ids), limits),
    list: (filter) => listRecharges(read, filter),
    timeline: (id, partIds = []) => timeline(read, [id, ...partIds]),
    refunds: (of) => refundsOf(read, of),
    pendingBeyond: (slaMs) =>
      read(Prisma.sql`
        select provider, count(*)::int as count
        from (
          select provider
          from recharge_transaction
          where due_at is not null and created_at < now() - ${slaMs}::float8 * interval '1 ms'
          order by created_at
          limit ${COUNTED_MAX}::int) oldest
        group by provider`),
    waitingSums: () => waitingSums(read),
    webhookBacklog: () => webhookBacklog(read),
    clockSkewMs: (now) => clockSkewMs(read, now),
    openCases: () =>
      read(Prisma.sql`
        select kind, count(*)::int as count
        from (select kind from reconciliation_case where closed_at is null limit ${COUNTED_MAX}::int) open_case
        group by kind`),
  };
}

async function rechargesById(run: Run, ids: readonly string[]): Promise<(RechargeView | null)[]> {
  const rows = await run<RechargeView>(Prisma.sql`
    select ${viewColumns}
    from recharge_transaction recharge
    join recharge_request request on request.transaction_id = recharge.id
    where recharge.id = any(${uuidsOf(ids)}::uuid[])`);
  return inOrder(ids, rows);
}

async function traceparents(run: Run, ids: readonly string[]): Promise<(string | null)[]> {
  const rows = await run<{ id: string; traceparent: string }>(Prisma.sql`
    select transaction_id as id, traceparent
    from recharge_request
    where transaction_id = any(${uuidsOf(ids)}::uuid[]) and traceparent is not null`);
  return inOrder(ids, rows).map((row) => row?.traceparent ?? null);
}
