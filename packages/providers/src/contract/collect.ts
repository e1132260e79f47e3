import type {
  CallAnswer,
  NoDefiniteAnswer,
  OrderFacts,
  QueryOutcome,
  SoughtOrder,
  SubmitOutcome,
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

/** A refund as it is passed to a provider. It is a transaction of its own, with its own reference. */
export type RefundOrder = Readonly<{
  /** Our id of the refund. It is the same for every repeat. */
  reference: string;
  /** The collected order that is refunded. */
  of: Readonly<{ reference: string; providerOrderId: string }>;
  /** Minor units of `currency`, which is the currency of the collected order. */
  amountMinor: bigint;
  currency: string;
}>;

/** Submits refunds and finds them again. Outcomes mean the same as those of orders. */
export interface Refunds {
  submit(refund: RefundOrder, signal: AbortSignal): Promise<CallAnswer<SubmitOutcome>>;
  find(refund: RefundOrder, signal: AbortSignal): Promise<CallAnswer<QueryOutcome>>;
}
