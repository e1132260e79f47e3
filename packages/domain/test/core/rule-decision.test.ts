import { describe, expect, test } from '@jest/globals';
import type { CapLimits, CapScope, WindowUse } from '../../src/core/rules/rule-caps.js';
import {
  BURST_MAX,
  DECLINES_MAX,
  type DecisionReason,
  decideRule,
  decisionReasons,
  type RuleDecision,
} from '../../src/core/rules/rule-decision.js';
import type { LastingFailure, RuleFacts } from '../../src/core/rules/rule-facts.js';
import type { RuleTerms } from '../../src/core/rules/rule-terms.js';
import { terms } from '../support/rules.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const read = (minor: bigint) => ({ minor, cashMinor: null, at: NOW });
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);
const times = { balanceMaxAgeMs: 120_000, backoffMs: 60_000 };
const DAY_MS = 86_400_000;

const facts = (over: Partial<RuleFacts> = {}): RuleFacts => ({
  isStopped: false,
  hasKey: true,
  target: 'agreed',
  isNewPayee: false,
  reading: read(400n),
  underWayMinor: 0n,
  last: null,
  spending: {
    dayMinor: 0n,
    timesInDay: 0,
    dayFreeAt: null,
    monthMinor: 0n,
    timesInMonth: 0,
    timesInBurst: 0,
  },
  wider: [],
  declines: { inARow: 0, lastAt: null, lasting: null },
  burn: null,
  activeSince: ago(100 * DAY_MS),
  ...over,
});
const spending = (over: Partial<RuleFacts['spending']>) => ({ spending: { ...facts().spending, ...over } });
const last = (over: Partial<NonNullable<RuleFacts['last']>> = {}) => ({
  last: {
    at: ago(1_000),
    isUnderWay: false,
    hasOpenCase: false,
    isPaidBack: false,
    isCanary: false,
    ...over,
  },
});
const decide = (over: Partial<RuleFacts>, of: Partial<RuleTerms> = {}): RuleDecision =>
  decideRule(terms(of), facts(over), times, NOW);

const capped = (over: Partial<RuleTerms['caps']>) => ({ caps: { ...terms().caps, ...over } });
/** A cap over many rules, with what it has counted. */
const wider = (
  scope: CapScope,
  limits: Partial<CapLimits>,
  used: Partial<WindowUse> = {},
): Pick<RuleFacts, 'wider'> => ({
  wider: [
    {
      scope,
      limits: { perDayMinor: null, perMonthMinor: null, timesPerDay: null, timesPerMonth: null, ...limits },
      used: { ...facts().spending, ...used },
    },
  ],
});
const declined = (inARow: number, lastAt: Date, lasting: LastingFailure | null = null) => ({
  declines: { inARow, lastAt, lasting },
});
const fixed = { recharge: { amountMinor: 2_000n } };
const used = { burn: { perDayMinor: 600n, days: 7 } };
const unused = { burn: { perDayMinor: 0n, days: 7 } };
const forDays = { runwayDays: 3 };

type Row = readonly [
  brake: string,
  facts: Partial<RuleFacts>,
  terms: Partial<RuleTerms>,
  decided: RuleDecision['decided'],
  because: DecisionReason,
];

