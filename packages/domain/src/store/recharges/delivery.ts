import type { Decision } from '../../core/decision.js';
import { holdOf } from '../../core/postings.js';
import { Prisma } from '../../generated/client.js';
import { laneOf } from '../payees/frozen.js';
import type { PlanRow } from './plan-row.js';
import type { RechargeReport } from './report.js';

export type DeliveryOptions = Readonly<{
  newId: () => string;
  /** The time after which the sweeper takes a delivery whose hint is lost. */
  hintLimitMs: number;
  /** The providers whose orders go one at a time between two accounts. */
  lanedProviders: readonly string[];
}>;

type DeliveryRow = Pick<PlanRow, 'deliveryId' | 'holdJournalId' | 'holdPostings'>;

const none: DeliveryRow = { deliveryId: null, holdJournalId: null, holdPostings: [] };

/** The delivery of collected money, in the form that the statement writes. All fields are empty if there is none. */
export function deliveryRow(
  { continuation }: Decision,
  { transactionId }: Pick<RechargeReport, 'transactionId'>,
  newId: () => string,
): DeliveryRow {
  if (!continuation) return none;
  const deliveryId = newId();
  if (deliveryId === transactionId)
    throw new Error(`the delivery of ${transactionId} needs an id of its own`);
  const { postings } = holdOf(continuation);
  const holdPostings = postings.map(({ debit, credit, money }) => ({ debit, credit, ...money }));
  return { deliveryId, holdJournalId: newId(), holdPostings };
}

/**
 * Stores the deliveries of the collects that this statement moves to SUCCEEDED. The request of a delivery has the
 * client, the metadata and the correlation id of its collect. Its key contains a space, so no client can send it.
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
      correlation_id)
    select
      collect."deliveryId",
      request.client_id,
      'delivery ' || collect.id,
      'delivery ' || collect.id,
      request.metadata,
      request.correlation_id
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
