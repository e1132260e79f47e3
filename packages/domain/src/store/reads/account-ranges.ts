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
