/** A variable that no code reads, and the setting that it was probably meant to be. */
export type Unheard = Readonly<{ name: string; meant: string | null }>;

// One or two letters off; more would take a stranger's variable for ours.
const TYPING_ERRORS_MAX = 2;
// A cluster writes these for each of its services, whatever we call our settings.
const OF_A_CLUSTER = /_SERVICE_(?:HOST|PORT)(?:_|$)|_(?:TCP|UDP)(?:_|$)/;

/**
 * Variables that look like ours and are none: `RECONCILE_AFTER` sets nothing, and nobody would hear of it.
 * `known` are the names that are read.
 */
export function unheardOf(names: readonly string[], known: readonly string[]): Unheard[] {
  const isKnown = new Set(known);
  return names
    .filter((name) => !isKnown.has(name) && !OF_A_CLUSTER.test(name))
    .map((name) => ({ name, meant: meantBy(name, known) }))
    .filter(({ name, meant }) => meant !== null || name.startsWith('REPLENISH_'));
}

function meantBy(name: string, known: readonly string[]): string | null {
  const extended = known.filter((one) => one.startsWith(`${name}_`) || name.startsWith(`${one}_`));
  const candidates = extended.length > 0 ? extended : known;
  const [nearest] = candidates
    .map((one) => ({ one, errors: typingErrors(name, one) }))
    .filter(({ errors }) => extended.length > 0 || errors <= TYPING_ERRORS_MAX)
    .sort((a, b) => a.errors - b.errors);
  return nearest?.one ?? null;
}

/** Letters that were left out, added or changed between two names (Levenshtein). */
function typingErrors(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (let to = 0; to < other.length; to++)
      next.push(Math.min(row[to + 1]! + 1, next[to]! + 1, row[to]! + (letter === other[to] ? 0 : 1)));
    row = next;
  }
  return row[other.length]!;
}
