import { createHash } from 'node:crypto';
import type { Headers, ProviderEvent, UnreadEvent, Webhooks } from '../contract/webhook.js';
import { loadStripe } from './client.js';
import { OUR_ID, readIntent } from './intents.js';
import { readRefund } from './refunds.js';

// Stripe's own tolerance. The SDK checks it for the past only, so the future is checked here.
const WINDOW_SECONDS = 300;

/** `secrets`: one `whsec_...`, or several separated by commas during a rotation. */
export function stripeWebhooks(secrets: string): Webhooks {
  const keys = secrets.split(/[\s,]+/).filter((secret) => secret !== '');
  return {
    verify(rawBody, headers, now) {
      const header = single(headers['stripe-signature']);
      const timestamps = [...header.matchAll(/(?:^|,)t=(\d{1,12})(?=,|$)/g)];
      const eventId = keys.reduce<string | null>((id, key) => id ?? eventIdOf(rawBody, header, key), null);
      if (eventId === null || timestamps.length !== 1) return { ok: false, refusal: 'bad_signature' };
      const ageSeconds = Math.floor(now.getTime() / 1_000) - Number(timestamps[0]![1]);
      const isInWindow = Math.abs(ageSeconds) <= WINDOW_SECONDS;
      return isInWindow ? { ok: true, eventId } : { ok: false, refusal: 'outside_window' };
    },
    read: (rawBody) => readEvent(jsonOf(rawBody)),
    reply: { contentType: 'application/json', body: '{"received":true}' },
  };
}

/** The id of an event whose signature is right. Null when it is not. */
function eventIdOf(rawBody: Buffer, header: string, key: string): string | null {
  try {
    // The time is checked by the caller, which separates an old event from a forged one.
    const event = loadStripe().webhooks.constructEvent(rawBody, header, key, Number.POSITIVE_INFINITY);
    return typeof event?.id === 'string' ? event.id : digestOf(rawBody);
  } catch (error) {
    // The signature is verified before the body is parsed. An authentic event without JSON is stored all the same.
    return error instanceof SyntaxError ? digestOf(rawBody) : null;
  }
}

const digestOf = (rawBody: Buffer): string => `body_${createHash('sha256').update(rawBody).digest('hex')}`;

function single(header: Headers[string]): string {
  const values = [header ?? ''].flat();
  return values.length === 1 ? values[0]! : '';
}

// These types repeat what an event of the intent or of the refund says.
const ignoredTypes = /^(charge\.(succeeded|failed|pending|updated|captured|expired|refunded)|ping)$/;

/**
 * Reads an event by the object that it carries. The status of the object decides and not the name of the event,
 * because events arrive in any order. A declined intent reads as pending: the payer may still pay it.
 */
export function readEvent(json: unknown): ProviderEvent {
  const event = (json ?? {}) as { type?: unknown; created?: unknown; data?: { object?: unknown } };
  const type = typeof event.type === 'string' ? event.type.slice(0, 255) : null;
  const object = event.data?.object;
  if (type !== null && ignoredTypes.test(type)) return { kind: 'ignored', type };
  const read = readerOf(type)?.(object);
  if (!read || read.reference === null) return unread(type, object);
  const { providerOrderId, accountId, amountMinor, currency } = read.facts;
  return {
    kind: 'order',
    reference: read.reference,
    status: read.status,
    ...{ providerOrderId, accountId, amountMinor, currency },
    ...(typeof event.created === 'number' && { saidAt: new Date(event.created * 1_000) }),
    ...(read.code === undefined ? {} : { code: read.code }),
    ...(read.message === undefined ? {} : { message: read.message }),
  };
}

/** A refund is a transaction of ours with its own reference, so its events are those of an order. */
function readerOf(type: string | null): typeof readIntent | typeof readRefund | null {
  if (type?.startsWith('payment_intent.')) return readIntent;
  return type?.startsWith('refund.') || type?.startsWith('charge.refund.') ? readRefund : null;
}

function unread(type: string | null, object: unknown): UnreadEvent {
  const { id, payment_intent, metadata } = (object ?? {}) as Record<string, unknown>;
  const reference = (metadata as Record<string, unknown> | null | undefined)?.[OUR_ID];
  return {
    kind: 'unread',
    type,
    reference: textOf(reference),
    // A refund or a dispute that we did not make names the intent that it is about.
    providerOrderId: textOf(payment_intent) ?? textOf(id),
  };
}

const textOf = (given: unknown): string | null =>
  typeof given === 'string' && /^[\x21-\x7e]{1,255}$/.test(given) ? given : null;

const utf8 = new TextDecoder('utf-8', { fatal: true });

function jsonOf(rawBody: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(rawBody));
  } catch {
    return undefined;
  }
}
