import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { capScopes } from '../../src/core/rules/rule-caps.js';
import { BURST_MAX, DECLINES_MAX, decideRule } from '../../src/core/rules/rule-decision.js';
import { comparedMinor, lastingFailures, type RuleFacts } from '../../src/core/rules/rule-facts.js';
import {
  balanceFigures,
  faultsOfTerms,
  type RuleTerms,
  termsFromStore,
  termsToStore,
} from '../../src/core/rules/rule-terms.js';
import { terms } from '../support/rules.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);
const times = { balanceMaxAgeMs: 120_000, backoffMs: 60_000 };
const DAY_MS = 86_400_000;

const minor = (min: bigint, max: bigint) => fc.bigInt({ min, max });
const someTerms: fc.Arbitrary<RuleTerms> = fc
  .record({
    balance: fc.constantFrom(...balanceFigures),
    belowMinor: minor(1n, 10_000n),
    above: minor(1n, 20_000n),
    isFixed: fc.boolean(),
    perRechargeMinor: minor(1n, 40_000n),
    perDayMinor: minor(1n, 80_000n),
    perMonthMinor: minor(1n, 200_000n),
    timesPerDay: fc.option(fc.integer({ min: 1, max: 5 })),
    timesPerMonth: fc.option(fc.integer({ min: 1, max: 9 })),
    cooldownSeconds: fc.integer({ min: 0, max: 7_200 }),
    canaryMinor: fc.option(minor(1n, 900n)),
    runwayDays: fc.option(fc.integer({ min: 1, max: 30 })),
    quietHours: fc.option(fc.constantFrom({ from: '22:00', to: '06:00' }, { from: '09:00', to: '13:00' })),
    timeZone: fc.constantFrom('UTC', 'Asia/Shanghai', 'America/New_York'),
    dormantAfterDays: fc.option(fc.integer({ min: 1, max: 30 })),
  })
  .map(
    ({
      above,
      isFixed,
      perRechargeMinor,
      perDayMinor,
      perMonthMinor,
      timesPerDay,
      timesPerMonth,
      ...rest
    }) => ({
      ...rest,
      recharge: isFixed ? { amountMinor: rest.belowMinor + above } : { upToMinor: rest.belowMinor + above },
      caps: {
        perRechargeMinor: isFixed ? rest.belowMinor + above + perRechargeMinor : perRechargeMinor,
        ...{ perDayMinor, perMonthMinor, timesPerDay, timesPerMonth },
      },
      mode: 'execute',
      expiresAt: null,
    }),
  );

/** Most facts hold no rule back, so that each obstacle occurs alone and with a few others. */
const rarely = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
const mostly = <Value>(usual: Value, others: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: others });

const someUse = {
  dayMinor: mostly(0n, minor(0n, 80_000n)),
  timesInDay: mostly(0, fc.nat(6)),
  dayFreeAt: fc.option(fc.integer({ min: 0, max: DAY_MS }).map((ms) => ago(-ms))),
  monthMinor: mostly(0n, minor(0n, 200_000n)),
  timesInMonth: mostly(0, fc.nat(9)),
};
const someWider = fc.record({
  scope: fc.constantFrom(...capScopes),
  limits: fc.record({
    perDayMinor: fc.option(minor(0n, 90_000n)),
    perMonthMinor: fc.option(minor(0n, 200_000n)),
    timesPerDay: fc.option(fc.nat(6)),
    timesPerMonth: fc.option(fc.nat(9)),
  }),
  used: fc.record(someUse),
});

const someFacts: fc.Arbitrary<RuleFacts> = fc.record({
  isStopped: fc.constant(false),
  hasKey: fc.constant(true),
  target: fc.constant('agreed' as const),
  isNewPayee: rarely,
  reading: fc.option(
    fc.record({
      minor: minor(-20_000n, 20_000n),
      cashMinor: fc.option(minor(-20_000n, 20_000n)),
      at: fc.integer({ min: 0, max: 140_000 }).map(ago),
    }),
    { freq: 9 },
  ),
  underWayMinor: mostly(0n, minor(0n, 20_000n)),
  last: fc.option(
    fc.record({
      at: fc.integer({ min: 0, max: 10_000_000 }).map(ago),
      isUnderWay: rarely,
      hasOpenCase: rarely,
      isPaidBack: rarely,
      isCanary: rarely,
    }),
  ),
  spending: fc.record({ ...someUse, timesInBurst: mostly(0, fc.nat(6)) }),
  wider: mostly([], fc.array(someWider, { minLength: 1, maxLength: 2 })),
  declines: fc.record({
    inARow: fc.nat(4),
    lastAt: fc.option(fc.integer({ min: 0, max: 500_000 }).map(ago)),
    lasting: mostly(null, fc.constantFrom(...lastingFailures)),
  }),
  burn: fc.option(fc.record({ perDayMinor: minor(0n, 10_000n), days: fc.integer({ min: 1, max: 7 }) })),
  activeSince: fc.integer({ min: 0, max: 60 * DAY_MS }).map(ago),
});

