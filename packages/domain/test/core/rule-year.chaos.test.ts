import { expect, test } from '@jest/globals';
import { BURST_MS, decideRule } from '../../src/core/rules/rule-decision.js';
import type { RuleFacts } from '../../src/core/rules/rule-facts.js';
import { monthStartOf } from '../../src/core/rules/rule-hours.js';
import type { RuleTerms } from '../../src/core/rules/rule-terms.js';
import { numbersFrom } from '../support/cloud-year.js';
import { terms } from '../support/rules.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const ACCOUNTS = 200;
/** The most recharges that a rule makes in a month. */
const RECENT = 60;
const LOOK_MS = 12 * HOUR_MS;
const LOOKS = (365 * DAY_MS) / LOOK_MS;
const times = { balanceMaxAgeMs: 2 * LOOK_MS, backoffMs: LOOK_MS * 2 };

const monthStarts = new Map<string, number>();
/** Months begin at hours that are looked at, so one look-up per day and zone is enough. */
function monthStart(nowMs: number, timeZone: string): number {
  const key = `${timeZone} ${Math.floor(nowMs / LOOK_MS)}`;
  const known = monthStarts.get(key) ?? monthStartOf(new Date(nowMs), timeZone).getTime();
  monthStarts.set(key, known);
  return known;
}

type MadeInYear = {
  atMs: number;
  amount: bigint;
  state: 'under way' | 'succeeded' | 'failed';
  endsAtMs: number;
};

/** An account of a cloud whose balance goes up and down, with a provider that answers late, declines or is away. */
class Account {
  readonly made: MadeInYear[] = [];
  balance: bigint;
  #reading: { minor: bigint; atMs: number } | null = null;
  #activeSinceMs = START_MS;
  #awayUntilMs = 0;
  #decliningUntilMs = 0;
  isPaused = false;
  dryLooks = 0;
  readonly reasons = new Map<string, number>();

  constructor(
    readonly of: RuleTerms,
    private readonly random: () => number,
  ) {
    this.balance = BigInt(Math.floor(2_000 + random() * 8_000));
  }

  lives(nowMs: number): void {
    const { random } = this;
    const season = 1 + Math.sin((nowMs / DAY_MS) * 0.9);
    this.balance -= BigInt(Math.floor(random() * 700 * season));
    if (random() < 0.006) this.#awayUntilMs = nowMs + 72 * HOUR_MS * random();
    if (random() < 0.001_2) this.#decliningUntilMs = nowMs + 144 * HOUR_MS;
    for (const one of this.made)
      if (one.state === 'under way' && one.endsAtMs <= nowMs) this.#end(one, nowMs);
    // If a reading is late or lost, the one before stays.
    if (nowMs >= this.#awayUntilMs && random() > 0.05) this.#reading = { minor: this.balance, atMs: nowMs };
    if (this.isPaused && random() < 0.05) {
      this.isPaused = false;
      this.#activeSinceMs = nowMs;
    }
    if (!this.isPaused) this.#look(nowMs);
  }

  #end(one: MadeInYear, nowMs: number): void {
    one.state = nowMs < this.#decliningUntilMs ? 'failed' : 'succeeded';
    if (one.state === 'succeeded') this.balance += one.amount;
  }

