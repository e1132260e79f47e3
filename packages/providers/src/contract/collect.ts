import type {
  CallAnswer,
  Destination,
  NoDefiniteAnswer,
  OrderFacts,
  QueryOutcome,
  SoughtOrder,
  SubmitOutcome,
  SubmitTimes,
} from './order.js';

/**
 * The result of a cancel call. Only `canceled` means that no money can arrive any more. `settled` means that the payer
 * was faster. `pending` means that the provider cannot cancel the order now, and that its payment is under way.
 */
export type CancelOutcome =
  | Readonly<{ kind: 'canceled' }>
  | (Readonly<{ kind: 'settled' }> & OrderFacts)
  | Readonly<{ kind: 'pending' }>
  /** The provider does not know the order yet, but the payer holds a code that works until that time. */
  | Readonly<{ kind: 'still_payable'; until: Date | null }>
  | NoDefiniteAnswer;

/** Ends orders that nobody has paid. */
export interface Cancels {
  /** Makes one attempt. Repeating it is safe. A network failure is an outcome and is never thrown. */
  cancel(order: SoughtOrder, signal: AbortSignal): Promise<CallAnswer<CancelOutcome>>;
}

/** The data that a refund is found by. It is a transaction of its own, with its own reference. */
export type SoughtRefund = Readonly<{
  /** Our id of the refund. It is the same for every repeat. */
  reference: string;
  /** The order that is paid back. Null in `providerOrderId`: the provider never told it to us. */
  of: Readonly<{ reference: string; providerOrderId: string | null }>;
  accountId: string;
  /** Minor units of `currency`, which is the currency of the order that is paid back. */
  amountMinor: bigint;
  currency: string;
  /** The target that the delivered money comes back from. Only of deliveries to a cloud account. */
  destination?: Destination;
  /** The times of its submits, for a provider that is searched. */
  submits?: SubmitTimes;
}>;

/** A refund as it is passed to a provider. */
export type RefundOrder = SoughtRefund &
  Readonly<{
    /** The URL for the provider's webhooks, if the provider takes one per refund. */
    notifyUrl: string;
    /** The metadata of the order that is paid back. */
    metadata: Readonly<Record<string, string>>;
  }>;

/** Submits refunds and finds them again. Outcomes mean the same as those of orders. */
export interface Refunds {
  submit(refund: RefundOrder, signal: AbortSignal): Promise<CallAnswer<SubmitOutcome>>;
  find(refund: SoughtRefund, signal: AbortSignal): Promise<CallAnswer<QueryOutcome>>;
}
