import { kinds } from '../../core/money/postings.js';
import type { NextStep } from '../../core/next-step.js';
import type { Payee } from '../../core/payee.js';
import type { State } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { uuidsOf } from '../database/storable.js';
import { type OriginalOrder, originalOf } from '../refunds/original.js';
import { inOrder } from './in-order.js';

/** The facts of a recharge that the reconciliation worker needs before it asks the provider about it. */
export type Outstanding = Readonly<{
  id: string;
  state: State;
  confirmation: 'acknowledged' | 'unknown' | null;
  provider: string;
  /** The name of our account at the provider. */
  providerAccount: string;
  payee: Payee | null;
  /** The provider's id of the order. Null: the provider never told it. */
  providerOrderId: string | null;
  /** The order that this refund or recall pays back. Null: it is neither. */
  original: OriginalOrder | null;
  /** The time after which nobody can pay the order any more. Null: the provider sets no such time. */
  payableUntil: Date | null;
  /**
   * The next step of the recharge, but null while a submit may be under way. Until the time limit of that submit, the
   * provider's answer that it has no such order proves nothing.
   */
  nextStep: NextStep | null;
  attempt: number;
  /**
   * The start of the first submit, and the time after which no submit can be executed any more. Workers' clocks may be
   * wrong, so this is at least the start of the last submit plus its time limit. Null: there was no submit.
   */
  submits: Readonly<{ firstStartedAt: Date; lastEndedAt: Date }> | null;
  /** The complete searches that found nothing, in order. */
  scans: readonly Scan[];
  accountId: string;
  amountMinor: bigint;
  currency: string;
  /** The client's idempotency key, for the log lines. */
  idempotencyKey: string;
  correlationId: string;
  /** The database's time of this read. */
  now: Date;
}>;

export type Scan = Readonly<{ at: Date; evidence: object }>;

type OutstandingRow = Omit<Outstanding, 'submits' | 'scans'> &
  Readonly<{
    firstStartedAt: Date | null;
    lastEndedAt: Date | null;
    scans: readonly Readonly<{ at: string; evidence: object }>[] | null;
  }>;

/** @param callLimitMs longest time that one submit may take */
export async function outstandingById(
  run: Run,
  ids: readonly string[],
  callLimitMs: number,
): Promise<(Outstanding | null)[]> {
  const limit = Prisma.sql`${callLimitMs}::int * interval '1 ms'`;
  const rows = await run<OutstandingRow>(Prisma.sql`
    select
      recharge.id,
      recharge.state,
      recharge.confirmation,
      recharge.provider,
      recharge.provider_account as "providerAccount",
      recharge.payee,
      recharge.provider_order_id as "providerOrderId",
      ${originalOf(Prisma.raw('recharge.id'), Prisma.raw('recharge.refund_of'))} as original,
      recharge.payable_until as "payableUntil",
      recharge.attempt,
      recharge.account_id as "accountId",
      recharge.amount_minor as "amountMinor",
      recharge.currency,
      request.idempotency_key as "idempotencyKey",
      request.correlation_id as "correlationId",
      now() as now,
      calls.first_started_at as "firstStartedAt",
      calls.last_ended_at as "lastEndedAt",
      calls.scans,
      case when calls.is_under_way then null else recharge.next_step end as "nextStep"
    from recharge_transaction recharge
    join recharge_request request on request.transaction_id = recharge.id
    cross join lateral (
      select
        min(call.started_at) filter (where call.operation = 'submit') as first_started_at,
        max(greatest(call.ended_at, call.started_at + ${limit})) filter (where call.operation = 'submit')
          as last_ended_at,
        jsonb_agg(jsonb_build_object('at', call.started_at, 'evidence', call.evidence) order by call.started_at)
          filter (where call.operation = 'query' and call.outcome = 'absent'
            and call.evidence -> 'isComplete' = 'true'::jsonb) as scans,
        bool_or(call.operation = 'submit' and call.attempt = recharge.attempt and call.ended_at is null
          and call.started_at > now() - ${limit}) as is_under_way
      from provider_call call
      where call.transaction_id = recharge.id) calls
    where recharge.id = any(${uuidsOf(ids)}::uuid[]) and recharge.kind = any(${[...kinds]}::text[])`);
  return inOrder(ids, rows.map(outstandingOf));
}

function outstandingOf({ firstStartedAt, lastEndedAt, scans, ...row }: OutstandingRow): Outstanding {
  return {
    ...row,
    submits: firstStartedAt && lastEndedAt && { firstStartedAt, lastEndedAt },
    scans: (scans ?? []).map(({ at, evidence }) => ({ at: new Date(at), evidence })),
  };
}
