import { z } from 'zod';
import type { ProviderEvent, UnreadEvent } from '../contract/webhook.js';
import { readOrder } from './messages.js';

const event = z.object({ type: z.string(), data: z.unknown(), timestamp: z.unknown().optional() });
const time = z.iso.datetime({ offset: true });
const text = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/** Types of events that concern no order. */
const ignoredTypes: readonly string[] = ['ping'];

/** Reads a webhook. An event whose type contradicts the status of its order is `unread`. */
export function readWebhook(json: unknown): ProviderEvent {
  const { type, data, timestamp } = event.safeParse(json).data ?? {};
  if (type !== undefined && ignoredTypes.includes(type)) return { kind: 'ignored', type };
  const order = readOrder(data);
  return order && type === `order.${order.status}`
    ? { kind: 'order', ...order, ...saidAt(timestamp) }
    : unread(json);
}

/** The time of the event. An event is read without it, too. */
function saidAt(timestamp: unknown): { saidAt?: Date } {
  const { data } = time.safeParse(timestamp);
  return data === undefined ? {} : { saidAt: new Date(data) };
}

const unread = (json: unknown): UnreadEvent => ({
  kind: 'unread',
  type: text.safeParse(fieldOf(json, 'type')).data ?? null,
  reference: nearest(json, ['reference']),
  providerOrderId: nearest(fieldOf(json, 'data'), ['orderId', 'id']),
});

const LEVELS_MAX = 5;

/**
 * Finds a field in a body of unknown form, at the least depth where it occurs. Null when it is absent, or when it has
 * several values at that depth, because such an event names several orders.
 */
function nearest(json: unknown, names: readonly string[]): string | null {
  let level = [json];
  for (let depth = 0; depth < LEVELS_MAX && level.length > 0; depth++) {
    for (const name of names) {
      const found = level.flatMap((part) => text.safeParse(fieldOf(part, name)).data ?? []);
      if (found.length > 0) return new Set(found).size === 1 ? found[0]! : null;
    }
    level = level.flatMap((part) => (isObject(part) ? Object.values(part) : [])).filter(isObject);
  }
  return null;
}

const fieldOf = (part: unknown, name: string): unknown =>
  isObject(part) && Object.hasOwn(part, name) ? part[name] : undefined;

const isObject = (part: unknown): part is Record<string, unknown> =>
  typeof part === 'object' && part !== null;
