/**
 * An order as a provider is given it. Amounts cross this border as `bigint` minor units; a provider's own format lives
 * inside its folder only.
 */
export type Order = Readonly<{
  /** Our transaction id: the provider's idempotency key or order number, and what the order is found by later. */
  reference: string;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  paymentMethod: string;
  /** Where the provider shall send its webhooks, for those that take such a URL. */
  notifyUrl: string;
  metadata: Readonly<Record<string, string>>;
}>;

/** What an order is found by: by its reference where the provider keeps it, else by account, amount and time. */
export type SoughtOrder = Pick<Order, 'reference' | 'accountId' | 'amountMinor' | 'currency'>;

/** Why nobody can say whether an order was taken. */
export type Silence = 'timeout' | 'disconnected' | 'server_error' | 'unreadable';

/** No answer that says anything, or a definite word that nothing was done. */
export type NoWord =
  | Readonly<{ kind: 'unknown'; cause: Silence; code?: string }>
  | Readonly<{
      kind: 'not_executed';
      cause: 'unreachable' | 'rate_limited' | 'unavailable' | 'too_late';
      retryAfterMs?: number;
    }>;

/** What a provider says of an order. The domain compares it with what was sent; null means not said. */
export type OrderFacts = Readonly<{
  providerOrderId: string;
  accountId: string | null;
  amountMinor: bigint;
  currency: string;
  /** The provider says more of this order's money than is read here, such as a second charge. A person shall look. */
  isPartlyRead?: boolean;
}>;

/**
 * What is known after a submit call. `rejected` is the only refusal. `not_executed` is the only outcome that may be
 * sent again without asking first.
 */
export type SubmitOutcome =
  | (Readonly<{ kind: 'accepted'; providerOrderId: string }> & Partial<OrderFacts>)
  | (Readonly<{ kind: 'settled' }> & OrderFacts)
  | Readonly<{ kind: 'rejected'; code: string; message: string }>
  | NoWord;

export type OrderStatus = 'pending' | 'settled' | 'declined' | 'canceled';

/**
 * What a provider knows of a sought order. `absent` is its definite word that it has no such order. `several` breaks the
 * provider's promise that one reference is one order: none of the orders may settle the recharge, and a person has to
 * look.
 */
export type QueryOutcome =
  | (Readonly<{ kind: 'found'; status: OrderStatus; code?: string; message?: string }> & OrderFacts)
  | Readonly<{ kind: 'absent' }>
  | Readonly<{ kind: 'several'; count: number }>
  | NoWord;

/** Facts of one HTTP exchange, for the record that is kept of every call. */
export type CallFacts = Readonly<{ httpStatus: number | null; providerCode: string | null }>;

/** What a call led to, with the facts of its exchange. */
export type CallAnswer<Outcome> = Readonly<{ outcome: Outcome; facts: CallFacts }>;
