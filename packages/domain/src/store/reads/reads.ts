import type { NextStep } from '../../core/next-step.js';
import { kinds } from '../../core/postings.js';
import type { State } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import type { Run, Store } from '../database/database.js';
import { uuidsOf } from '../database/storable.js';
import { utc } from '../database/utc.js';
import { type ListFilter, listRecharges, type RechargePage } from './list.js';
import { type RechargeView, viewColumns } from './view.js';

/** What the reconciler needs to know of a recharge before it asks about it. */
export type Outstanding = Readonly<{
  id: string;
  state: State;
  provider: string;
  /** Null also while a submit may still be under way: until its time is up, its absence at the provider means nothing. */
  nextStep: NextStep | null;
  attempt: number;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  /** Of the request, for whoever follows it through the logs. */
  idempotencyKey: string;
  correlationId: string;
}>;

export type TimelineRow = Readonly<{ at: Date; kind: string; detail: Record<string, unknown> }>;

export interface Reads {
  recharge(id: string): Promise<RechargeView | null>;
  /** Null also for a recharge of a kind that only a newer release knows. */
  outstanding(id: string): Promise<Outstanding | null>;
  list(filter: ListFilter): Promise<RechargePage>;
  timeline(id: string): Promise<TimelineRow[]>;
  /** Unfinished recharges older than `slaMs`, by provider; the oldest of all are counted, up to COUNTED_MAX. */
  pendingBeyond(slaMs: number): Promise<{ provider: string; count: number }[]>;
  openCases(): Promise<{ kind: string; count: number }[]>;
}

/** A gauge that is read four times a minute counts no further: more than this many are an alarm either way. */
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
    select ${Prisma.raw(viewColumns)}
    from recharge_transaction t join recharge_request q on q.transaction_id = t.id
    where t.id = any(${uuidsOf(ids)}::uuid[])`);
  return inOrder(ids, rows);
}

async function outstandingById(
  run: Run,
  ids: readonly string[],
  callLimitMs: number,
): Promise<(Outstanding | null)[]> {
  const rows = await run<Outstanding>(Prisma.sql`
    select
      t.id,
      t.state,
      t.provider,
      t.attempt,
      t.account_id as "accountId",
      t.amount_minor as "amountMinor",
      t.currency,
      q.idempotency_key as "idempotencyKey",
      q.correlation_id as "correlationId",
      case when exists (
        select from provider_call c
        where c.transaction_id = t.id and c.operation = 'submit' and c.attempt = t.attempt and c.ended_at is null
          and c.started_at > now() - ${callLimitMs}::int * interval '1 ms')
      then null else t.next_step end as "nextStep"
    from recharge_transaction t join recharge_request q on q.transaction_id = t.id
    where t.id = any(${uuidsOf(ids)}::uuid[]) and t.kind = any(${[...kinds]}::text[])`);
  return inOrder(ids, rows);
}

function inOrder<Row extends { id: string }>(ids: readonly string[], rows: readonly Row[]): (Row | null)[] {
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
}

/** Everything that happened to one recharge, from all its tables, in one order. */
function timeline(run: Run, id: string): Promise<TimelineRow[]> {
  return run<TimelineRow>(Prisma.sql`
    select at, kind, detail from (
      select received_at as at, 0 as rank, 0::bigint as n, 'request' as kind, jsonb_build_object(
        'idempotencyKey', idempotency_key, 'correlationId', correlation_id) as detail
      from recharge_request where transaction_id = ${id}::uuid
      union all
      select at, 2, seq, 'transition', jsonb_build_object('seq', seq, 'news', news, 'verdict', verdict,
        'from', from_state, 'to', to_state, 'source', source, 'reason', reason)
      from transition where transaction_id = ${id}::uuid
      union all
      select started_at, case operation when 'submit' then 3 else 1 end, attempt,
        case operation when 'submit' then 'provider_call' else 'poll' end, jsonb_build_object('operation', operation,
        'attempt', attempt, 'outcome', coalesce(outcome, 'unanswered'), 'providerCode', provider_code,
        'httpStatus', http_status, 'endedAt', ${utc('ended_at')})
      from provider_call where transaction_id = ${id}::uuid
      union all
      select stored_at, 1, 0, 'webhook', jsonb_build_object('provider', provider, 'eventId', event_id,
        'processedAt', ${utc('processed_at')}, 'verdict', verdict)
      from webhook_event where transaction_id = ${id}::uuid
      union all
      select e.at, 4, e.id, 'posting', jsonb_build_object('slot', j.slot, 'debit', e.debit_account,
        'credit', e.credit_account, 'amount', e.amount_minor, 'currency', e.currency)
      from ledger_entry e join ledger_journal j on j.id = e.journal_id
      where j.transaction_id = ${id}::uuid
      union all
      select opened_at, 5, 0, 'case', jsonb_build_object('caseId', id, 'caseKind', kind, 'closedAt', ${utc('closed_at')},
        'resolution', resolution)
      from reconciliation_case where transaction_id = ${id}::uuid
    ) happened order by at, rank, n`);
}