test('for all kinds of facts a recharge exceeds no limit, and a rule that is held back is held by its own numbers', () => {
  let recharges = 0;
  fc.assert(
    fc.property(someTerms, someFacts, (of, given) => {
      const decision = decideRule(of, given, times, NOW);
      const { caps } = of;
      const { spending: spent, reading } = given;
      const balance = reading && comparedMinor(of, reading);
      const isShort = balance !== null && balance < of.belowMinor;
      if (decision.because === 'ENOUGH') expect(isShort).toBe(false);
      if (decision.pause !== null) expect(decision.decided).toBe('held_back');
      if (decision.decided !== 'recharge') return;
      recharges++;
      const amount = decision.amountMinor!;
      expect(amount).toBeGreaterThan(0n);
      if (given.isNewPayee && of.canaryMinor !== null) expect(amount <= of.canaryMinor).toBe(true);
      expect(amount <= caps.perRechargeMinor).toBe(true);
      for (const { limits, used } of [{ limits: caps, used: spent }, ...given.wider]) {
        expect(limits.perDayMinor === null || used.dayMinor + amount <= limits.perDayMinor).toBe(true);
        expect(limits.perMonthMinor === null || used.monthMinor + amount <= limits.perMonthMinor).toBe(true);
        expect(limits.timesPerDay === null || used.timesInDay < limits.timesPerDay).toBe(true);
        expect(limits.timesPerMonth === null || used.timesInMonth < limits.timesPerMonth).toBe(true);
      }
      expect(spent.timesInBurst).toBeLessThan(BURST_MAX);
      expect(given.last?.isUnderWay || given.last?.hasOpenCase || given.last?.isPaidBack).toBeFalsy();
      expect(given.declines.inARow).toBeLessThan(DECLINES_MAX);
      expect(given.declines.lasting).toBeNull();
      expect(NOW.getTime() - reading!.at.getTime()).toBeLessThanOrEqual(times.balanceMaxAgeMs);
      if ('upToMinor' in of.recharge)
        expect(balance! + given.underWayMinor + amount <= of.recharge.upToMinor).toBe(true);
    }),
    { numRuns: 20_000 },
  );
  expect(recharges).toBeGreaterThan(500);
});

test('a lower balance never changes a recharge into nothing', () => {
  fc.assert(
    fc.property(someTerms, someFacts, minor(0n, 10_000n), (of, given, less) => {
      fc.pre(given.reading !== null);
      if (decideRule(of, given, times, NOW).decided !== 'recharge') return;
      const { minor: all, cashMinor: cash, at } = given.reading!;
      const reading = { minor: all - less, cashMinor: cash === null ? null : cash - less, at };
      const lower = { ...given, reading };
      expect(decideRule(of, lower, times, NOW).because).not.toBe('ENOUGH');
    }),
    { numRuns: 5_000 },
  );
});

describe('terms', () => {
  const faults = (over: Partial<RuleTerms>) => faultsOfTerms(terms(over), NOW).map(({ field }) => field);

  test('that cannot work are refused', () => {
    expect(faults({})).toEqual([]);
    expect(faults({ recharge: { upToMinor: 1_000n } })).toEqual(['recharge.upTo']);
    expect(faults({ recharge: { amountMinor: 999n } })).toEqual(['recharge.amount']);
    expect(faults({ recharge: { amountMinor: 1_000n } })).toEqual([]);
    expect(faults({ recharge: { amountMinor: 5_001n } })).toEqual(['caps.perRecharge']);
    expect(faults({ timeZone: 'Mars/Olympus' })).toEqual(['timeZone']);
    expect(faults({ quietHours: { from: '10:00', to: '10:00' } })).toEqual(['quietHours']);
    expect(faults({ expiresAt: NOW })).toEqual(['expiresAt']);
  });

  test('are stored and read back unchanged', () => {
    fc.assert(
      fc.property(someTerms, (of) => {
        expect(termsFromStore(JSON.parse(JSON.stringify(termsToStore(of))))).toEqual(of);
      }),
    );
    const ending = terms({ expiresAt: new Date('2027-01-01T00:00:00Z') });
    expect(termsFromStore(termsToStore(ending))).toEqual(ending);
  });
});
