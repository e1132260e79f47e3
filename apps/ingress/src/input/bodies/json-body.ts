import { isExactNumber, keysOf, outlineOf } from '@replenish/runtime';
import { LosslessNumber, parse } from 'lossless-json';
import { Problem } from '../../http/answers/problem.js';

// A recharge has two levels. Very deep values could exhaust the stack of recursive code.
const DEPTH_MAX = 16;

const WHY_MAX = 200;

/**
 * Parses JSON that has one meaning only. It requires valid UTF-8 without a byte order mark and without duplicate keys,
 * and keeps numbers exact. Otherwise two readers of one body could see two amounts (OWASP ASVS 1.5.3).
 * @throws Problem INVALID_ARGUMENT
 */
export function parseJson(raw: Uint8Array): unknown {
  const text = decode(raw);
  const { depth, colons, numbers } = outlineOf(text);
  if (depth > DEPTH_MAX) throw refusal(`nested deeper than ${DEPTH_MAX}`);
  const value = parsed(text, numbers);
  // The parser accepts duplicate keys and drops all but one. If the text has as many colons as the value has keys,
  // none was dropped.
  const keys = keysOf(value, isInexact);
  if (colons !== keys.length) throw refusal('a key appears twice');
  // Zod ignores the key `__proto__`, and no field may be ignored.
  if (keys.includes('__proto__')) throw refusal('no key can be __proto__');
  return value;
}

/**
 * The number in a text, or the text itself if a float would be written differently, as for `1e3`, `1.50`, `-0` and
 * `9007199254740993`. So no amount can change on the way.
 */
export function exactNumber(text: string): number | LosslessNumber {
  return isExactNumber(text) ? Number(text) : new LosslessNumber(text);
}

export const isInexact = (value: unknown): value is LosslessNumber => value instanceof LosslessNumber;

/**
 * JSON.parse takes a sixth of the time of the exact parser. So the exact parser reads only bodies with numbers that a
 * float would change.
 */
function parsed(text: string, numbers: readonly string[]): unknown {
  try {
    return numbers.every(isExactNumber) ? JSON.parse(text) : parse(text, undefined, exactNumber);
  } catch (error) {
    throw refusal(error instanceof Error ? error.message : 'not JSON');
  }
}

const refusal = (why: string): Problem =>
  new Problem('INVALID_ARGUMENT', `the body is not acceptable JSON: ${why.slice(0, WHY_MAX)}`);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(raw: Uint8Array): string {
  try {
    return utf8.decode(raw);
  } catch {
    throw refusal('not UTF-8');
  }
}
