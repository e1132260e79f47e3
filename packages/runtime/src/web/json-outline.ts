const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const NUMBER = /-?\d[\d.eE+-]*/y;

/** What the strings of a JSON text do not hold. */
export type JsonOutline = Readonly<{ depth: number; colons: number; numbers: readonly string[] }>;

/** Depth, colons and numbers outside of strings, in one pass. The text need not be valid JSON. */
export function outlineOf(text: string): JsonOutline {
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

/** Whether a float is written as the number in a text. It is not for `1e3`, `1.50`, `-0` and `9007199254740993`. */
export const isExactNumber = (text: string): boolean => String(Number(text)) === text;

/** The keys of all objects in a value of JSON. @param isNumber whether an object stands for a number */
export function keysOf(
  value: unknown,
  isNumber: (value: unknown) => boolean = () => false,
  keys: string[] = [],
): string[] {
  if (typeof value !== 'object' || value === null || isNumber(value)) return keys;
  for (const [key, item] of Object.entries(value)) {
    if (!Array.isArray(value)) keys.push(key);
    keysOf(item, isNumber, keys);
  }
  return keys;
}
