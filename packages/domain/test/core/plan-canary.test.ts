import { expect, test } from '@jest/globals';
import { linesWithoutCanary } from '../../src/core/plan.js';

const line = (accountId: string, amountMinor: bigint, destination: string | null = null) => ({
  ...{ accountId, amountMinor, destination },
});
const newPayees = new Set(['new', 'other']);
const left = (...lines: readonly ReturnType<typeof line>[]) => linesWithoutCanary(lines, 100n, newPayees);

test('an account with a new payee needs a line of at most the canary, wherever it stands', () => {
  expect(left(line('new', 500n), line('new', 100n))).toEqual([]);
  expect(left(line('new', 500n), line('new', 101n), line('other', 1n))).toEqual([
    line('new', 500n),
    line('new', 101n),
  ]);
});

test('a small line into the wallet is none, and a large one needs none', () => {
  expect(left(line('new', 500n), line('new', 100n, 'wallet'))).toEqual([line('new', 500n)]);
  expect(left(line('new', 500n, 'wallet'))).toEqual([]);
});

test('an account whose payee is known needs none', () => {
  expect(left(line('known', 500n))).toEqual([]);
});
