import { z } from 'zod';
import type { ProviderEvent, UnreadEvent } from '../contract/webhook.js';
import { readOrder } from './messages.js';

const event = z.object({ type: z.string(), data: z.unknown() });
const text = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/** Types of events that are about no order. */
const ignoredTypes: readonly string[] = ['ping'];

/** What a webhook says. An event that says one thing in its type and another in its order is no news to act upon. */
export function readWebhook(json: unknown): ProviderEvent {
  const { type, data } = event.safeParse(json).data ?? {};
  if (type !== undefined && ignoredTypes.includes(type)) return { kind: 'ignored', type };
  const order = readOrder(data);
  return order && type === `order.${order.status}` ? { kind: 'order', ...order } : unread(json);
}

const unread = (json: unknown): UnreadEvent => ({
  kind: 'unread',
  type: text.safeParse(fieldOf(json, 'type')).data ?? null,
  reference: nearest(json, ['reference']),
  providerOrderId: nearest(fieldOf(json, 'data'), ['orderId', 'id']),
});

const LEVELS_MAX = 5;

/**
 * The value of a field in a body whose form is not known: the one that lies least deep. Null where there is none, and
 * where two that lie equally deep differ: such an event speaks of several orders.
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
