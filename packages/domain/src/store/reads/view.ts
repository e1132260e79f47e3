import type { State } from '../../core/recharge.js';
import { type ShownTexts, textColumnsOf } from '../../core/request-texts.js';
import { Prisma } from '../../generated/client.js';

/** A recharge as its client sees it. */
export type RechargeView = ShownTexts &
  Readonly<{
    id: string;
    clientId: string;
    accountId: string;
    state: State;
    /** Whether the provider is known to have the order. Null before the first answer. */
    confirmation: 'acknowledged' | 'unknown' | null;
    /** Kinds of the recharge's open cases, in alphabetical order. */
    openCases: readonly string[];
    amountMinor: bigint;
    currency: string;
    paymentMethod: string;
    provider: string;
    providerOrderId: string | null;
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
  recharge.state,
  recharge.confirmation,
  array(
    select open_case.kind
    from reconciliation_case open_case
    where open_case.transaction_id = recharge.id and open_case.closed_at is null
    order by open_case.kind) as "openCases",
  recharge.amount_minor as "amountMinor",
  recharge.currency,
  recharge.payment_method as "paymentMethod",
  recharge.provider,
  recharge.provider_order_id as "providerOrderId",
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
