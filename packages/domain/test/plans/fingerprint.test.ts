import { expect, test } from '@jest/globals';
import { type NewPlan, type PlanLine, planFingerprint } from '../../src/store/plans/new-plan.js';

const first: PlanLine = {
  ...{ line: 1, accountId: 'acct-1', amountMinor: 100n, paymentMethod: 'sandbox' },
  ...{ providerAccount: null, destination: null, orderReference: 'PO-7' },
};
const second: PlanLine = {
  ...{ line: 2, accountId: 'acct-2', amountMinor: 200n, paymentMethod: 'sandbox' },
  ...{ providerAccount: null, destination: 'wallet', orderReference: null },
};
const planOf = (...lines: readonly PlanLine[]): NewPlan => ({
  ...{ id: '', clientId: '', idempotencyKey: null, createdBy: 'operator', correlationId: '' },
  ...{ name: 'november', currency: 'CNY', totalMinor: 300n, budgetMinor: null, canaryMinor: null, lines },
});

test('a plan whose lines name no account of ours keeps the fingerprint that it was stored with', () => {
  const stored = '622b9ff1307e3ba2cd80a77cc6c9b367c1a98529578598bb4fa5b6c4e012ecbf';
  expect(planFingerprint(planOf(first, second))).toBe(stored);
  expect(planFingerprint(planOf(second, first))).toBe(stored);
});

test('the account of ours that a line names is a part of the content', () => {
  const named = (providerAccount: string | null) =>
    planFingerprint(planOf(first, { ...second, providerAccount }));
  expect(new Set([named(null), named('shop'), named('market')]).size).toBe(3);
});
