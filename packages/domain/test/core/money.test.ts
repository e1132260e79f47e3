import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AMOUNT_MINOR_MAX, isSameMoney, majorFromMinor, minorFromMajor } from '../../src/core/money/money.js';
import { gapMs } from '../../src/core/next-step.js';

const exponents = fc.integer({ min: 0, max: 4 });

describe('amounts', () => {
  test('minor units convert to major units and back without change, for each exponent', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: AMOUNT_MINOR_MAX }), exponents, (amountMinor, exponent) => {
        expect(minorFromMajor(majorFromMinor(amountMinor, exponent), exponent)).toBe(amountMinor);
      }),
    );
  });

  test('zeros behind the smallest unit are accepted, and other digits are refused', () => {
    const digit = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        exponents,
        digit,
        (amountMinor, exponent, last) => {
          const text = majorFromMinor(amountMinor, exponent);
          const finer = `${text}${text.includes('.') ? '' : '.'}0${last}`;
          expect(minorFromMajor(finer, exponent)).toBe(last === 0 ? amountMinor : null);
        },
      ),
    );
  });

  test.each([
    ['49.99', 2, 4_999n],
    ['49.9', 2, 4_990n],
    ['49', 2, 4_900n],
    ['0.01', 2, 1n],
    ['0', 2, 0n],
    ['500', 0, 500n],
    ['1.234', 3, 1_234n],
    ['9999999999999999.99', 2, 999_999_999_999_999_999n],
  ])('%s at exponent %i', (text, exponent, amountMinor) => {
    expect(minorFromMajor(text, exponent)).toBe(amountMinor);
  });

  const refused = [
    '',
    ' 1',
    '1 ',
    '-1',
    '+1',
    '01',
    '.5',
    '1.',
    '1e3',
    '0x10',
    '1,000',
    '1_000',
    'NaN',
    'Infinity',
  ];
  test.each([...refused, '1.2.3', '٣', '1\n', '1.001', `1${'0'.repeat(16)}`, `0.${'0'.repeat(19)}`])(
    'refuses %j',
    (text) => {
      expect(minorFromMajor(text, 2)).toBeNull();
    },
  );

  test('are printed with their decimals, also below one and below zero', () => {
    expect([
      majorFromMinor(5n, 2),
      majorFromMinor(-5n, 2),
      majorFromMinor(-1_234n, 3),
      majorFromMinor(7n, 0),
    ]).toEqual(['0.05', '-0.05', '-1.234', '7']);
  });

  test('are equal only in the same currency', () => {
    const money = { amountMinor: 5n, currency: 'USD' };
    expect(isSameMoney(money, { ...money })).toBe(true);
    expect(isSameMoney(money, { ...money, currency: 'EUR' })).toBe(false);
    expect(isSameMoney(money, { ...money, amountMinor: 6n })).toBe(false);
  });
});

describe('the gap before the next query', () => {
  const jitters = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const afters = fc.integer({ min: 1, max: 3_600_000 });

  test('stays within a quarter of its doubled value, at most 64 times the first', () => {
    fc.assert(
      fc.property(fc.nat(1_000), afters, jitters, (asks, afterMs, jitter) => {
        const middle = afterMs * 2 ** Math.min(asks, 6);
        const gap = gapMs(asks, afterMs, jitter);
        expect(Number.isInteger(gap)).toBe(true);
        expect(gap).toBeGreaterThanOrEqual(Math.floor(middle * 0.75));
        expect(gap).toBeLessThanOrEqual(Math.ceil(middle * 1.25));
      }),
    );
  });

  test('doubles until it no longer grows', () => {
    const gaps = [0, 1, 2, 3, 4, 5, 6, 7, 100].map((asks) => gapMs(asks, 1_000, 0.5));
    expect(gaps).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64].map((times) => times * 1_000));
  });
});
