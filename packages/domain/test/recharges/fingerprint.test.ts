import { expect, test } from '@jest/globals';
import { newRecharge } from '@replenish/testing';
import { fingerprintOf } from '../../src/store/recharges/creation/fingerprint.js';

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
  expect(fingerprintOf({ ...request, providerAccount: 'shop' })).toBe(fingerprintOf(request));
  expect(fingerprintOf({ ...request, askedAccount: 'shop' })).not.toBe(fingerprintOf(request));
  expect(fingerprintOf({ ...request, productType: null })).toBe(fingerprintOf(request));
});

const request = newRecharge({ accountId: 'acct-1', amountMinor: 4_999n, metadata: { b: '2', a: '1' } });

test('a field that joined later turns no repetition of an old key into another request', () => {
  const { callbackUrl: _, ...old } = request;
  for (const absent of [undefined, null])
    expect(fingerprintOf({ ...old, callbackUrl: absent as null, destination: null })).toBe(
      fingerprintOf(request),
    );
});

test.each<[string, object]>([
  ['callbackUrl', { callbackUrl: 'https://shop.example/hear' }],
  ['destination', { destination: 'cloud' }],
  ['orderReference', { orderReference: 'PO-8' }],
  ['productType', { productType: 'ecs' }],
  ['planId', { planId: 'p2' }],
  ['accountId', { accountId: 'acct-2' }],
  ['amountMinor', { amountMinor: 5_000n }],
  ['currency', { currency: 'JPY' }],
  ['paymentMethod', { paymentMethod: 'balance' }],
  ['a value of the metadata', { metadata: { a: '1', b: '3' } }],
])('%s belongs to the meaning of a request', (_what, change) => {
  expect(fingerprintOf({ ...request, ...change })).not.toBe(fingerprintOf(request));
});

test('the order of the metadata does not', () => {
  expect(fingerprintOf({ ...request, metadata: { a: '1', b: '2' } })).toBe(fingerprintOf(request));
});
