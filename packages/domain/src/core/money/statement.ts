/** One line of a provider's statement. Amounts are minor units. */
export type StatementLine = Readonly<{
  /** The line's name in the statement, such as its number. */
  line: string;
  at: Date;
  /** The provider's order id. */
  orderId: string | null;
  /** What we gave the provider with the order: the transaction id, in any spelling of a UUID. */
  reference: string | null;
  /** The direction as the provider's account sees it: `in` for what was collected or recalled, `out` for the rest. */
  direction: 'in' | 'out';
  amountMinor: bigint;
  currency: string;
  /** The balance of the provider's account after the line. Null if the statement has none. */
  balanceMinor: bigint | null;
  /** Whether the provider took a fee or paid out to our bank. Such a line only counts in the running balance. */
  isOfProvider?: boolean;
}>;

/** Two lines of one currency that are next to each other in a statement, the older one first. */
export type Neighbors<Line extends StatementLine = StatementLine> = Readonly<{
  after: Line;
  before: Line;
  /**
   * The sum of the lines that are missing between the two, by their balances: a gap. 0: none is missing, or a balance
   * is unknown.
   */
  missingMinor: bigint;
}>;

const signed = ({ direction, amountMinor }: StatementLine): bigint =>
  direction === 'in' ? amountMinor : -amountMinor;

/** What is missing between two neighbours, the older one first. 0 if nothing is, or if a balance is unknown. */
function missingBetween(older: StatementLine, newer: StatementLine): bigint {
  if (older.balanceMinor === null || newer.balanceMinor === null) return 0n;
  return newer.balanceMinor - signed(newer) - older.balanceMinor;
}

/** Finds the neighbors in a statement while it is read. */
export type Continuity<Line extends StatementLine> = Readonly<{
  /** The neighbors that are certain after one more line: of this line, of earlier ones, or none yet. */
  add: (line: Line) => readonly Neighbors<Line>[];
  /** The neighbors that are left after the last line. */
  rest: () => readonly Neighbors<Line>[];
}>;

// As many pairs tell the order even if the times of some are equal or swapped, and hardly take memory.
const PAIRS_TO_TELL = 1_000;

type HeldPair<Line> = readonly [first: Line, second: Line];

/**
 * Follows the running balance of each currency from line to line. A statement may have its newest line first. The first
 * pairs of lines tell the order together, because a single pair may mislead: its times may be equal or swapped, or lines
 * may be missing between the two.
 */
export function continuity<Line extends StatementLine>(): Continuity<Line> {
  const lastOf = new Map<string, Line>();
  let held: HeldPair<Line>[] = [];
  let isNewestFirst: boolean | null = null;
  const release = (): Neighbors<Line>[] => {
    isNewestFirst ??= beginsWithNewest(held);
    const released = held.map(([first, second]) =>
      isNewestFirst ? neighborsOf(second, first) : neighborsOf(first, second),
    );
    held = [];
    return released;
  };
  return {
    add: (line) => {
      const last = lastOf.get(line.currency);
      lastOf.set(line.currency, line);
      if (last) held.push([last, line]);
      return isNewestFirst === null && held.length < PAIRS_TO_TELL ? [] : release();
    },
    rest: release,
  };
}

const neighborsOf = <Line extends StatementLine>(after: Line, before: Line): Neighbors<Line> => ({
  after,
  before,
  missingMinor: missingBetween(after, before),
});

/** Most times decide. If they are equal, the balances decide that fit one order only. */
function beginsWithNewest(pairs: readonly HeldPair<StatementLine>[]): boolean {
  let [later, fitting] = [0, 0];
  for (const [first, second] of pairs) {
    later += Math.sign(second.at.getTime() - first.at.getTime());
    fitting += Number(missingBetween(first, second) === 0n) - Number(missingBetween(second, first) === 0n);
  }
  return later === 0 ? fitting < 0 : later < 0;
}

/** The lines cannot be read now. Their run is put off and goes on later. */
export class StatementAway extends Error {
  override readonly name = 'StatementAway';
}
