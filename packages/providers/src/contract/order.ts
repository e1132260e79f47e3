/** Where the money of a delivery goes. Null in `from`: the provider account's configured source. */
export type Destination = Readonly<{ from: string | null; to: string }>;

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
  /** Only of orders that deliver money to a cloud account. */
  destination?: Destination;
}>;

/** The times of the submits of an order. A provider without a look-up by reference is searched in this window. */
export type SubmitTimes = Readonly<{ firstStartedAt: Date; lastEndedAt: Date }>;

/** The data that an order is searched by: the reference if the provider stores it, else account, amount and time. */
export type SoughtOrder = Pick<
  Order,
  'reference' | 'accountId' | 'amountMinor' | 'currency' | 'destination'
> &
  Readonly<{
    submits?: SubmitTimes;
    /** The provider's id of the order. Missing or null: the provider never told it to us. */
    providerOrderId?: string | null;
    /** The time after which nobody can pay the order any more. Missing or null: the provider sets no such time. */
    payableUntil?: Date | null;
  }>;

/** What the payer has to do. `expiresAt`: the time after which it no longer works. Null: it has no such time. */
export type PayerAction = Readonly<{
  type: 'redirect' | 'qr_code' | 'client_secret';
  value: string;
  expiresAt: Date | null;
}>;

/**
 * The reason for which it is unknown whether the provider took an order. `unproven`: the provider answered, and what it
 * shows proves neither that the order is there nor that it is not.
 */
export type UnknownCause = 'timeout' | 'disconnected' | 'server_error' | 'unreadable' | 'unproven';

/** `unknown`: the provider may have executed the order. `not_executed`: the provider certainly did nothing. */
export type NoDefiniteAnswer =
  | Readonly<{ kind: 'unknown'; cause: UnknownCause; code?: string }>
  | Readonly<{
      kind: 'not_executed';
      /** `source_funds`: the account that pays has too little money. The order waits for money and does not fail. */
      cause: 'unreachable' | 'rate_limited' | 'unavailable' | 'too_late' | 'source_funds';
      retryAfterMs?: number;
      /** The provider's code, where it says more than the cause. */
      code?: string;
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
  /** A second number of the order, which the provider's statements show. */
  externalReference?: string;
  /** Set while somebody has to pay. */
  action?: PayerAction;
}>;

/**
 * The result of a submit call. Only `rejected` means that the provider refused the order. Only `not_executed` may be
 * sent again without a query first.
 */
export type SubmitOutcome =
  | (Readonly<{ kind: 'accepted'; providerOrderId: string | null }> &
      Partial<Omit<OrderFacts, 'providerOrderId'>>)
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

/**
 * What was looked at in a search without a look-up by reference. It is stored with the call as JSON, so that a later
 * decision to send again can be explained. Times are ISO 8601.
 */
export type ScanEvidence = Readonly<{
  windowFrom: string;
  windowTo: string;
  begunAt: string;
  endedAt: string;
  /** `source`: the list of our own account. `both`: the list of the customer's account was read too. */
  sides: 'source' | 'both';
  pages: number;
  rows: number;
  newestRowAt: string | null;
  /** Whether every row that existed when the scan began was read. Only then the answer can be `absent`. */
  isComplete: boolean;
  /** The numbers of rows that may be the order, although their remark does not prove it. A person has to look. */
  suspects: readonly string[];
}>;

/** The outcome of a call, with the facts of its exchange. `evidence` is present when the call was a scan. */
export type CallAnswer<Outcome> = Readonly<{ outcome: Outcome; facts: CallFacts; evidence?: ScanEvidence }>;
