import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromMajor, toMajor } from '../../src/alibaba-cloud/amounts.js';
import { fromChinaTime } from '../../src/alibaba-cloud/times.js';

test.each<[string, string, bigint]>([
  ['1,234.56', 'CNY', 123_456n],
  ['-11.19', 'CNY', -1_119n],
  ['0.00', 'CNY', 0n],
  ['10000.00', 'USD', 1_000_000n],
  ['1,234,567', 'JPY', 1_234_567n],
  ['5', 'CNY', 500n],
  ['5.1', 'CNY', 510n],
  ['12.340', 'CNY', 1_234n],
  ['90,071,992,547,409.93', 'CNY', 9_007_199_254_740_993n],
])('%s %s is read exactly', (text, currency, minor) => {
  expect(fromMajor(text, currency)).toBe(minor);
});

test.each<[string, string]>([
  ['1,00', 'CNY'],
  ['12,34.00', 'CNY'],
  ['1.234,56', 'CNY'],
  ['1.005', 'CNY'],
  ['1.5', 'JPY'],
  ['', 'CNY'],
  ['1e3', 'CNY'],
  [' 1', 'CNY'],
  ['+1', 'CNY'],
  ['--1', 'CNY'],
  ['.5', 'CNY'],
  ['1', 'EUR'],
])('%j %s is refused', (text, currency) => {
  expect(fromMajor(text, currency)).toBeNull();
});

test('what is written is read again, in every currency', () => {
  const amount = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n });
  fc.assert(
    fc.property(amount, fc.constantFrom('CNY', 'USD', 'JPY'), (minor, currency) => {
      expect(fromMajor(toMajor(minor, currency), currency)).toBe(minor);
    }),
  );
});

test('a currency without accounts is never written', () => {
  expect(() => toMajor(1n, 'EUR')).toThrow(RangeError);
});

test('a time without a zone means UTC+8, whatever the zone of the process is', () => {
  expect(fromChinaTime('2026-11-28 08:00:01')).toEqual(new Date('2026-11-28T00:00:01Z'));
  for (const text of ['2026-11-28', '2026-11-28T08:00:01Z', '2026-13-28 08:00:01', ''])
    expect(fromChinaTime(text)).toBeNull();
});
