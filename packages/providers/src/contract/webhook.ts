import type { OrderStatus } from './order.js';

/** An authentic webhook about an order, reduced to the fields that the domain needs. */
export type OrderEvent = Readonly<{
  kind: 'order';
  /** Our reference. Null when the event carries only the provider's order id. */
  reference: string | null;
  providerOrderId: string | null;
  /** The account that the money went to. Null when the event does not say. */
  accountId: string | null;
  status: OrderStatus;
  amountMinor: bigint;
  currency: string;
  code?: string;
  message?: string;
  isPartlyRead?: boolean;
  /** When this happened, by the provider's clock. Missing: the event does not say. */
  saidAt?: Date;
}>;

/**
 * An authentic webhook of a type or form that this release does not understand. It may still be about money, so it
 * carries the ids of its order where they can be found.
 */
export type UnreadEvent = Readonly<{
  kind: 'unread';
  /** The provider's name for this type of event. Null when it has none. */
  type: string | null;
  reference: string | null;
  providerOrderId: string | null;
}>;

export type ProviderEvent =
  | OrderEvent
  | UnreadEvent
  /** A type that is never about money, such as a test of the address. */
  | Readonly<{ kind: 'ignored'; type: string }>;

export type WebhookRefusal = 'bad_signature' | 'outside_window';

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Verifies and reads the webhooks of a provider. */
export interface Webhooks {
  /**
   * Verifies the signature of the bytes as received. Every authentic webhook is stored, even one that cannot be read: a
   * newer release may read it.
   */
  verify(
    rawBody: Buffer,
    headers: Headers,
    now: Date,
  ): { ok: true; eventId: string } | { ok: false; refusal: WebhookRefusal };
  /** Whether a verified body names this account of ours. Missing: the secret that fits tells the account. */
  names?(rawBody: Buffer): boolean;
  /** Reads a body that was verified before. Never throws: a body that it cannot read gives `unread`. */
  read(rawBody: Buffer): ProviderEvent;
  /** The response that the provider expects after its webhook is stored. */
  readonly reply: Readonly<{ contentType: string; body: string }>;
}
