import { expect, test } from '@jest/globals';
import { continuity, type StatementLine } from '../../src/core/money/statement.js';

const startMs = Date.UTC(2026, 10, 1);

/** A statement of lines of 10, whose balance begins at 1,000. Every third goes out. */
function statement(count: number): StatementLine[] {
  let balance = 1_000n;
  return Array.from({ length: count }, (_, n) => {
    const direction = n % 3 === 2 ? 'out' : 'in';
    balance += direction === 'in' ? 10n : -10n;
    return {
      line: String(n + 1),
      at: new Date(startMs + Math.floor(n / 4) * 1_000),
      orderId: `o-${n}`,
      reference: null,
      direction,
      amountMinor: 10n,
      currency: 'CNY',
      balanceMinor: balance,
    } as const;
  });
}

const neighborsIn = (lines: readonly StatementLine[]) => {
  const { add, rest } = continuity();
  return [...lines.flatMap((line) => add(line)), ...rest()];
};

const gapsIn = (lines: readonly StatementLine[]) =>
  neighborsIn(lines).filter(({ missingMinor }) => missingMinor !== 0n);

const orders = [
  ['oldest first', false],
  ['newest first', true],
] as const;

test.each(orders)(
  'a whole statement has no gap, and the gap of one missing line is named, %s',
  (_, isReversed) => {
    const whole = statement(1_000);
    const lines = isReversed ? whole.toReversed() : whole;
    expect(gapsIn(lines)).toEqual([]);
    for (const missing of [1, 2, 500, 995]) {
      const gaps = gapsIn(lines.filter(({ line }) => line !== String(missing + 1)));
      const { direction } = whole[missing]!;
      expect(gaps).toEqual([
        {
          after: whole[missing - 1],
          before: whole[missing + 1],
          missingMinor: direction === 'in' ? 10n : -10n,
        },
      ]);
    }
  },
);

test('each currency has a balance of its own, and a line without a balance proves nothing', () => {
  const [first, second, third] = statement(3) as [StatementLine, StatementLine, StatementLine];
  const usd = { ...second, currency: 'USD', balanceMinor: 7n };
  expect(gapsIn([first, usd, second, third])).toEqual([]);
  expect(gapsIn([first, { ...second, balanceMinor: null }, third])).toEqual([]);
});

test.each(orders)('each line of 10,000 that is missing is named by its gap alone, %s', (_, isReversed) => {
  const whole = statement(10_000);
  const { add, rest } = continuity();
  const missing = new Set(
    Array.from({ length: 1_000 }, (_, n) => 1 + ((n * 7_919) % 9_997)).filter((n) => n % 2 === 0),
  );
  const kept = whole.filter((_, n) => !missing.has(n));
  const pairs = [...(isReversed ? kept.toReversed() : kept).flatMap((line) => add(line)), ...rest()];
  expect(pairs).toHaveLength(kept.length - 1);
  const gaps = pairs.filter(({ missingMinor }) => missingMinor !== 0n);
  expect(gaps.map(({ after }) => Number(after.line)).toSorted((a, b) => a - b)).toEqual(
    [...missing].toSorted((a, b) => a - b),
  );
  for (const { after, before } of gaps) expect(Number(before.line)).toBe(Number(after.line) + 2);
});

test.each(orders)('lines of one time are followed by their balances, also at a gap, %s', (_, isReversed) => {
  const whole = statement(30).map((line) => ({ ...line, at: new Date(startMs) }));
  for (let missing = 1; missing < 29; missing++) {
    const kept = whole.filter((_, n) => n !== missing);
    expect(gapsIn(isReversed ? kept.toReversed() : kept)).toMatchObject([
      { after: { line: String(missing) }, before: { line: String(missing + 2) } },
    ]);
  }
});

test('a gap that would fit the other order is found', () => {
  const line = { ...statement(1)[0]!, at: new Date(startMs) };
  const lines = [
    { ...line, line: '1', direction: 'in', amountMinor: 90n, balanceMinor: 90n },
    { ...line, line: '2', direction: 'in', amountMinor: 20n, balanceMinor: 110n },
    { ...line, line: '3', direction: 'out', amountMinor: 10n, balanceMinor: 100n },
    // A line of 5 is missing. Newest first, 100 would be the balance after this line and the one above.
    { ...line, line: '5', direction: 'in', amountMinor: 5n, balanceMinor: 110n },
  ] as const;
  expect(gapsIn(lines)).toMatchObject([{ after: { line: '3' }, before: { line: '5' }, missingMinor: 5n }]);
});

test.each(orders)('two swapped times do not turn the order of a statement, %s', (_, isReversed) => {
  const whole = statement(100).map((line, n) => ({
    ...line,
    at: new Date(startMs + (n === 1 ? 0 : n === 98 ? 101 : n + 1) * 1_000),
  }));
  expect(gapsIn(isReversed ? whole.toReversed() : whole)).toEqual([]);
});
