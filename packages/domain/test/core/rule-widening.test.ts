import { describe, expect, test } from '@jest/globals';
import type { RuleTerms } from '../../src/core/rules/rule-terms.js';
import { type AgreedVersion, isAboveLimits, widenings } from '../../src/core/rules/rule-widening.js';
import { terms } from '../support/rules.js';

const caps = (over: Partial<RuleTerms['caps']>): Partial<RuleTerms> => ({
  caps: { ...terms().caps, ...over },
});
const quiet = { from: '22:00', to: '06:00' };
const later = new Date('2027-01-02T00:00:00Z');
const sooner = new Date('2027-01-01T00:00:00Z');

type Change = Readonly<{
  terms?: Partial<RuleTerms>;
  way?: Partial<AgreedVersion['recharge']>;
  target?: string;
}>;
const version = ({ terms: over = {}, way = {}, target }: Change = {}): AgreedVersion => ({
  terms: terms({ canaryMinor: 100n, dormantAfterDays: 30, cooldownSeconds: 60, ...over }),
  recharge: {
    ...{ paymentMethod: 'fund_account', kind: 'deliver', funding: 'house', destination: 'cloud' },
    ...way,
  },
  target: target ?? 'alibaba_cloud:main:fa-1',
});
const fieldsOf = (before: Change, after: Change): string[] =>
  widenings(version(before), version(after)).map(({ field }) => field);
const of = (over: Partial<RuleTerms>): Change => ({ terms: over });

// The second version goes beyond the first one in exactly this field.
const beyond: readonly (readonly [field: string, before: Change, after: Change])[] = [
  ['balance', of({}), of({ balance: 'cash' })],
  ['below', of({ belowMinor: 1n }), of({ belowMinor: 2n })],
  ['recharge', of({ recharge: { upToMinor: 1n } }), of({ recharge: { upToMinor: 2n } })],
  ['recharge', of({ recharge: { amountMinor: 1n } }), of({ recharge: { amountMinor: 2n } })],
  ['caps.perRecharge', of(caps({ perRechargeMinor: 1n })), of(caps({ perRechargeMinor: 2n }))],
  ['caps.perDay', of(caps({ perDayMinor: 1n })), of(caps({ perDayMinor: 2n }))],
  ['caps.perMonth', of(caps({ perMonthMinor: 1n })), of(caps({ perMonthMinor: 2n }))],
  ['caps.timesPerDay', of(caps({ timesPerDay: 1 })), of(caps({ timesPerDay: 2 }))],
  ['caps.timesPerDay', of(caps({ timesPerDay: 1 })), of(caps({ timesPerDay: null }))],
  ['caps.timesPerMonth', of(caps({ timesPerMonth: 1 })), of(caps({ timesPerMonth: null }))],
  ['cooldownSeconds', of({ cooldownSeconds: 60 }), of({ cooldownSeconds: 59 })],
  ['canary', of({ canaryMinor: 1n }), of({ canaryMinor: 2n })],
  ['canary', of({ canaryMinor: 1n }), of({ canaryMinor: null })],
  ['runwayDays', of({ runwayDays: null }), of({ runwayDays: 1 })],
  ['runwayDays', of({ runwayDays: 1 }), of({ runwayDays: 2 })],
  ['mode', of({ mode: 'notify' }), of({ mode: 'propose' })],
  ['mode', of({ mode: 'propose' }), of({ mode: 'execute' })],
  ['quietHours', of({ quietHours: quiet }), of({ quietHours: null })],
  ['expiresAt', of({ expiresAt: sooner }), of({ expiresAt: later })],
  ['expiresAt', of({ expiresAt: sooner }), of({ expiresAt: null })],
  ['dormantAfterDays', of({ dormantAfterDays: 1 }), of({ dormantAfterDays: null })],
];

test.each(beyond)('more in %s is beyond the version in force, and less is not', (field, before, after) => {
  expect(fieldsOf(before, after)).toEqual([field]);
  expect(fieldsOf(after, before)).toEqual([]);
});

test.each<[string, Change, Change]>([
  ['recharge', of({ recharge: { upToMinor: 5n } }), of({ recharge: { amountMinor: 1n } })],
  ['quietHours', of({ quietHours: quiet }), of({ quietHours: { ...quiet, from: '21:00' } })],
  ['timeZone', of({ timeZone: 'UTC' }), of({ timeZone: 'Asia/Shanghai' })],
  ['paymentMethod', {}, { way: { paymentMethod: 'balance' } }],
  ['paymentMethod', {}, { way: { funding: 'wallet' } }],
  ['destination', {}, { way: { destination: 'wallet' } }],
  ['payee', {}, { target: 'alibaba_cloud:main:fa-2' }],
])('another %s is beyond the version in force, either way', (field, before, after) => {
  expect([fieldsOf(before, after), fieldsOf(after, before)]).toEqual([[field], [field]]);
});

test('the same version goes beyond nothing', () => {
  expect(fieldsOf({}, {})).toEqual([]);
});

test('a field of the terms that is added later is compared here', () => {
  const compared = [
    'balance',
    'belowMinor',
    'recharge',
    'caps',
    'cooldownSeconds',
    'canaryMinor',
    'runwayDays',
  ];
  const others = ['mode', 'quietHours', 'timeZone', 'expiresAt', 'dormantAfterDays'];
  expect(Object.keys(terms()).toSorted()).toEqual([...compared, ...others].toSorted());
});

describe('the limits', () => {
  const limit = terms().caps.perMonthMinor;
  test.each([
    [{ USD: limit }, {}, false],
    [{ USD: limit - 1n }, {}, true],
    [{}, { USD: limit - 1n }, true],
    [{ CNY: 1n }, {}, false],
    [{}, {}, false],
  ])('of its key %j and its payee %j: above them is %j', (ofKey, ofPayee, isAbove) => {
    expect(isAboveLimits(terms(), 'USD', ofKey, ofPayee)).toBe(isAbove);
  });

  test.each(['notify', 'propose'] as const)('do not hold for a rule of mode %s', (mode) => {
    expect(isAboveLimits(terms({ mode }), 'USD', { USD: 1n }, {})).toBe(false);
  });
});
