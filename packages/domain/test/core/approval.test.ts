import { expect, test } from '@jest/globals';
import { limitsFromJson, limitsInJson, needsApproval } from '../../src/core/access/approval.js';

test.each([
  [{}, {}, 1n, false],
  [{ CNY: 100n }, {}, 100n, false],
  [{ CNY: 100n }, {}, 101n, true],
  [{}, { CNY: 100n }, 101n, true],
  [{ USD: 1n }, { USD: 1n }, 101n, false],
  [{ CNY: 1_000n }, { CNY: 100n }, 500n, true],
])('key %j, payee %j: %s CNY needs an approval: %s', (key, payee, amount, isNeeded) => {
  expect(needsApproval(key, payee, amount, 'CNY')).toBe(isNeeded);
});

test('limits beyond 2^53 survive JSON', () => {
  const limits = { CNY: 9_007_199_254_740_993n };
  expect(limitsFromJson(JSON.parse(JSON.stringify(limitsInJson(limits))))).toEqual(limits);
});
