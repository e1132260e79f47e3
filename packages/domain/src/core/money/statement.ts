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

/**
 * Follows the running balance of each currency from line to line. A statement may have its newest line first. The order
 * is known from the first two lines with different times, and until then from the balances. The first line of a
 * currency has no neighbor yet: null.
 */
export function continuity<Line extends StatementLine>(): (line: Line) => Neighbors<Line> | null {
  const lastOf = new Map<string, Line>();
  let isNewestFirst: boolean | null = null;
  return (line) => {
    const last = lastOf.get(line.currency);
    lastOf.set(line.currency, line);
    if (!last) return null;
    if (isNewestFirst === null && last.at.getTime() !== line.at.getTime()) isNewestFirst = line.at < last.at;
    const isReversed =
      isNewestFirst ?? (missingBetween(last, line) !== 0n && missingBetween(line, last) === 0n);
    const [after, before] = isReversed ? [line, last] : [last, line];
    return { after, before, missingMinor: missingBetween(after, before) };
  };
}

/** The lines cannot be read now. Their run is put off and goes on later. */
export class StatementAway extends Error {
  override readonly name = 'StatementAway';
}
