import { createHash } from 'node:crypto';
import type { StatementLine } from '../../core/money/statement.js';

export type KeyedLine = StatementLine & Readonly<{ key: string }>;

const hashOf = (line: StatementLine): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        line.at.toISOString(),
        line.orderId,
        line.reference,
        line.direction,
        String(line.amountMinor),
        line.currency,
        line.balanceMinor === null ? null : String(line.balanceMinor),
      ]),
    )
    .digest('base64url')
    .slice(0, 32);

/**
 * Gives each line a key that it has in every statement, whatever its number there is. Lines that are equal in
 * everything are different lines, and are counted. Equal lines have equal times, and a statement is in order of time,
 * so only lines of one time are remembered.
 */
export function keyer(): (line: StatementLine) => KeyedLine {
  let atMs = Number.NaN;
  const seen = new Map<string, number>();
  return (line) => {
    if (line.at.getTime() !== atMs) {
      seen.clear();
      atMs = line.at.getTime();
    }
    const hash = hashOf(line);
    const nth = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, nth);
    return { ...line, key: `${hash}.${nth}` };
  };
}
