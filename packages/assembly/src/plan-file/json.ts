import { isExactNumber, keysOf, outlineOf } from '@replenish/runtime';

export type PlanJson =
  | Readonly<{ ok: true; lines: readonly unknown[] }>
  | Readonly<{ ok: false; message: string }>;

/**
 * Reads the lines of a plan from a file of JSON, which has one meaning only: no key is there twice, and each number is
 * written as it is read. Otherwise a line could get another amount than a person sees in the file.
 */
export function planJson(bytes: Uint8Array): PlanJson {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, message: `must hold JSON in UTF-8: ${(error as Error).message}` };
  }
  const { colons, numbers } = outlineOf(text);
  const inexact = numbers.find((number) => !isExactNumber(number));
  if (inexact !== undefined)
    return { ok: false, message: `has the number ${inexact}: write whole numbers of minor units, in digits` };
  if (colons !== keysOf(value).length) return { ok: false, message: 'has a key twice in one object' };
  const lines = Array.isArray(value) ? value : (value as { lines?: unknown } | null)?.lines;
  return Array.isArray(lines) ? { ok: true, lines } : { ok: false, message: 'must hold a list `lines`' };
}