const rows: readonly Row[] = [
  ['a balance below the line is recharged', {}, {}, 'recharge', 'BELOW_THRESHOLD'],
  ['cash that is not told', { reading: read(10n) }, { balance: 'cash' }, 'held_back', 'NO_CASH_FIGURE'],
  [
    'cash below the line, whatever credit there is',
    { reading: { ...read(9_000n), cashMinor: 999n } },
    { balance: 'cash' },
    'recharge',
    'BELOW_THRESHOLD',
  ],
  ['a balance on the line is enough', { reading: read(1_000n) }, {}, 'nothing', 'ENOUGH'],
  ['a negative balance is below every line', { reading: read(-5_000n) }, {}, 'recharge', 'BELOW_THRESHOLD'],
  ['an unread balance never decides', { reading: null }, {}, 'held_back', 'BALANCE_UNKNOWN'],
  [
    'an old balance never decides',
    { reading: { minor: 4n, cashMinor: null, at: ago(121_000) } },
    {},
    'held_back',
    'BALANCE_UNKNOWN',
  ],
  ['an expired rule ends', {}, { expiresAt: NOW }, 'nothing', 'EXPIRED'],
  ['all rules are stopped', { isStopped: true }, {}, 'held_back', 'STOPPED'],
  ['the key that agreed is gone', { hasKey: false }, {}, 'held_back', 'KEY_GONE'],
  ['the payee is gone', { target: 'gone' }, {}, 'held_back', 'PAYEE_GONE'],
  ['nobody agreed to the new payee', { target: 'changed' }, {}, 'held_back', 'PAYEE_CHANGED'],
  ['a recharge of the rule is under way', last({ isUnderWay: true }), {}, 'held_back', 'UNDER_WAY'],
  ['what others sent is enough', { underWayMinor: 600n }, {}, 'held_back', 'UNDER_WAY'],
  ['what others sent is too little', { underWayMinor: 599n }, {}, 'recharge', 'BELOW_THRESHOLD'],
  ['a person has a question about it', last({ hasOpenCase: true }), {}, 'held_back', 'CASE_OPEN'],
  ['its recharge was paid back', last({ isPaidBack: true }), {}, 'held_back', 'PAID_BACK'],
  ['the cooldown runs', last(), { cooldownSeconds: 2 }, 'held_back', 'COOLDOWN'],
  [
    'the cooldown after a canary that did not arrive',
    { ...last({ isCanary: true }), isNewPayee: true },
    { canaryMinor: 10n, cooldownSeconds: 2 },
    'held_back',
    'COOLDOWN',
  ],
  ['the cooldown is over', last(), { cooldownSeconds: 1 }, 'recharge', 'BELOW_THRESHOLD'],
  ['it is quiet', {}, { quietHours: { from: '11:00', to: '13:00' } }, 'held_back', 'QUIET_HOURS'],
  ['it was quiet', {}, { quietHours: { from: '11:00', to: '12:00' } }, 'recharge', 'BELOW_THRESHOLD'],
  [
    'it is quiet in China',
    {},
    { quietHours: { from: '20:00', to: '06:00' }, timeZone: 'Asia/Shanghai' },
    'held_back',
    'QUIET_HOURS',
  ],
  ['a burst', spending({ timesInBurst: BURST_MAX }), {}, 'held_back', 'BURST'],
  ['the cap of times', spending({ timesInDay: 2 }), capped({ timesPerDay: 2 }), 'held_back', 'CAP_REACHED'],
  [
    'the cap of times per month',
    spending({ timesInMonth: 9 }),
    capped({ timesPerMonth: 9 }),
    'held_back',
    'CAP_REACHED',
  ],
  ['the client has a cap', wider('owner', { perDayMinor: 599n }), {}, 'held_back', 'OWNER_CAP'],
  [
    'the cap of the client leaves a use',
    wider('owner', { perDayMinor: 600n }),
    {},
    'recharge',
    'BELOW_THRESHOLD',
  ],
  [
    'the account that pays has a cap',
    wider('source', { perMonthMinor: 9_000n }, { monthMinor: 8_999n }),
    {},
    'held_back',
    'SOURCE_CAP',
  ],
  [
    'all rules have a cap of times',
    wider('fleet', { timesPerDay: 7 }, { timesInDay: 7 }),
    {},
    'held_back',
    'FLEET_CAP',
  ],
  [
    'all rules have a cap of times per month',
    wider('fleet', { timesPerMonth: 7 }, { timesInMonth: 8 }),
    {},
    'held_back',
    'FLEET_CAP',
  ],
  ['the cap of the day', spending({ dayMinor: 18_001n }), fixed, 'held_back', 'CAP_REACHED'],
  ['a fixed amount that just fits', spending({ dayMinor: 18_000n }), fixed, 'recharge', 'BELOW_THRESHOLD'],
  ['the cap of the month', spending({ monthMinor: 98_001n }), fixed, 'held_back', 'CAP_REACHED'],
  ['less than missing that is of no use', spending({ dayMinor: 19_401n }), {}, 'held_back', 'CAP_REACHED'],
  ['less than missing that is of use', spending({ dayMinor: 19_400n }), {}, 'recharge', 'BELOW_THRESHOLD'],
  ['a pause after a decline', declined(1, ago(59_000)), {}, 'held_back', 'BACK_OFF'],
  ['the pause is over', declined(1, ago(60_000)), {}, 'recharge', 'BELOW_THRESHOLD'],
  ['a doubled pause', declined(2, ago(119_000)), {}, 'held_back', 'BACK_OFF'],
  ['too many declines', declined(DECLINES_MAX, ago(DAY_MS * 99)), {}, 'held_back', 'DECLINED_REPEATEDLY'],
  ['its payee is gone at the provider', declined(1, NOW, 'payee_gone'), {}, 'held_back', 'PAYEE_GONE'],
  ['a person has to pay', declined(0, NOW, 'payer_needed'), {}, 'held_back', 'AUTHENTICATION_REQUIRED'],
  ['its card was lost', declined(1, NOW, 'source_gone'), {}, 'held_back', 'SOURCE_REFUSED'],
  ['nothing is used up', unused, { dormantAfterDays: 7 }, 'nothing', 'DORMANT'],
  ['a dormant rule that opted out', unused, {}, 'recharge', 'BELOW_THRESHOLD'],
  [
    'a new rule is not dormant',
    { ...unused, activeSince: ago(DAY_MS) },
    { dormantAfterDays: 7 },
    'recharge',
    'BELOW_THRESHOLD',
  ],
  ['a rule that only says so', {}, { mode: 'notify' }, 'nothing', 'NOTIFY_ONLY'],
  ['a rule that asks a person', {}, { mode: 'propose' }, 'recharge', 'BELOW_THRESHOLD'],
  ['a short runway', { reading: read(1_500n), ...used }, forDays, 'recharge', 'RUNWAY_SHORT'],
  ['a long runway', { reading: read(1_800n), ...used }, forDays, 'nothing', 'ENOUGH'],
  ['a runway without history', { reading: read(1_500n) }, forDays, 'nothing', 'ENOUGH'],
  [
    'a cap that leaves too little for the runway',
    { reading: read(1_500n), ...used, ...spending({ dayMinor: 19_701n }) },
    forDays,
    'held_back',
    'CAP_REACHED',
  ],
  [
    'a cap that leaves just enough for the runway',
    { reading: read(1_500n), ...used, ...spending({ dayMinor: 19_700n }) },
    forDays,
    'recharge',
    'RUNWAY_SHORT',
  ],
  [
    'a cap that leaves enough for the line, and too little for the runway',
    { reading: read(900n), ...used, ...spending({ dayMinor: 19_900n }) },
    forDays,
    'recharge',
    'BELOW_THRESHOLD',
  ],
  [
    'a balance at its aim, whatever the runway',
    { reading: read(5_000n), burn: { perDayMinor: 9_000n, days: 7 } },
    forDays,
    'nothing',
    'ENOUGH',
  ],
];

