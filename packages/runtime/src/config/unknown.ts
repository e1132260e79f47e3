/** A variable that no code reads, with the setting that was probably meant. */
export type UnknownVariable = Readonly<{ name: string; meant: string | null }>;

// With more than two different letters, variables of other programs would match too.
const TYPING_ERRORS_MAX = 2;
// Kubernetes sets these variables for each of its services.
const OF_A_CLUSTER = /_SERVICE_(?:HOST|PORT)(?:_|$)|_(?:TCP|UDP)(?:_|$)/;

/**
 * Finds variables that look like settings but are not, such as `RECONCILE_AFTER`. They have no effect, so the operator
 * gets a warning. `known` are the names of the settings.
 */
export function findUnknown(names: readonly string[], known: readonly string[]): UnknownVariable[] {
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

/** The number of letters left out, added or changed between two names (Levenshtein distance). */
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
