import { expect } from '@jest/globals';
import type { News } from '../../src/core/recharge.js';
import { monthStartOf, quietUntil } from '../../src/core/rules/rule-hours.js';
import type { Domain, RechargeReport, RuleTerms } from '../../src/index.js';
import { reportOf } from './books.js';
import { newRule, terms, toCloud } from './rules.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const LOOK_MS = DAY_MS / 2;
/** Two looks. An older balance decides nothing. */
export const AGE_MAX_MS = 2 * LOOK_MS;
export const BACKOFF_MS = DAY_MS;
export const START_MS = Date.parse('2027-01-01T00:00:00Z');

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
export function numbersFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What happened to an account between two looks. */
export type Happened = Readonly<{ news: readonly RechargeReport[]; isResumed: boolean }>;

type MadeAtCloud = {
  id: string;
  atMs: number;
  amount: bigint;
  endsAtMs: number;
  endedAtMs: number | null;
  isDeclined: boolean;
};

/** What became of one look, as the test saw it. */
type Looked = Readonly<{
  balanceMinor: bigint | null;
  because: string;
  amountMinor: bigint | null;
  transactionId: string | null;
}>;

/**
 * A simulated cloud account whose money is used up, and the rule that fills it. It records what the provider did, and
 * checks the decisions of the rule by that record.
 */
export class CloudAccount {
  readonly made: MadeAtCloud[] = [];
  readonly accountId: string;
  readonly terms: RuleTerms;
  ruleId = '';
  balance: bigint;
  reading: Readonly<{ minor: bigint; atMs: number }> | null = null;
  isActive = true;
  resumedAtMs = START_MS;
  readonly #random: () => number;
  #awayUntilMs = 0;
  #decliningUntilMs = 0;

  constructor(nth: number, seed: number) {
    this.#random = numbersFrom(seed * 10_007 + nth);
    this.accountId = `acct-year-${nth}`;
    this.terms = this.#someTerms();
    this.balance = this.between(2_000, 10_000);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  between(low: number, high: number): bigint {
    return BigInt(Math.floor(low + this.#random() * (high - low)));
  }

  #someTerms(): RuleTerms {
    const below = this.between(1_000, 3_000);
    return terms({
      belowMinor: below,
      recharge: this.chance(0.5)
        ? { upToMinor: below + 3_000n }
        : { amountMinor: below + this.between(0, 2_000) },
      caps: {
        perRechargeMinor: 6_000n,
        perDayMinor: this.chance(0.2) ? 5_000n : 12_000n,
        perMonthMinor: this.chance(0.2) ? 20_000n : 80_000n,
        timesPerDay: this.chance(0.3) ? 1 : null,
        timesPerMonth: this.chance(0.1) ? 6 : null,
      },
      cooldownSeconds: this.chance(0.3) ? 100_000 : 0,
      quietHours: this.chance(0.3) ? { from: '22:00', to: '06:00' } : null,
      timeZone: this.chance(0.5) ? 'Asia/Shanghai' : 'UTC',
    });
  }

  async joins({ rules, payees }: Domain): Promise<void> {
    const { accountId } = this;
    await payees.set(
      {
        accountId,
        provider: 'alibaba_cloud',
        providerAccount: 'main',
        to: accountId,
        from: null,
        currency: 'USD',
      },
      'books',
    );
    const made = await rules.create(
      newRule({ accountId, watch: 'cloud', recharge: toCloud, terms: this.terms }),
    );
    if (!made.ok) throw new Error(made.problem);
    this.ruleId = made.rule.id;
  }

  /** Half a day passes: money is used, the provider answers late, declines or is away, and the balance is read or not. */
  lives(nowMs: number, pool: { left: bigint }): Happened {
    const season = 1 + Math.sin((nowMs / DAY_MS) * 0.9);
    const before = { minor: this.balance, atMs: nowMs - LOOK_MS };
    this.balance -= this.between(0, 700 * season);
    if (this.chance(0.006)) this.#awayUntilMs = nowMs + Number(this.between(0, 72)) * HOUR_MS;
    if (this.chance(0.004)) this.#decliningUntilMs = nowMs + 144 * HOUR_MS;
    const isAway = nowMs < this.#awayUntilMs;
    const last = this.made.at(-1);
    const news = last && !isAway ? this.#ends(last, nowMs, pool) : [];
    // A late answer gives the balance as it was half a day earlier. A lost answer leaves the previous reading.
    const isRead = !isAway && this.chance(0.95);
    if (isRead) this.reading = this.chance(0.1) ? before : { minor: this.balance, atMs: nowMs };
    const isResumed = !this.isActive && this.chance(0.1);
    if (isResumed) Object.assign(this, { isActive: true, resumedAtMs: nowMs });
    return { news: news.map((one) => reportOf(last!.id, one)), isResumed };
  }

  #ends(one: MadeAtCloud, nowMs: number, pool: { left: bigint }): News[] {
    if (one.endedAtMs !== null || one.endsAtMs > nowMs) return [];
    const isDeclined = nowMs < this.#decliningUntilMs;
    // The account that pays is empty, so the recharge waits.
    if (!isDeclined && pool.left < one.amount) return [];
    Object.assign(one, { endedAtMs: nowMs, isDeclined });
    if (!isDeclined) {
      pool.left -= one.amount;
      this.balance += one.amount;
    }
    return [
      'submit',
      ...(this.chance(0.2) ? (['unknown'] as const) : []),
      isDeclined ? 'declined' : 'settled',
    ];
  }

  /** Takes over what a look filed, and compares it with the record of this account. */
  hears({ balanceMinor, because, amountMinor, transactionId }: Looked, nowMs: number): void {
    const may = this.#mayRecharge(nowMs);
    if (because === 'ENOUGH') expect(balanceMinor! + this.underWay() >= this.terms.belowMinor).toBe(true);
    if (may)
      expect([this.accountId, new Date(nowMs), because]).toEqual([
        this.accountId,
        new Date(nowMs),
        'BELOW_THRESHOLD',
      ]);
    if (transactionId === null) return;
    this.#expectFree(nowMs);
    const tookMs = this.chance(0.8) ? 0 : Number(this.between(1, 36)) * HOUR_MS;
    this.made.push({
      ...{ id: transactionId, atMs: nowMs, amount: amountMinor!, endsAtMs: nowMs + LOOK_MS + tookMs },
      ...{ endedAtMs: null, isDeclined: false },
    });
  }

  /** Called for each recharge: expects that nothing forbade it. */
  #expectFree(nowMs: number): void {
    const { made, reading, terms: of } = this;
    expect(made.filter(({ endedAtMs }) => endedAtMs === null)).toEqual([]);
    expect(nowMs - reading!.atMs).toBeLessThanOrEqual(AGE_MAX_MS);
    expect(reading!.minor + this.underWay() < of.belowMinor).toBe(true);
    expect(quietUntil(new Date(nowMs), of.quietHours, of.timeZone)).toBeNull();
    const last = made.at(-1);
    if (last) expect(last.atMs + of.cooldownSeconds * 1_000).toBeLessThanOrEqual(nowMs);
  }

