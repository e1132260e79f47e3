/** Accounts from `lo` up to, but not, `hi`, in the order of their bytes. */
export type AccountRange = Readonly<{ lo: string; hi: string }>;

// Nothing stands between a text and itself followed by the lowest character, and no text is beyond the highest one.
const LOWEST = '\u0001';
const HIGHEST = '\u{10ffff}';

/** Where in an index of accounts those of some SQL LIKE patterns stand. A range may hold others too, in between. */
export const rangesOf = (patterns: readonly string[]): AccountRange[] => patterns.map(rangeOf);

function rangeOf(pattern: string): AccountRange {
  const [fixed = ''] = /^(?:[^\\%_]|\\[\s\S])*/.exec(pattern) ?? [];
  const lo = fixed.replace(/\\([\s\S])/g, '$1');
  return { lo, hi: `${lo}${fixed.length < pattern.length ? HIGHEST : LOWEST}` };
}
