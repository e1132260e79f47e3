/** The accounts from `lo` (inclusive) to `hi` (exclusive), in byte order. */
export type AccountRange = Readonly<{ lo: string; hi: string }>;

// No text sorts between a text and that text followed by LOWEST. No text sorts after its own prefix followed by
// HIGHEST.
const LOWEST = '\u0001';
const HIGHEST = '\u{10ffff}';

/**
 * The ranges of an account index that hold all matches of some SQL LIKE patterns. A range may hold other accounts too.
 */
export const rangesOf = (patterns: readonly string[]): AccountRange[] => patterns.map(rangeOf);

function rangeOf(pattern: string): AccountRange {
  const [fixed = ''] = /^(?:[^\\%_]|\\[\s\S])*/.exec(pattern) ?? [];
  const lo = fixed.replace(/\\([\s\S])/g, '$1');
  return { lo, hi: `${lo}${fixed.length < pattern.length ? HIGHEST : LOWEST}` };
}

/** Whether the range of each pattern holds its matches alone: it is an account, or the beginning of one. */
export const areExact = (patterns: readonly string[]): boolean =>
  patterns.every((pattern) => /^(?:[^\\%_]|\\[\s\S])*%?$/.test(pattern));

// The end of the last range. Every account sorts before this text, because no account is as long.
const AFTER_ALL = HIGHEST.repeat(1_000);

/** The ranges between and beside the ranges of the patterns, in byte order. No account in them matches a pattern. */
export function rangesBeside(patterns: readonly string[]): AccountRange[] {
  const ranges = rangesOf(patterns).toSorted((a, b) => (isBefore(a.lo, b.lo) ? -1 : 1));
  const beside: AccountRange[] = [];
  let lo = '';
  for (const range of ranges) {
    if (isBefore(lo, range.lo)) beside.push({ lo, hi: range.lo });
    if (isBefore(lo, range.hi)) lo = range.hi;
  }
  return [...beside, { lo, hi: AFTER_ALL }];
}

const isBefore = (a: string, b: string): boolean => bytesOf(a) < bytesOf(b);

const bytesOf = (text: string): string => Buffer.from(text).toString('hex');
