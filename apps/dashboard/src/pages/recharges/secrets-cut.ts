import type { EventView } from '@replenish/domain';
import type { Say } from '../frame/words.js';

const SECRET_NAME = /secret|token|password|signature|authorization|card|cvc|cvv|pan$|iban|key/i;
const CUT = '…cut…';

/**
 * The body of an event for people to read: JSON and forms with the values of secrets cut out. What is neither is shown
 * by its length only, because nobody can tell what is inside.
 */
export function readableBody({ body, bytes }: Pick<EventView, 'body' | 'bytes'>, say: Say): string {
  const json = parsed(body);
  if (json !== undefined) return JSON.stringify(withoutSecrets(json), null, 2);
  if (/^[\w.~%+-]+=[^&]*(&[\w.~%+-]+=[^&]*)*$/.test(body.trim()))
    return [...new URLSearchParams(body.trim())]
      .map(([name, value]) => `${name}=${SECRET_NAME.test(name) || name === 'sign' ? CUT : value}`)
      .join('\n');
  return say('{n} bytes that are neither JSON nor a form', { n: bytes });
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      SECRET_NAME.test(name) && typeof part !== 'object' ? CUT : withoutSecrets(part),
    ]),
  );
}
