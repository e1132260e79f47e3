import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { type RechargeView, viewColumns } from '../reads/view.js';

/** A refund as its client sees it. It is a transaction of its own, so it has the fields of a recharge too. */
export type RefundView = RechargeView &
  Readonly<{
    refundOf: string;
    /** Why the refund was asked for. */
    reason: string;
  }>;

const columns = Prisma.sql`${viewColumns}, recharge.refund_of as "refundOf", request.reason`;

// The sum of a recharge's refunds is bounded, and the failed ones are not. A list shows the newest.
const LISTED_MAX = 1_000;

/** The refunds of a recharge, newest first. */
export const refundsOf = (run: Run, of: string): Promise<RefundView[]> =>
  run<RefundView>(Prisma.sql`
    select ${columns}
    from (
      select *
      from recharge_transaction
      where refund_of = ${of}::uuid
      order by id desc
      limit ${LISTED_MAX}::int) recharge
    join recharge_request request on request.transaction_id = recharge.id
    order by recharge.id desc`);

/** The request that a client's key stands for, with its fingerprint. It may be no refund. */
export async function refundByKey(
  run: Run,
  { clientId, idempotencyKey }: Readonly<{ clientId: string; idempotencyKey: string }>,
): Promise<(RefundView & { fingerprint: string }) | null> {
  const [row] = await run<RefundView & { fingerprint: string }>(Prisma.sql`
    select request.fingerprint, ${columns}
    from recharge_request request
    join recharge_transaction recharge on recharge.id = request.transaction_id
    where request.client_id = ${clientId}::uuid and request.idempotency_key = ${idempotencyKey}`);
  return row ?? null;
}
