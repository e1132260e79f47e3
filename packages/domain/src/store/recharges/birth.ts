import { Prisma } from '../../generated/client.js';
import { THIS_DAY_STEP } from '../ceilings/day-counter.js';
import { columns } from '../database/rows.js';

/** A new recharge as a statement is given it. */
export const birthColumns = {
  id: 'uuid',
  clientId: 'uuid',
  idempotencyKey: 'text',
  fingerprint: 'text',
  accountId: 'text',
  kind: 'text',
  amountMinor: 'bigint',
  currency: 'text',
  paymentMethod: 'text',
  provider: 'text',
  orderReference: 'text?',
  productType: 'text?',
  planId: 'text?',
  metadata: 'jsonb',
  requestedAt: 'timestamptz?',
  correlationId: 'text',
} as const;

export const births = columns(birthColumns);

/**
 * Stores the new recharges of a relation with the columns of a birth, each with its request. Of several with one key the
 * first is stored: the others are not among `inserted_recharges`. Requests are inserted in key order: batches that share
 * keys then wait for each other instead of deadlocking.
 */
export const insertedRecharges = (
  from: 'creditable' | 'covered',
  /** `isCounted`: in the day's counter of its client and currency. */
  { hintLimitMs, isCounted }: { hintLimitMs: number; isCounted: boolean },
): Prisma.Sql => Prisma.sql`
  inserted_requests as (
    insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, product_type,
      plan_id, requested_at, correlation_id)
    select id, "clientId", "idempotencyKey", fingerprint, metadata, "productType", "planId", "requestedAt",
      "correlationId"
    from ${Prisma.raw(from)}
    order by "clientId", "idempotencyKey"
    on conflict (client_id, idempotency_key) do nothing
    returning transaction_id),
  inserted_recharges as (
    insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
      provider, order_reference, next_step, due_at, day_step)
    select id, "clientId", "accountId", kind, 'CREATED', "amountMinor", currency, "paymentMethod", provider,
      "orderReference", 'submit', now() + ${hintLimitMs}::int * interval '1 ms',
      ${isCounted ? THIS_DAY_STEP : Prisma.sql`null::int`}
    from ${Prisma.raw(from)}
    join inserted_requests on inserted_requests.transaction_id = id
    returning id, created_at as "createdAt")`;
