import { isLosslessNumber, parse } from 'lossless-json';
import { Problem } from './problem.js';

// A recharge nests twice. Deeper is no recharge, and very deep is an attack on whoever writes it out again.
const DEPTH_MAX = 16;

/**
 * One meaning or none: exact numbers (kept as their text), no duplicate keys, no byte order mark, valid UTF-8.
 * Two readers of one body could otherwise see two amounts (OWASP ASVS 1.5.3).
 * @throws Problem INVALID_ARGUMENT
 */
export function parseJson(raw: Uint8Array): unknown {
  const text = decode(raw);
  const skeleton = text.replace(/"(?:[^"\\]|\\.)*"/gs, '');
  if (depthOf(skeleton) > DEPTH_MAX) throw refusal(`nested deeper than ${DEPTH_MAX}`);
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw refusal(error instanceof Error ? error.message : 'not JSON');
  }
  // The parser takes a key that repeats with an equal value; as many colons as keys says that none repeats.
  if (skeleton.split(':').length - 1 !== countKeys(value)) throw refusal('a key appears twice');
  return value;
}

const refusal = (why: string): Problem =>
  new Problem('INVALID_ARGUMENT', `the body is not acceptable JSON: ${why}`);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(raw: Uint8Array): string {
  try {
    return utf8.decode(raw);
  } catch {
    throw refusal('not UTF-8');
  }
}

function depthOf(skeleton: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of skeleton) {
    if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth);
    else if (char === '}' || char === ']') depth--;
  }
  return deepest;
}

function countKeys(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countKeys(item), 0);
  if (typeof value !== 'object' || value === null || isLosslessNumber(value)) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + 1 + countKeys(item), 0);
}
