import type { OrderStatus } from './order.js';

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

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The webhooks of a provider that sends some. */
export interface Webhooks {
  /**
   * Verifies the bytes as received. An authentic webhook is stored whether it can be read or not: a kind of event that
   * is new here would be lost otherwise.
   */
  verify(
    rawBody: Buffer,
    headers: Headers,
    now: Date,
  ): { ok: true; eventId: string } | { ok: false; refusal: WebhookRefusal };
  /** Reads a body that was verified when it was stored. Never throws: what it cannot read is `unread`. */
  read(rawBody: Buffer): ProviderEvent;
  /** The answer that this provider expects once its webhook is stored. */
  readonly reply: Readonly<{ contentType: string; body: string }>;
}