test.each(rows)('%s', (_, given, of, decided, because) => {
  expect(decide(given, of)).toMatchObject({ decided, because });
});

test('every reason that this function can give has a row', () => {
  const byStatement = [
    'INSUFFICIENT_BALANCE',
    'KEY_CEILING',
    'BEYOND_BALANCE',
    'OTHER_CURRENCY',
    'NO_PROVIDER',
  ];
  const shown = new Set(rows.map((row) => row[4]));
  expect(decisionReasons.filter((one) => !shown.has(one) && !byStatement.includes(one))).toEqual([]);
});

describe('amounts', () => {
  test.each([
    ['what is missing up to the aim', {}, {}, 4_600n],
    ['less what is under way', { underWayMinor: 100n }, {}, 4_500n],
    ['a fixed amount', {}, fixed, 2_000n],
    ['at most the largest recharge', { reading: read(-9_000n) }, {}, 5_000n],
    ['a canary where nothing arrived yet', { isNewPayee: true }, { canaryMinor: 10n }, 10n],
    ['all of it where something arrived', {}, { canaryMinor: 10n }, 4_600n],
    [
      'the rest right after its canary',
      last({ isCanary: true }),
      { canaryMinor: 10n, cooldownSeconds: 9 },
      4_600n,
    ],
    ['at most what the day leaves', spending({ dayMinor: 18_000n }), {}, 2_000n],
    [
      'at most what all rules are left',
      wider('fleet', { perDayMinor: 9_000n }, { dayMinor: 6_000n }),
      {},
      3_000n,
    ],
    ['at most what the month leaves', spending({ monthMinor: 99_000n }), {}, 1_000n],
  ] as const)('%s', (_, given, of, amountMinor) => {
    expect(decide(given, of)).toMatchObject({ decided: 'recharge', amountMinor });
  });
});

test('what ends by itself says when', () => {
  const until = (given: Partial<RuleFacts>, of: Partial<RuleTerms> = {}) =>
    decide(given, of).until?.toISOString();
  expect(until(last(), { cooldownSeconds: 61 })).toBe('2026-11-21T12:01:00.000Z');
  expect(until({}, { quietHours: { from: '11:00', to: '13:30' } })).toBe('2026-11-21T13:30:00.000Z');
  expect(until({}, { quietHours: { from: '11:00', to: '01:30' } })).toBe('2026-11-22T01:30:00.000Z');
  expect(until(spending({ dayMinor: 20_000n, dayFreeAt: new Date(NOW.getTime() + 5_000) }))).toBe(
    '2026-11-21T12:00:05.000Z',
  );
  expect(until(spending({ monthMinor: 100_000n }), { timeZone: 'Asia/Shanghai' })).toBe(
    '2026-11-30T16:00:00.000Z',
  );
  expect(until(wider('fleet', { perMonthMinor: 0n }), { timeZone: 'Asia/Shanghai' })).toBe(
    '2026-12-01T00:00:00.000Z',
  );
  expect(until(wider('owner', { timesPerDay: 1 }, { timesInDay: 1, dayFreeAt: NOW }))).toBe(
    NOW.toISOString(),
  );
  expect(until(declined(2, NOW))).toBe('2026-11-21T12:02:00.000Z');
});
