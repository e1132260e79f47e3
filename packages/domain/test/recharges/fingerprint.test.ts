import { expect, test } from '@jest/globals';
import { newRecharge } from '@replenish/testing';
import { fingerprintOf } from '../../src/store/recharges/fingerprint.js';

test('the fingerprint of a request equals the one that earlier releases stored', () => {
  const request = newRecharge({
    accountId: 'acct-1',
    amountMinor: 4_999n,
    orderReference: 'PO-7',
    planId: 'p1',
    metadata: { b: '2', a: '1' },
  });
  expect(fingerprintOf(request)).toBe('d02c6045b062e440e4d2942f8e2a3af6e5eaff2acb659ddf829b0d168ea9f2e4');
  expect(fingerprintOf({ ...request, destination: null })).toBe(fingerprintOf(request));
  expect(fingerprintOf({ ...request, destination: 'wallet' })).not.toBe(fingerprintOf(request));
  expect(fingerprintOf({ ...request, productType: null })).toBe(fingerprintOf(request));
});
