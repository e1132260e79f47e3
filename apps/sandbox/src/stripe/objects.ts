export type CardOutcome = 'ok' | 'declined' | 'requires_action';

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'succeeded'
  | 'canceled';

/** A payment intent as it is stored. Amounts are in Stripe's smallest unit, times in Unix seconds. */
export type StoredIntent = Readonly<{
  id: string;
  clientSecret: string;
  amount: number;
  amountReceived: number;
  currency: string;
  status: IntentStatus;
  metadata: Readonly<Record<string, string>>;
  paymentMethodTypes: readonly string[];
  paymentMethod: string | null;
  description: string | null;
  isDeclined: boolean;
  cancellationReason: string | null;
  canceledAt: number | null;
  chargeId: string | null;
  createdMs: number;
}>;

/** A refund as it is stored. */
export type StoredRefund = Readonly<{
  id: string;
  intentId: string;
  chargeId: string | null;
  amount: number;
  currency: string;
  metadata: Readonly<Record<string, string>>;
  reason: string | null;
  created: number;
}>;

/** A movement of the account's balance. `amount` is negative for money that goes out. */
export type StoredBalanceTransaction = Readonly<{
  id: string;
  type: 'charge' | 'refund';
  amount: number;
  currency: string;
  /** The id of the intent, or of the refund. */
  of: string;
  created: number;
}>;

/** The reference of an object: our transaction id in its metadata. */
export const referenceOf = ({ metadata }: Pick<StoredIntent, 'metadata'>): string | null =>
  metadata.transaction_id ?? null;

/** The intent as Stripe's API and its events show it. */
export const showIntent = (intent: StoredIntent) => ({
  id: intent.id,
  object: 'payment_intent',
  amount: intent.amount,
  amount_capturable: 0,
  amount_received: intent.amountReceived,
  canceled_at: intent.canceledAt,
  cancellation_reason: intent.cancellationReason,
  capture_method: 'automatic',
  client_secret: intent.clientSecret,
  confirmation_method: 'automatic',
  created: Math.floor(intent.createdMs / 1_000),
  currency: intent.currency,
  description: intent.description,
  last_payment_error: intent.isDeclined ? declineError() : null,
  latest_charge: intent.chargeId,
  livemode: false,
  metadata: intent.metadata,
  next_action: intent.status === 'requires_action' ? { type: 'use_stripe_sdk', use_stripe_sdk: {} } : null,
  payment_method: intent.paymentMethod,
  payment_method_types: intent.paymentMethodTypes,
  status: intent.status,
});

export const showRefund = (refund: StoredRefund) => ({
  id: refund.id,
  object: 'refund',
  amount: refund.amount,
  charge: refund.chargeId,
  created: refund.created,
  currency: refund.currency,
  metadata: refund.metadata,
  payment_intent: refund.intentId,
  reason: refund.reason,
  status: 'succeeded',
});

/** The movement with its source, as with `expand[]=data.source`. */
export const showBalanceTransaction = (one: StoredBalanceTransaction, source: object | string | null) => ({
  id: one.id,
  object: 'balance_transaction',
  amount: one.amount,
  available_on: one.created,
  created: one.created,
  currency: one.currency,
  description: null,
  exchange_rate: null,
  fee: 0,
  fee_details: [],
  net: one.amount,
  reporting_category: one.type,
  source,
  status: 'available',
  type: one.type,
});

/** The charge of a paid intent. It has the metadata of the intent. */
export const showCharge = (intent: StoredIntent) => ({
  id: intent.chargeId,
  object: 'charge',
  amount: intent.amount,
  captured: true,
  currency: intent.currency,
  metadata: intent.metadata,
  paid: true,
  payment_intent: intent.id,
  status: 'succeeded',
});

export const declineError = () => ({
  type: 'card_error',
  code: 'card_declined',
  decline_code: 'insufficient_funds',
  message: 'Your card has insufficient funds.',
});

/** A list as Stripe's API shows it. */
export const showList = (url: string, data: readonly unknown[], hasMore: boolean, object = 'list') => ({
  object,
  url,
  has_more: hasMore,
  data,
});
