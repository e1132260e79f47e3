import { isLosslessNumber, parse } from 'lossless-json';
import { Problem } from './problem.js';

// A recharge nests twice. Deeper is no recharge, and very deep is an attack on whoever writes it out again.
const DEPTH_MAX = 16;

// One that never ends reaches to the end of the text: were it no match, the search would begin again at each of its
// quotes, and 120 kB of them would hold the process for ten seconds.
const STRING = /"(?:[^"\\]|\\.?)*(?:"|$)/gs;

const WHY_MAX = 200;

/**
 * One meaning or none: exact numbers (kept as their text), no duplicate keys, no byte order mark, valid UTF-8.
 * Two readers of one body could otherwise see two amounts (OWASP ASVS 1.5.3).
 * @throws Problem INVALID_ARGUMENT
 */
export function parseJson(raw: Uint8Array): unknown {
  const text = decode(raw);
  const skeleton = text.replace(STRING, '');
  if (depthOf(skeleton) > DEPTH_MAX) throw refusal(`nested deeper than ${DEPTH_MAX}`);
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw refusal(error instanceof Error ? error.message : 'not JSON');
  }
  // The parser takes a key that repeats with an equal value; as many colons as keys says that none repeats.
  const keys = allKeys(value);
  if (skeleton.split(':').length - 1 !== keys.length) throw refusal('a key appears twice');
  // Zod passes over this one in silence, and nothing may be accepted and forgotten.
  if (keys.includes('__proto__')) throw refusal('no key can be __proto__');
  return value;
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

function depthOf(skeleton: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of skeleton) {
    if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth);
    else if (char === '}' || char === ']') depth--;
  }
  return deepest;
}

function allKeys(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(allKeys);
  if (typeof value !== 'object' || value === null || isLosslessNumber(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...allKeys(item)]);
}
