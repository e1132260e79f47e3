// Ids carry the clock of the ingress that made them, rows have their times from the database's: an hour covers the two.
export const CLOCKS_APART_MS = 3_600_000;

/** The lowest UUID version 7 of a moment: what was made later has a higher one. */
export function firstIdAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
