import type { CallAnswer, Order, QueryOutcome, SoughtOrder, SubmitOutcome } from './order.js';
import type { Webhooks } from './webhook.js';

/** The provider's promises about its orders. They decide how an unknown outcome is resolved. */
export type OrderPromises = Readonly<{
  /** Whether submitting the same reference twice creates only one order. */
  idempotentSubmit: boolean;
  /** Whether an order can be found by our reference and the answer `absent` is reliable. */
  queryByReference: boolean;
}>;

/** Submits orders to a provider and finds them again. Each order moves money once. */
export interface Orders {
  readonly promises: OrderPromises;
  /** Makes one attempt, without a retry. A network failure is an outcome and is never thrown. */
  submit(order: Order, signal: AbortSignal): Promise<CallAnswer<SubmitOutcome>>;
  find(order: SoughtOrder, signal: AbortSignal): Promise<CallAnswer<QueryOutcome>>;
}

/**
 * A provider: its orders, and optional parts such as webhooks. A missing part means that the provider does not offer
 * it. Every provider passes the same contract suite.
 */
export interface Provider {
  readonly name: string;
  readonly orders: Orders;
  readonly webhooks?: Webhooks;
  close(): Promise<void>;
}
