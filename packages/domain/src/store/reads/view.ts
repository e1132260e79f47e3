import type { Funding, Kind } from '../../core/money/postings.js';
import type { NextStep } from '../../core/next-step.js';
import type { Payee } from '../../core/payee.js';
import type { PayersAction } from '../../core/payers-action.js';
import type { State } from '../../core/recharge.js';
import { type ShownTexts, textColumnsOf } from '../../core/request-texts.js';
import type { WaitingNote } from '../../core/waiting/waiting-note.js';
import { Prisma } from '../../generated/client.js';
import { type ProviderDown, providerDownOf } from '../breakers/breakers.js';
import { utc } from '../database/rows.js';

/** What the payer has to do, as it is stored: `expiresAt` is ISO 8601. */
export type ShownAction = Readonly<Omit<PayersAction, 'expiresAt'> & { expiresAt: string | null }>;

/** The reason for which a claim or an answer could not go on. `since` is a time of ISO 8601. */
export type LeftWaiting = WaitingNote & Readonly<{ since: string }>;

/** The part of a delivery that its collect shows. */
export type DeliveryView = Readonly<{
  id: string;
  state: State;
  confirmation: 'acknowledged' | 'unknown' | null;
  nextStep: NextStep | null;
  waiting: LeftWaiting | null;
  providerDown: ProviderDown | null;
  openCases: readonly string[];
  /** The oldest open case. */
  caseId: string | null;
  failureCode: string | null;
  failureMessage: string | null;
  /** Times of ISO 8601. */
  dueAt: string | null;
  updatedAt: string;
}>;

/** A recharge as its client sees it. */
export type RechargeView = ShownTexts &
  Readonly<{
    id: string;
    clientId: string;
    accountId: string;
    kind: Kind;
    funding: Funding;
    state: State;
    /** Whether the provider is known to have the order. Null before the first answer. */
    confirmation: 'acknowledged' | 'unknown' | null;
    /** Kinds of the recharge's open cases, in alphabetical order. */
    openCases: readonly string[];
    /** The oldest open case. Null if the recharge is final. */
    caseId: string | null;
    amountMinor: bigint;
    currency: string;
    paymentMethod: string;
    provider: string;
    /** The name of our account at the provider. */
    providerAccount: string;
    /** The target of a delivery. Of a collect: where its money is delivered. Null: the money stays in the wallet. */
    payee: Payee | null;
    providerOrderId: string | null;
    /** A second number of the order, which the provider's statements show. */
    externalReference: string | null;
    /** What the payer has to do. Null: nothing, or the recharge is final. */
    action: ShownAction | null;
    payableUntil: Date | null;
    nextStep: NextStep | null;
    /** When the next question is due. Null if no question is the next step. */
    dueAt: Date | null;
    /** The note of a claim or an answer that could not go on. */
    waiting: LeftWaiting | null;
    /**
     * The times since when and until when no call is made to the provider. Null: calls are made, or the recharge is
     * final.
     */
    providerDown: ProviderDown | null;
    /** The collect whose money this delivery carries. */
    collectedBy: string | null;
    /** The recharge that this one pays back. */
    refundOf: string | null;
    /** The amount that was paid back, or is being paid back. */
    refundedMinor: bigint;
    /** The delivery of collected money. */
    delivery: DeliveryView | null;
    failureCode: string | null;
    failureMessage: string | null;
    metadata: Readonly<Record<string, string>>;
    createdAt: Date;
    updatedAt: Date;
    submittedAt: Date | null;
    succeededAt: Date | null;
    failedAt: Date | null;
    canceledAt: Date | null;
  }>;

const shownIn = (table: Parameters<typeof textColumnsOf>[0], alias: string): string =>
  textColumnsOf(table)
    .filter(({ isShown }) => isShown)
    .map(({ field, column }) => `${alias}.${column} as "${field}",`)
    .join('\n  ');

/** Columns of a view, from `recharge_transaction recharge` joined with `recharge_request request`. */
export const viewColumns = Prisma.raw(`
  recharge.id,
  recharge.client_id as "clientId",
  recharge.account_id as "accountId",
  recharge.kind,
  recharge.funding,
  recharge.state,
  recharge.confirmation,
  array(
    select open_case.kind
    from reconciliation_case open_case
    where open_case.transaction_id = recharge.id and open_case.closed_at is null
    order by open_case.kind) as "openCases",
  case when recharge.due_at is not null then (
    select open_case.id
    from reconciliation_case open_case
    where open_case.transaction_id = recharge.id and open_case.closed_at is null
    order by open_case.opened_at
    limit 1) end as "caseId",
  recharge.amount_minor as "amountMinor",
  recharge.currency,
  recharge.payment_method as "paymentMethod",
  recharge.provider,
  recharge.provider_account as "providerAccount",
  recharge.payee,
  recharge.provider_order_id as "providerOrderId",
  recharge.external_reference as "externalReference",
  recharge.action,
  recharge.next_step as "nextStep",
  case when recharge.next_step <> 'submit' then recharge.due_at end as "dueAt",
  recharge.waiting,
  ${providerDownOf('recharge').sql} as "providerDown",
  recharge.collected_by as "collectedBy",
  recharge.refund_of as "refundOf",
  case when recharge.state = 'SUCCEEDED' then coalesce((
    select sum(refund.amount_minor)
    from recharge_transaction refund
    where refund.refund_of = recharge.id and refund.funding <> 'suspense' and refund.state not in ('FAILED', 'CANCELED')), 0)::bigint
    else 0 end as "refundedMinor",
  case when recharge.kind = 'collect' and recharge.payee is not null then (
    select jsonb_build_object(
      'id', delivery.id,
      'state', delivery.state,
      'confirmation', delivery.confirmation,
      'nextStep', delivery.next_step,
      'waiting', delivery.waiting,
      'providerDown', ${providerDownOf('delivery').sql},
      'openCases', array(
        select open_case.kind
        from reconciliation_case open_case
        where open_case.transaction_id = delivery.id and open_case.closed_at is null
        order by open_case.kind),
      'caseId', (
        select open_case.id
        from reconciliation_case open_case
        where open_case.transaction_id = delivery.id and open_case.closed_at is null
        order by open_case.opened_at
        limit 1),
      'dueAt', ${utc('delivery.due_at').sql},
      'updatedAt', ${utc('delivery.updated_at').sql},
      'failureCode', delivery.failure_code,
      'failureMessage', delivery.failure_message)
    from recharge_transaction delivery
    where delivery.collected_by = recharge.id) end as delivery,
  recharge.payable_until as "payableUntil",
  recharge.failure_code as "failureCode",
  recharge.failure_message as "failureMessage",
  ${shownIn('recharge_transaction', 'recharge')}
  ${shownIn('recharge_request', 'request')}
  request.metadata,
  recharge.created_at as "createdAt",
  recharge.updated_at as "updatedAt",
  recharge.submitted_at as "submittedAt",
  recharge.succeeded_at as "succeededAt",
  recharge.failed_at as "failedAt",
  recharge.canceled_at as "canceledAt"`);
