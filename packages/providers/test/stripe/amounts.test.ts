import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromStripe, toStripe } from '../../src/stripe/amounts.js';

test.each([
  ['USD', 4_999n, 4_999],
  ['EUR', 1n, 1],
  ['CNY', 100n, 100],
  ['HUF', 100n, 100],
  ['TWD', 100n, 100],
  ['JPY', 500n, 500],
  ['KRW', 500n, 500],
  ['VND', 500n, 500],
  ['ISK', 5n, 500],
  ['UGX', 5n, 500],
  ['MGA', 500n, 5],
  ['KWD', 1_230n, 1_230],
  ['BHD', 10n, 10],
])('%s: our %p is their %p', (currency, ours, theirs) => {
  expect(toStripe(ours, currency)).toBe(theirs);
  expect(fromStripe(theirs, currency)).toBe(ours);
});

test.each([
  ['MGA', 501n, 'no fraction of an ariary'],
  ['KWD', 1_231n, 'three-decimal amounts in tens'],
  ['IQD', 1_000n, 'a currency that Stripe does not charge'],
  ['UYW', 10_000n, 'a fund and not a currency'],
  ['USD', 0n, 'nothing'],
  ['USD', -1n, 'less than nothing'],
  ['USD', 100_000_000n, 'more than eight digits'],
  ['ISK', 1_000_000n, 'more than eight digits in their unit'],
])('%s %p cannot be charged: %s', (currency, ours) => {
  expect(toStripe(ours, currency)).toBeNull();
});

test('an amount without an exact value in our units is not read', () => {
  expect(fromStripe(501, 'ISK')).toBeNull();
  expect(fromStripe(0.5, 'USD')).toBeNull();
  expect(fromStripe(-1, 'USD')).toBeNull();
});

test('every amount that Stripe takes comes back as it went', () => {
  const currencies = ['USD', 'JPY', 'ISK', 'UGX', 'MGA', 'KWD', 'TND', 'HUF', 'TWD', 'CLP', 'XOF'];
  fc.assert(
    fc.property(fc.constantFrom(...currencies), fc.bigInt(1n, 10n ** 9n), (currency, ours) => {
      const theirs = toStripe(ours, currency);
      return theirs === null || fromStripe(theirs, currency) === ours;
    }),
  );
});
