import { LosslessNumber, parse } from 'lossless-json';
import { Problem } from '../http/problem.js';

// A recharge nests twice. Deeper is no recharge, and very deep is an attack on whoever writes it out again.
const DEPTH_MAX = 16;

const WHY_MAX = 200;

/**
 * One meaning or none: exact numbers, no duplicate keys, no byte order mark, valid UTF-8. Two readers of one body could
 * otherwise see two amounts (OWASP ASVS 1.5.3).
 * @throws Problem INVALID_ARGUMENT
 */
export function parseJson(raw: Uint8Array): unknown {
  const text = decode(raw);
  const { depth, colons, numbers } = outlineOf(text);
  if (depth > DEPTH_MAX) throw refusal(`nested deeper than ${DEPTH_MAX}`);
  const value = parsed(text, numbers);
  // A parser takes a key that repeats; as many colons as keys says that none does.
  const keys = allKeys(value);
  if (colons !== keys.length) throw refusal('a key appears twice');
  // Zod passes over this one in silence, and nothing may be accepted and forgotten.
  if (keys.includes('__proto__')) throw refusal('no key can be __proto__');
  return value;
}

/**
 * The number that a text writes, or the text itself where a float would write another: `1e3`, `1.50`, `-0`,
 * `9007199254740993`. So that no amount ever becomes another one on the way.
 */
export function exactNumber(text: string): number | LosslessNumber {
  const number = Number(text);
  return String(number) === text ? number : new LosslessNumber(text);
}

export const isInexact = (value: unknown): value is LosslessNumber => value instanceof LosslessNumber;

/** The engine's own parser reads a recharge in a sixth of the time, so the exact one only reads what needs it. */
function parsed(text: string, numbers: readonly string[]): unknown {
  try {
    return numbers.some((number) => isInexact(exactNumber(number)))
      ? parse(text, undefined, exactNumber)
      : JSON.parse(text);
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

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const NUMBER = /-?\d[\d.eE+-]*/y;

/** What stands outside of the strings of a text, in one pass over it, be it JSON or not. */
function outlineOf(text: string): { depth: number; colons: number; numbers: string[] } {
  const found = { depth: 0, colons: 0, numbers: [] as string[] };
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (code === COLON) found.colons++;
    else if (isOpening(code)) found.depth = Math.max(found.depth, ++depth);
    else if (isClosing(code)) depth--;
    else if (isDigitOrMinus(code)) {
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text)?.[0];
      if (number === undefined) continue;
      found.numbers.push(number);
      at += number.length - 1;
    }
  }
  return found;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

// [ and {, ] and }
const isOpening = (code: number): boolean => code === 0x5b || code === 0x7b;
const isClosing = (code: number): boolean => code === 0x5d || code === 0x7d;
const isDigitOrMinus = (code: number): boolean => code === 0x2d || (code >= 0x30 && code <= 0x39);

function allKeys(value: unknown, keys: string[] = []): string[] {
  if (typeof value !== 'object' || value === null || isInexact(value)) return keys;
  for (const [key, item] of Object.entries(value)) {
    if (!Array.isArray(value)) keys.push(key);
    allKeys(item, keys);
  }
  return keys;
}