  sumSince(fromMs: number): bigint {
    return this.made.reduce((sum, one) => (one.atMs > fromMs ? sum + one.amount : sum), 0n);
  }

  timesSince(fromMs: number): number {
    return this.made.filter(({ atMs }) => atMs > fromMs).length;
  }

  /** What is on its way to the balance that was read. */
  underWay(): bigint {
    const readAtMs = this.reading?.atMs ?? 0;
    return this.made.reduce(
      (sum, one) =>
        one.endedAtMs === null || (!one.isDeclined && one.endedAtMs > readAtMs) ? sum + one.amount : sum,
      0n,
    );
  }

  /** Whether nothing forbids a recharge now. It does not use the code under test. */
  #mayRecharge(nowMs: number): boolean {
    const { reading, terms: of, made } = this;
    if (!this.isActive || reading === null || nowMs - reading.atMs > AGE_MAX_MS) return false;
    if (reading.minor + this.underWay() >= of.belowMinor) return false;
    const last = made.at(-1);
    if (last && (last.endedAtMs === null || last.atMs + of.cooldownSeconds * 1_000 > nowMs)) return false;
    if (quietUntil(new Date(nowMs), of.quietHours, of.timeZone) !== null) return false;
    if (last?.isDeclined && last.atMs >= this.resumedAtMs) return false;
    return this.#capsAllow(nowMs);
  }

  #capsAllow(nowMs: number): boolean {
    const { caps, recharge: how, belowMinor } = this.terms;
    const [day, month] = [nowMs - DAY_MS, this.monthStart(nowMs) - 1];
    const there = this.reading!.minor + this.underWay();
    const wanted = 'upToMinor' in how ? how.upToMinor - there : how.amountMinor;
    const least = 'upToMinor' in how ? belowMinor - there : how.amountMinor;
    const whole = lesser(wanted, caps.perRechargeMinor);
    const needed = lesser(least, whole);
    return (
      this.sumSince(day) + needed <= caps.perDayMinor &&
      this.sumSince(month) + needed <= caps.perMonthMinor &&
      (caps.timesPerDay === null || this.timesSince(day) < caps.timesPerDay) &&
      (caps.timesPerMonth === null || this.timesSince(month) < caps.timesPerMonth)
    );
  }

  monthStart(nowMs: number): number {
    return monthStartOf(new Date(nowMs), this.terms.timeZone).getTime();
  }
}

const lesser = (one: bigint, other: bigint): bigint => (one < other ? one : other);
