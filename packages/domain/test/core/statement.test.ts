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

const gapsIn = (lines: readonly StatementLine[]) => {
  const next = continuity();
  return lines.flatMap((line) => next(line) ?? []).filter(({ missingMinor }) => missingMinor !== 0n);
};

test.each([
  ['oldest first', false],
  ['newest first', true],
])('a whole statement has no gap, and the gap of one missing line is named, %s', (_, isReversed) => {
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
});

test('each currency has a balance of its own, and a line without a balance proves nothing', () => {
  const [first, second, third] = statement(3) as [StatementLine, StatementLine, StatementLine];
  const usd = { ...second, currency: 'USD', balanceMinor: 7n };
  expect(gapsIn([first, usd, second, third])).toEqual([]);
  expect(gapsIn([first, { ...second, balanceMinor: null }, third])).toEqual([]);
});
