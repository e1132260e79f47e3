/**
 * What a provider is to this product. Every provider's folder keeps this contract and passes the same suite.
 *
 * Amounts cross this border as `bigint` minor units; a provider's own format lives inside its folder only.
 */
export type Order = Readonly<{
  /** Our transaction id: the provider's idempotency key or order number, and what it is asked by later. */
  reference: string;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  paymentMethod: string;
  /** Where the provider shall send its webhooks, for those that take such a URL. */
  notifyUrl: string;
  metadata: Readonly<Record<string, string>>;
}>;

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

/** What a provider says of an order. The domain compares it with what was sent; null is not said. */
export type OrderFacts = Readonly<{
  providerOrderId: string;
  accountId: string | null;
  amountMinor: bigint;
  currency: string;
  /** The provider says more of this order's money than is read here, such as a second charge. A person shall look. */
  isPartlyRead?: boolean;
}>;

/** What is known after a submit call. Only `rejected` is a no; only `not_executed` may be sent again without asking. */
export type SubmitOutcome =
  | (Readonly<{ kind: 'accepted'; providerOrderId: string }> & Partial<OrderFacts>)
  | (Readonly<{ kind: 'settled' }> & OrderFacts)
  | Readonly<{ kind: 'rejected'; code: string; message: string }>
  | NoWord;

export type OrderStatus = 'pending' | 'settled' | 'declined' | 'canceled';

/**
 * What a provider knows of one reference. `absent` is its definite word that it has no such order; `several` breaks its
 * first promise, that one reference is one order: none of them may settle the recharge, and a person has to look.
 */
export type QueryOutcome =
  | (Readonly<{ kind: 'found'; status: OrderStatus; code?: string; message?: string }> & OrderFacts)
  | Readonly<{ kind: 'absent' }>
  | Readonly<{ kind: 'several'; count: number }>
  | NoWord;

/** An authentic webhook that tells of an order, reduced to what the domain needs to know. */
export type OrderEvent = Readonly<{
  kind: 'order';
  /** Our reference when the event carries it; the provider's order id otherwise. */
  reference: string | null;
  providerOrderId: string | null;
  /** The account that the money went to; null when the event does not say. */
  accountId: string | null;
  status: OrderStatus;
  amountMinor: bigint;
  currency: string;
  code?: string;
  message?: string;
  isPartlyRead?: boolean;
}>;

/**
 * An authentic webhook of a type or form that this release does not read. It may be about money all the same, so it
 * says which order it names, as far as that can be seen.
 */
export type UnreadEvent = Readonly<{
  kind: 'unread';
  /** The provider's word for this type of event; null when it has none. */
  type: string | null;
  reference: string | null;
  providerOrderId: string | null;
}>;

export type ProviderEvent =
  | OrderEvent
  | UnreadEvent
  /** A type that never tells of money, such as a test of the address. */
  | Readonly<{ kind: 'ignored'; type: string }>;

export type WebhookRefusal = 'bad_signature' | 'outside_window';

/** Facts of one HTTP exchange, for the record that is kept of every call. */
export type CallFacts = Readonly<{ httpStatus: number | null; providerCode: string | null }>;

/** What a provider can do decides what may be done about an unknown outcome. */
export type Capabilities = Readonly<{
  /** The same reference sent twice is one order. */
  idempotentSubmit: boolean;
  /** An order can be looked up by our reference, and `absent` can be believed. */
  queryByReference: boolean;
  cancel: boolean;
  webhooks: boolean;
}>;

export interface Provider {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** One attempt, no retry. Never throws for what a network can do: that is an outcome. */
  submit(order: Order, signal: AbortSignal): Promise<{ outcome: SubmitOutcome; facts: CallFacts }>;
  query(reference: string, signal: AbortSignal): Promise<{ outcome: QueryOutcome; facts: CallFacts }>;
  /**
   * Verifies the bytes as received. What is authentic is kept, be it understood or not: a kind of event that is new
   * here would be lost otherwise.
   */
  verifyWebhook(
    rawBody: Buffer,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    now: Date,
  ): { ok: true; eventId: string } | { ok: false; refusal: WebhookRefusal };
  /** Reads a body that was verified when it was stored. Never throws: what it cannot read is `unread`. */
  readEvent(rawBody: Buffer): ProviderEvent;
  /** The answer this provider wants when its webhook was stored. */
  readonly webhookReply: Readonly<{ contentType: string; body: string }>;
  close(): Promise<void>;
}
