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

/** What Stripe is told for 1,000 of our minor units. Each currency of the list is here, so that none is guessed. */
const told: Readonly<Record<number, string>> = {
  // The currencies with two decimals on both sides.
  1000:
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY ' +
    'COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS ' +
    'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN ' +
    'NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP ' +
    'STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ' +
    // The currencies with no decimals on both sides, and with three on both.
    'BIF CLP DJF GNF JPY KMF KRW PYG RWF VND VUV XAF XOF XPF BHD JOD KWD OMR TND',
  // No decimals in ISO 4217, and two zeros at Stripe.
  100000: 'ISK UGX',
  // Two decimals in ISO 4217, and none at Stripe.
  10: 'MGA',
};

test.each(
  Object.entries(told).flatMap(([theirs, list]) =>
    list.split(' ').map((one) => [one, Number(theirs)] as const),
  ),
)('%s: our 1000 are their %p, and back', (currency, theirs) => {
  expect(toStripe(1_000n, currency)).toBe(theirs);
  expect(fromStripe(theirs, currency)).toBe(1_000n);
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
