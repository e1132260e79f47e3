/**
 * An order as it is passed to a provider. Amounts are `bigint` minor units here. Only the folder of a provider knows
 * the provider's own format.
 */
export type Order = Readonly<{
  /** Our transaction id. The provider uses it as idempotency key or order number, and queries find the order by it. */
  reference: string;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  paymentMethod: string;
  /** The URL for the provider's webhooks, if the provider takes one per order. */
  notifyUrl: string;
  metadata: Readonly<Record<string, string>>;
}>;

/** The data that an order is searched by: the reference if the provider stores it, else account, amount and time. */
export type SoughtOrder = Pick<Order, 'reference' | 'accountId' | 'amountMinor' | 'currency'>;

/** The reason for which it is unknown whether the provider took an order. */
export type UnknownCause = 'timeout' | 'disconnected' | 'server_error' | 'unreadable';

/** `unknown`: the provider may have executed the order. `not_executed`: the provider certainly did nothing. */
export type NoDefiniteAnswer =
  | Readonly<{ kind: 'unknown'; cause: UnknownCause; code?: string }>
  | Readonly<{
      kind: 'not_executed';
      cause: 'unreachable' | 'rate_limited' | 'unavailable' | 'too_late';
      retryAfterMs?: number;
    }>;

/**
 * The provider's data of an order. The domain compares them with the order that was sent. Null: the provider does not
 * say.
 */
export type OrderFacts = Readonly<{
  providerOrderId: string;
  accountId: string | null;
  amountMinor: bigint;
  currency: string;
  /**
   * Whether the provider's data contain more about this order's money than this code understands, such as a second
   * charge. A person then has to decide.
   */
  isPartlyRead?: boolean;
}>;

/**
 * The result of a submit call. Only `rejected` means that the provider refused the order. Only `not_executed` may be
 * sent again without a query first.
 */
export type SubmitOutcome =
  | (Readonly<{ kind: 'accepted'; providerOrderId: string }> & Partial<OrderFacts>)
  | (Readonly<{ kind: 'settled' }> & OrderFacts)
  | Readonly<{ kind: 'rejected'; code: string; message: string }>
  | NoDefiniteAnswer;

export type OrderStatus = 'pending' | 'settled' | 'declined' | 'canceled';

/**
 * The result of a query. `absent` means that the provider definitely has no such order. `several` breaks the provider's
 * promise that one reference is one order. Then no order may settle the recharge, and a person has to decide.
 */
export type QueryOutcome =
  | (Readonly<{ kind: 'found'; status: OrderStatus; code?: string; message?: string }> & OrderFacts)
  | Readonly<{ kind: 'absent' }>
  | Readonly<{ kind: 'several'; count: number }>
  | NoDefiniteAnswer;

/** Facts of one HTTP exchange, stored with every provider call. */
export type CallFacts = Readonly<{ httpStatus: number | null; providerCode: string | null }>;

/** The outcome of a call, with the facts of its exchange. */
export type CallAnswer<Outcome> = Readonly<{ outcome: Outcome; facts: CallFacts }>;
