import type { BalanceReads } from './balance.js';
import type { Cancels, Refunds } from './collect.js';
import type { CallAnswer, Order, QueryOutcome, SoughtOrder, SubmitOutcome } from './order.js';
import type { StatementReads } from './statement.js';
import type { Webhooks } from './webhook.js';

/** The provider's promises about its orders. They decide how an unknown outcome is resolved. */
export type OrderPromises = Readonly<{
  /** Whether submitting the same reference twice creates only one order. */
  idempotentSubmit: boolean;
  /** Whether an order can be found by our reference and the answer `absent` is reliable. */
  queryByReference: boolean;
  /** How absence is proven where orders are sought in a list. Missing: the provider is not searched that way. */
  proof?: ProofOfAbsence;
  /** The time limit of `find` where it takes longer than one call. */
  findLimitMs?: number;
}>;

/**
 * The proof that a provider without a look-up does not have an order: several complete searches without a result, the
 * last one begun when every row must be visible.
 */
export type ProofOfAbsence = Readonly<{
  /** How many complete searches it takes. */
  scans: number;
  /** The longest time after which the list shows an executed order. */
  visibilityDelayMs: number;
  /** Who may send an order again that is proven to be absent: the fleet itself, or a person. */
  resubmit: 'auto' | 'person';
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
  /** The account of ours at the provider that pays where an order names no other. Missing: there is none. */
  readonly source?: string;
  readonly orders: Orders;
  readonly webhooks?: Webhooks;
  readonly cancels?: Cancels;
  readonly refunds?: Refunds;
  readonly balance?: BalanceReads;
  readonly statement?: StatementReads;
  close(): Promise<void>;
}

/** A provider that collects money from a payer. */
export type CollectProvider = Provider & Readonly<{ cancels: Cancels; refunds: Refunds }>;