  #look(nowMs: number): void {
    const given = this.#facts(nowMs);
    const decision = decideRule(this.of, given, times, new Date(nowMs));
    this.reasons.set(decision.because, (this.reasons.get(decision.because) ?? 0) + 1);
    if (decision.pause !== null) this.isPaused = true;
    if (given.reading !== null && given.reading.minor < this.of.belowMinor && decision.because === 'ENOUGH')
      this.dryLooks++;
    if (decision.decided !== 'recharge') return;
    // The provider takes from minutes to a day and a half.
    const tookMs = this.random() < 0.9 ? this.random() * HOUR_MS : this.random() * 36 * HOUR_MS;
    this.#create({
      atMs: nowMs,
      amount: decision.amountMinor!,
      state: 'under way',
      endsAtMs: nowMs + tookMs,
    });
  }

  #create(one: MadeInYear): void {
    expect(this.made.filter(({ state }) => state === 'under way')).toEqual([]);
    this.made.push(one);
  }

  #facts(nowMs: number): RuleFacts {
    const since = (ms: number) => this.made.slice(-RECENT).filter(({ atMs }) => atMs > ms);
    const sum = (some: readonly MadeInYear[]) => some.reduce((total, { amount }) => total + amount, 0n);
    const day = since(nowMs - DAY_MS);
    const month = since(monthStart(nowMs, this.of.timeZone) - 1);
    const last = this.made.at(-1);
    const ended = since(this.#activeSinceMs).filter(({ state }) => state !== 'under way');
    const declined = ended.toReversed().findIndex(({ state }) => state === 'succeeded');
    const inARow = declined < 0 ? ended.length : declined;
    const underWay = last?.state === 'under way';
    return {
      ...{ isStopped: false, hasKey: true, target: 'agreed', burn: null },
      reading: this.#reading && {
        minor: this.#reading.minor,
        cashMinor: null,
        at: new Date(this.#reading.atMs),
      },
      underWayMinor: sum(
        this.made
          .slice(-2)
          .filter(
            (one) =>
              one.state === 'under way' ||
              (one.state === 'succeeded' && one.endsAtMs > (this.#reading?.atMs ?? 0)),
          ),
      ),
      last: last
        ? {
            at: new Date(last.atMs),
            isUnderWay: underWay,
            hasOpenCase: false,
            isPaidBack: false,
            isCanary: false,
          }
        : null,
      spending: {
        dayMinor: sum(day),
        timesInDay: day.length,
        dayFreeAt: day[0] ? new Date(day[0].atMs + DAY_MS) : null,
        monthMinor: sum(month),
        timesInMonth: month.length,
        timesInBurst: since(nowMs - BURST_MS).length,
      },
      wider: [],
      isNewPayee: false,
      declines: { inARow, lastAt: inARow > 0 ? new Date(ended.at(-1)!.endsAtMs) : null, lasting: null },
      activeSince: new Date(this.#activeSinceMs),
    };
  }
}

const someTerms = (random: () => number): RuleTerms => {
  const below = BigInt(Math.floor(1_000 + random() * 2_000));
  return terms({
    belowMinor: below,
    recharge:
      random() < 0.5
        ? { upToMinor: below + 3_000n }
        : { amountMinor: below + BigInt(Math.floor(random() * 2_000)) },
    caps: {
      perRechargeMinor: 6_000n,
      perDayMinor: random() < 0.2 ? 4_000n : 12_000n,
      perMonthMinor: random() < 0.2 ? 20_000n : 80_000n,
      timesPerDay: random() < 0.3 ? 1 : null,
      timesPerMonth: random() < 0.1 ? 6 : null,
    },
    cooldownSeconds: random() < 0.5 ? 100_000 : 0,
    quietHours: random() < 0.3 ? { from: '22:00', to: '06:00' } : null,
    timeZone: random() < 0.5 ? 'Asia/Shanghai' : 'UTC',
  });
};

test('a simulated year of 200 accounts passes no cap, and keeps every account filled that its caps let be filled', () => {
  const random = numbersFrom(7);
  const accounts = Array.from({ length: ACCOUNTS }, () => new Account(someTerms(random), random));
  let dry = 0;
  let looked = 0;
  for (let look = 0; look < LOOKS; look++) {
    const nowMs = START_MS + look * LOOK_MS;
    for (const account of accounts) {
      account.lives(nowMs);
      looked++;
    }
  }
  for (const { made, of, dryLooks } of accounts) {
    dry += dryLooks;
    for (const [nth, one] of made.entries()) {
      const before = made.slice(0, nth + 1);
      const sumSince = (ms: number) =>
        before.filter(({ atMs }) => atMs > ms).reduce((total, { amount }) => total + amount, 0n);
      expect(one.amount <= of.caps.perRechargeMinor).toBe(true);
      expect(sumSince(one.atMs - DAY_MS) <= of.caps.perDayMinor).toBe(true);
      const month = monthStart(one.atMs, of.timeZone);
      expect(sumSince(month - 1) <= of.caps.perMonthMinor).toBe(true);
    }
  }
  expect(dry).toBe(0);
  const reasons = new Set(accounts.flatMap((account) => [...account.reasons.keys()]));
  expect(reasons).toEqual(
    new Set([
      ...['BELOW_THRESHOLD', 'ENOUGH', 'UNDER_WAY', 'COOLDOWN', 'QUIET_HOURS', 'CAP_REACHED'],
      ...['BACK_OFF', 'BALANCE_UNKNOWN', 'DECLINED_REPEATEDLY'],
    ]),
  );
  expect(looked).toBe(ACCOUNTS * LOOKS);
});
