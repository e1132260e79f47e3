import { type RequestTextName, requestTextNames, textColumnsOf } from '../../../core/request-texts.js';
import { Prisma } from '../../../generated/client.js';
import { type Approving, firstStep } from '../../approvals/needed.js';
import { THIS_DAY_STEP } from '../../ceilings/day-counter.js';
import { columns } from '../../database/rows.js';
import { laneBackOf, laneOf } from '../../payees/frozen.js';

/** A new recharge in the form in which a statement receives it. */
export const newRechargeColumns = {
  id: 'uuid',
  clientId: 'uuid',
  idempotencyKey: 'text',
  fingerprint: 'text',
  accountId: 'text',
  kind: 'text',
  funding: 'text',
  amountMinor: 'bigint',
  currency: 'text',
  paymentMethod: 'text',
  provider: 'text?',
  providerAccount: 'text',
  destination: 'text?',
  approvalAboveMinor: 'bigint?',
  metadata: 'jsonb',
  requestedAt: 'timestamptz?',
  correlationId: 'text',
  traceparent: 'text?',
  ...(Object.fromEntries(requestTextNames.map((name) => [name, 'text?'])) as Record<
    RequestTextName,
    'text?'
  >),
} as const;

export const newRechargeRows = columns(newRechargeColumns);

const textsIn = (table: Parameters<typeof textColumnsOf>[0]) => ({
  columns: Prisma.raw(
    textColumnsOf(table)
      .map(({ column }) => column)
      .join(', '),
  ),
  fields: Prisma.raw(
    textColumnsOf(table)
      .map(({ field }) => `"${field}"`)
      .join(', '),
  ),
});
const requestTexts = textsIn('recharge_request');
const transactionTexts = textsIn('recharge_transaction');

type Storing = Readonly<{
  hintLimitMs: number;
  lanedProviders: readonly string[];
  approving: Approving;
  isCounted: boolean;
}>;

/**
 * Stores the new recharges of the relation `from`, each with its request. Of several with one idempotency key the first
 * is stored, and the others are missing from `inserted_recharges`.
 * \nRequests are inserted in the order of their keys. Batches that share keys then wait for each other instead of
 * deadlocking.
 * \n`is true` makes Postgres hash the ids of the stored requests. For a join of them, or a bare `in`, Postgres would
 * loop over all pairs.
 */
export const insertedRecharges = (
  from: 'creditable' | 'covered',
  /** `isCounted`: the recharges count towards the day's ceiling of their client and currency. */
  { hintLimitMs, lanedProviders, approving, isCounted }: Storing,
): Prisma.Sql => Prisma.sql`
  ${insertedRequests(from)},
  inserted_recharges as (
    insert into recharge_transaction (
      id,
      client_id,
      account_id,
      kind,
      state,
      amount_minor,
      currency,
      payment_method,
      provider,
      provider_account,
      funding,
      payee,
      lane,
      next_step,
      due_at,
      version, waiting, day_step,
      ${transactionTexts.columns})
    select
      id,
      "clientId",
      "accountId",
      kind,
      'CREATED',
      "amountMinor",
      currency,
      "paymentMethod",
      carrier,
      "carrierAccount",
      funding,
      payee,
      ${laneOf(Prisma.sql`"laneOf"`, lanedProviders)},
      ${firstStep(hintLimitMs, approving)},
      ${isCounted ? THIS_DAY_STEP : Prisma.sql`null::int`},
      ${transactionTexts.fields}
    from ${Prisma.raw(from)}
    where (id in (select transaction_id from inserted_requests)) is true
    returning
      id,
      created_at as "createdAt", provider,
      provider_account as "providerAccount",
      payee,
      case when next_step = 'approve' then due_at end as "approvalUntil")`;

const insertedRequests = (from: string): Prisma.Sql => Prisma.sql`
  inserted_requests as (
    insert into recharge_request (
      transaction_id,
      client_id,
      idempotency_key,
      fingerprint,
      metadata,
      requested_at,
      correlation_id,
      traceparent,
      ${requestTexts.columns})
    select
      id,
      "clientId",
      "idempotencyKey",
      fingerprint,
      metadata,
      "requestedAt",
      "correlationId",
      traceparent,
      ${requestTexts.fields}
    from ${Prisma.raw(from)}
    order by "clientId", "idempotencyKey"
    on conflict (client_id, idempotency_key) do nothing
    returning transaction_id)`;

