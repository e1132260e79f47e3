import { expect, test } from '@jest/globals';
import { BadConfiguration, readConfig } from '../../src/index.js';

const read = (RULE_CAPS_OWNER: string) => readConfig({ RULE_CAPS_OWNER }).RULE_CAPS_OWNER;

test('caps over many rules are read per currency, and what is left out has no limit', () => {
  expect(read('USD:perDay=1000000:timesPerMonth=50, CNY:perMonth=0:timesPerDay=3')).toEqual({
    USD: { perDayMinor: 1_000_000n, perMonthMinor: null, timesPerDay: null, timesPerMonth: 50 },
    CNY: { perDayMinor: null, perMonthMinor: 0n, timesPerDay: 3, timesPerMonth: null },
  });
  expect(readConfig({}).RULE_CAPS_FLEET).toBeUndefined();
});

test.each([
  'USD',
  'USD:',
  'usd:perDay=1',
  'USD:perDay=1.5',
  'USD:perDay=-1',
  'USD:perYear=1',
  'USD:perDay=1:perDay=2',
  'USD:perDay=1,USD:perMonth=2',
  'USD:timesPerDay=12345678901',
  'USD:perDay=1,',
])('%s is refused', (text) => {
  expect(() => read(text)).toThrow(BadConfiguration);
});
