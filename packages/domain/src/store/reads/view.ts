import type { State } from '../../core/recharge.js';

/** A recharge as its producer sees it. */
export type RechargeView = Readonly<{
  id: string;
  clientId: string;
  accountId: string;
  state: State;
  /** Whether the provider is known to have the order. Null before the first answer. */
  confirmation: 'acknowledged' | 'unknown' | null;
  /** Kinds of its open cases, in alphabetical order. */
  openCases: readonly string[];
  amountMinor: bigint;
  currency: string;
  paymentMethod: string;
  provider: string;
  providerOrderId: string | null;
  orderReference: string | null;
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

/** Columns of a view, from `recharge_transaction t` joined with `recharge_request q`. */
export const viewColumns = `
  t.id, t.client_id as "clientId", t.account_id as "accountId", t.state, t.confirmation,
  array(select c.kind from reconciliation_case c where c.transaction_id = t.id and c.closed_at is null order by c.kind)
    as "openCases",
  t.amount_minor as "amountMinor", t.currency,
  t.payment_method as "paymentMethod", t.provider, t.provider_order_id as "providerOrderId",
  t.order_reference as "orderReference", t.failure_code as "failureCode", t.failure_message as "failureMessage",
  q.metadata, t.created_at as "createdAt", t.updated_at as "updatedAt", t.submitted_at as "submittedAt",
  t.succeeded_at as "succeededAt", t.failed_at as "failedAt", t.canceled_at as "canceledAt"`;
