import type { CallAnswer, Order, QueryOutcome, SoughtOrder, SubmitOutcome } from './order.js';
import type { Webhooks } from './webhook.js';

/** What a provider promises of its orders. It decides what may be done about an unknown outcome. */
export type OrderPromises = Readonly<{
  /** The same reference sent twice is one order. */
  idempotentSubmit: boolean;
  /** An order can be found by our reference, and `absent` can be believed. */
  queryByReference: boolean;
}>;

/** The orders of a provider: each moves money once. */
export interface Orders {
  readonly promises: OrderPromises;
  /** One attempt, no retry. Never throws for what a network can do: that is an outcome. */
  submit(order: Order, signal: AbortSignal): Promise<CallAnswer<SubmitOutcome>>;
  find(order: SoughtOrder, signal: AbortSignal): Promise<CallAnswer<QueryOutcome>>;
}

/**
 * What a provider is to this product: its orders, and a facet for each thing more that it can do. A facet that is
 * missing is a thing that this provider cannot do. Every provider passes the same contract suite.
 */
export interface Provider {
  readonly name: string;
  readonly orders: Orders;
  readonly webhooks?: Webhooks;
  close(): Promise<void>;
}