export type DeliveryOptions = Readonly<{
  newId: () => string;
  /** The time after which the sweeper takes a delivery whose hint is lost. */
  hintLimitMs: number;
  /** The providers whose orders go one at a time between two accounts. */
  lanedProviders: readonly string[];
}>;

/**
 * Stores the deliveries of the collects that this statement moves to SUCCEEDED. The request of a delivery has the
 * client, the metadata, the correlation id and the trace of its collect. Its key contains a space, so no client can send it.
 */
export const storedDeliveries = (options: DeliveryOptions): Prisma.Sql =>
  Prisma.join([deliveryRequests, deliveryRows(options)], ',\n');

const deliveryRequests = Prisma.sql`
  delivery_requests as (
    insert into recharge_request (
      transaction_id,
      client_id,
      idempotency_key,
      fingerprint,
      metadata,
      correlation_id,
      traceparent)
    select
      collect."deliveryId",
      request.client_id,
      'delivery ' || collect.id,
      'delivery ' || collect.id,
      request.metadata,
      request.correlation_id,
      request.traceparent
    from moved_recharges collect
    join recharge_request request on request.transaction_id = collect.id
    where collect."deliveryId" is not null)`;

const deliveryRows = ({ hintLimitMs, lanedProviders }: DeliveryOptions): Prisma.Sql => Prisma.sql`
  deliveries as (
    insert into recharge_transaction (
      id,
      client_id,
      account_id,
      kind,
      state,
      amount_minor,
      currency,
      payment_method,
      provider,
      provider_account,
      funding,
      payee,
      lane,
      collected_by,
      next_step,
      due_at)
    select
      "deliveryId",
      client_id,
      account_id,
      'deliver',
      'CREATED',
      amount_minor,
      currency,
      'balance',
      payee ->> 'provider',
      payee ->> 'providerAccount',
      'wallet',
      payee,
      ${laneOf(Prisma.sql`payee`, lanedProviders)},
      id,
      'submit',
      clock_timestamp() + ${hintLimitMs}::int * interval '1 ms'
    from moved_recharges
    where "deliveryId" is not null)`;

const insertedRefundRequests = Prisma.sql`
  inserted_requests as (
    insert into recharge_request (
      transaction_id,
      client_id,
      idempotency_key,
      fingerprint,
      metadata,
      correlation_id,
      reason)
    select
      accepted.id,
      accepted."clientId",
      accepted."idempotencyKey",
      accepted.fingerprint,
      -- The metadata are copied, because the simulator reads its scenario from them.
      original.metadata,
      accepted."correlationId",
      accepted.reason
    from accepted
    join recharge_request original on original.transaction_id = accepted.of
    on conflict (client_id, idempotency_key) do nothing
    returning transaction_id)`;

/**
 * Stores the new refunds of the relation `accepted`, each with its request. Their terms are those of the refunded
 * recharge, except for a currency and a funding of their own. A refund whose key is taken is missing from
 * `inserted_refunds`.
 */
export const insertedRefunds = ({
  hintLimitMs,
  lanedProviders,
}: Pick<Storing, 'hintLimitMs' | 'lanedProviders'>): Prisma.Sql => Prisma.sql`
  ${insertedRefundRequests},
  inserted_refunds as (
    insert into recharge_transaction (
      id,
      client_id,
      account_id,
      kind,
      state,
      amount_minor,
      currency,
      payment_method,
      provider,
      provider_account,
      funding,
      payee,
      lane,
      refund_of,
      next_step,
      due_at)
    select
      accepted.id,
      original.client_id,
      original.account_id,
      case original.kind when 'collect' then 'refund' else 'recall' end,
      'CREATED',
      accepted.amount,
      coalesce(accepted.currency, original.currency),
      original.payment_method,
      original.provider,
      original.provider_account,
      coalesce(accepted.funding, original.funding),
      -- The payee of a collect says where its money is delivered. A refund is not delivered anywhere.
      case original.kind when 'deliver' then original.payee end,
      case original.kind when 'deliver' then ${laneBackOf(Prisma.raw('original.payee'), lanedProviders)} end,
      original.id,
      'submit',
      now() + ${hintLimitMs}::int * interval '1 ms'
    from accepted
    join inserted_requests on inserted_requests.transaction_id = accepted.id
    join recharge_transaction original on original.id = accepted.of
    returning id, account_id, amount_minor, currency)`;
