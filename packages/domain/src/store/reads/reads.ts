import type { NextStep } from '../../core/next-step.js';
import { kinds } from '../../core/postings.js';
import type { State } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import type { Run, Store } from '../database/database.js';
import { uuidsOf } from '../database/storable.js';
import { type ListFilter, listRecharges, type RechargePage } from './list.js';
import { type TimelineRow, timeline } from './timeline.js';
import { type RechargeView, viewColumns } from './view.js';

/** The facts of a recharge that the reconciliation worker needs before it asks the provider about it. */
export type Outstanding = Readonly<{
  id: string;
  state: State;
  provider: string;
  /**
   * The next step of the recharge, but null while a submit may be under way. Until the time limit of that submit, the
   * provider's answer that it has no such order proves nothing.
   */
  nextStep: NextStep | null;
  attempt: number;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  /** The client's key, for the logs. */
  idempotencyKey: string;
  correlationId: string;
}>;

export interface Reads {
  recharge(id: string): Promise<RechargeView | null>;
  /** The facts of one recharge. Null if there is none, or if only a newer release knows its kind. */
  outstanding(id: string): Promise<Outstanding | null>;
  list(filter: ListFilter): Promise<RechargePage>;
  timeline(id: string): Promise<TimelineRow[]>;
  /**
   * Counts the unfinished recharges older than `slaMs` per provider. It counts at most COUNTED_MAX recharges in all,
   * the oldest ones.
   */
  pendingBeyond(slaMs: number): Promise<{ provider: string; count: number }[]>;
  openCases(): Promise<{ kind: string; count: number }[]>;
}

/**
 * The most recharges that a gauge counts, because it is read four times per minute. Any higher number is an alarm too.
 */
export const COUNTED_MAX = 1_500;

/** @param callLimitMs longest time that one submit may take */
export function openReads({ run, read }: Pick<Store, 'run' | 'read'>, callLimitMs: number): Reads {
  const limits = { batchMax: 100, inFlightMax: 2 };
  return {
    recharge: coalesce<string, RechargeView | null>((ids) => rechargesById(run, ids), limits),
    outstanding: coalesce<string, Outstanding | null>(
      (ids) => outstandingById(run, ids, callLimitMs),
      limits,
    ),
    list: (filter) => listRecharges(read, filter),
    timeline: (id) => timeline(read, id),
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

async function outstandingById(
  run: Run,
  ids: readonly string[],
  callLimitMs: number,
): Promise<(Outstanding | null)[]> {
  const rows = await run<Outstanding>(Prisma.sql`
    select
      recharge.id,
      recharge.state,
      recharge.provider,
      recharge.attempt,
      recharge.account_id as "accountId",
      recharge.amount_minor as "amountMinor",
      recharge.currency,
      request.idempotency_key as "idempotencyKey",
      request.correlation_id as "correlationId",
      case when exists (
        select
        from provider_call call
        where call.transaction_id = recharge.id
          and call.operation = 'submit'
          and call.attempt = recharge.attempt
          and call.ended_at is null
          and call.started_at > now() - ${callLimitMs}::int * interval '1 ms')
        then null else recharge.next_step end as "nextStep"
    from recharge_transaction recharge
    join recharge_request request on request.transaction_id = recharge.id
    where recharge.id = any(${uuidsOf(ids)}::uuid[]) and recharge.kind = any(${[...kinds]}::text[])`);
  return inOrder(ids, rows);
}

function inOrder<Row extends { id: string }>(ids: readonly string[], rows: readonly Row[]): (Row | null)[] {
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
}
