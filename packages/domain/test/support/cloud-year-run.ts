import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { decideRule, type RuleDecision } from '../../src/core/rules/rule-decision.js';
import type { RuleFacts } from '../../src/core/rules/rule-facts.js';
import { type Domain, type LookResult, openDomain, type RuleTerms } from '../../src/index.js';
import type { Books } from './books.js';
import {
  AGE_MAX_MS,
  BACKOFF_MS,
  CloudAccount,
  DAY_MS,
  LOOK_MS,
  numbersFrom,
  START_MS,
} from './cloud-year.js';
import { KEY_ROW, VIEWER } from './rules.js';

export type YearWishes = Readonly<{ accounts: number; days: number; seed: number }>;

/** How many accounts look at one moment. */
const WIDTH = 12;
/** Looks in flight when their worker is dropped, per half day. */
const DROPPED = 0.5;
/** The longest life of a worker that is dropped. */
const DROPPED_WITHIN_MS = 30;
const WEEK_LOOKS = 14;

/** Lets accounts live for a time, with two workers, doubled jobs and workers that are dropped. */
export class CloudYear {
  readonly accounts: readonly CloudAccount[];
  readonly counts: Record<string, number> = {};
  #nowMs = START_MS;
  readonly #pool = { left: 0n };
  readonly #workers: readonly Domain[];
  readonly #random: () => number;

  constructor(
    private readonly books: Books,
    { accounts, seed }: YearWishes,
  ) {
    this.accounts = Array.from({ length: accounts }, (_, nth) => new CloudAccount(nth, seed));
    this.#random = numbersFrom(seed);
    this.#workers = [books.open(this.#options()), books.open(this.#options())];
  }

  #options() {
    const times = { ruleLookMs: LOOK_MS, ruleBackoffMs: BACKOFF_MS };
    return { ruleClock: () => new Date(this.#nowMs), poolMax: 8, ...times };
  }

  /** A worker that the test itself closes, and not `books`. */
  #doomed(): Domain {
    const more = { databaseUrl: this.books.url, reconcileAfterMs: 60_000, providerTimeoutMs: 1_000 };
    return openDomain({ ...this.#options(), ...more });
  }

  #counted(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  async run(days: number): Promise<void> {
    await this.books.rows(KEY_ROW);
    await this.#each((account) => account.joins(this.#workers[0]!));
    const endMs = START_MS + days * DAY_MS;
    for (let look = 0; this.#nowMs < endMs; look++, this.#nowMs += LOOK_MS) {
      // The account that pays gets new money every week. At times it is not enough.
      if (look % WEEK_LOOKS === 0) this.#pool.left = BigInt(this.accounts.length) * 9_000n;
      await this.#happens();
      await this.#reads();
      const dropped = this.#random() < DROPPED ? Math.floor(this.#random() * this.accounts.length) : -1;
      await this.#each((account, nth) => this.#looks(account, nth === dropped));
    }
  }

  async #each(run: (account: CloudAccount, nth: number) => Promise<void>): Promise<void> {
    const left = this.accounts.entries();
    const lane = async () => {
      for (const [nth, account] of left) await run(account, nth);
    };
    await Promise.all(Array.from({ length: WIDTH }, lane));
  }

  /** Decides in the order of the accounts what happens to each, so that the seed alone determines it. */
  async #happens(): Promise<void> {
    const happened = this.accounts.map((account) => account.lives(this.#nowMs, this.#pool));
    const domain = this.#workers[0]!;
    await this.#each(async ({ ruleId }, nth) => {
      const { news, isResumed } = happened[nth]!;
      for (const report of news) await domain.applyNews(report);
      if (isResumed) await domain.rules.resume(ruleId, VIEWER, { keyId: null, actor: 'books' });
    });
    const ended = happened.flatMap(({ news }) => news.at(-1)?.transactionId ?? []);
    if (ended.length === 0) return;
    const ids = ended.map((id) => `'${id}'`).join(',');
    // The database's clock sets the end of a recharge. The simulated year is another one, so the time is corrected
    // here.
    await this.books.rows(`begin;
      set local session_replication_role = replica;
      update recharge_transaction set succeeded_at = '${new Date(this.#nowMs).toISOString()}'
      where id in (${ids}) and succeeded_at is not null;
      commit`);
  }

  /** The readings of all accounts, as their provider told them. */
  async #reads(): Promise<void> {
    const read = this.accounts.filter(({ reading }) => reading !== null);
    await this.books.rows(
      `insert into watched_account (provider, provider_account, account, currency, balance_minor, read_at)
       select 'alibaba_cloud', 'main', account, 'USD', minor, at
       from unnest($1::text[], $2::bigint[], $3::timestamptz[]) as told (account, minor, at)
       on conflict (provider, provider_account, account, currency)
       do update set balance_minor = excluded.balance_minor, read_at = excluded.read_at`,
      [
        read.map(({ accountId }) => accountId),
        read.map(({ reading }) => String(reading!.minor)),
        read.map(({ reading }) => new Date(reading!.atMs)),
      ],
    );
  }

  /** Looks as workers with doubled jobs do. A dropped worker may have filed its decision, or not. */
  async #looks(account: CloudAccount, isDropped: boolean): Promise<void> {
    if (!account.isActive) return this.#counted('looks of paused rules');
    const isDoubled = account.chance(0.2);
    const first = account.chance(0.5) ? 0 : 1;
    const jobs = isDoubled ? [...this.#workers, ...this.#workers] : [this.#workers[first]!];
    if (isDropped) await this.#lookOfDropped(account);
    if (isDoubled) this.#counted('doubled jobs');
    const looked = await Promise.all(jobs.map((worker) => worker.rules.look(account.ruleId, () => null)));
    const filed = looked.filter((one): one is LookResult => one !== null);
    expect(filed.length).toBeGreaterThan(0);
    for (const one of filed.sort((a, b) => a.decision.seq - b.decision.seq)) this.#hears(account, one);
  }

  #hears(account: CloudAccount, { decision, pause }: Pick<LookResult, 'decision' | 'pause'>): void {
    account.hears(decision, this.#nowMs);
    if (pause !== null) account.isActive = false;
    this.#counted(decision.because);
  }

  /**
   * Lets a worker look at an account, and closes the worker meanwhile. How far the look gets depends on the machine.
   */
  async #lookOfDropped(account: CloudAccount): Promise<void> {
    const doomed = this.#doomed();
    // The worker connects first, so that its close interrupts the look and not the connecting.
    await doomed.ping();
    const job = doomed.rules
      .look(account.ruleId, () => null)
      .then(
        (looked) => looked !== null,
        () => false,
      );
    await delay(Math.floor(this.#random() * DROPPED_WITHIN_MS));
    await doomed.close();
    const isFiled = await job;
    this.#counted(isFiled ? 'dropped after filing' : 'dropped before filing');
    const found = await this.#workers[0]!.rules.decisions(account.ruleId, { beforeSeq: null, limit: 1 });
    const newest = found.rows[0];
    const isOfNow = newest?.at.getTime() === this.#nowMs;
    expect(isOfNow || !isFiled).toBe(true);
    if (isOfNow) this.#hears(account, { decision: { ...newest!, provider: null }, pause: null });
  }

  /** Checks all decisions against what this test saw: by their own numbers, and by the caps. */
  async judge(): Promise<void> {
    for (const account of this.accounts) {
      const { ruleId, terms, made } = account;
      const kept = await this.books.rows<KeptDecision>(
        `select rule_id as "ruleId", seq, at, decided, because, amount_minor as amount,
           transaction_id as "transactionId", numbers
         from rule_decision where rule_id = $1 order by seq`,
        [ruleId],
      );
      for (const one of kept) {
        const { decided, because, amountMinor } = takenAgain(terms, one);
        expect([one.seq, decided, because, amountMinor?.toString() ?? null]).toEqual([
          ...[one.seq, one.decided, one.because, one.amount],
        ]);
      }
      expect(kept.flatMap(({ transactionId }) => transactionId ?? [])).toEqual(made.map(({ id }) => id));
      judgeCaps(account);
      this.counts.decisions = (this.counts.decisions ?? 0) + kept.length;
      this.counts.recharges = (this.counts.recharges ?? 0) + made.length;
    }
  }
}

/** No window that ends with a recharge holds more than its cap. */
function judgeCaps(account: CloudAccount): void {
  const { caps } = account.terms;
  for (const [nth, { atMs, amount }] of account.made.entries()) {
    const until = account.made.slice(0, nth + 1);
    const [day, month] = [atMs - DAY_MS, account.monthStart(atMs) - 1].map((from) => {
      const inWindow = until.filter((one) => one.atMs > from);
      return { sum: inWindow.reduce((sum, one) => sum + one.amount, 0n), times: inWindow.length };
    });
    expect(amount <= caps.perRechargeMinor).toBe(true);
    expect(day!.sum <= caps.perDayMinor && month!.sum <= caps.perMonthMinor).toBe(true);
    expect(day!.times).toBeLessThanOrEqual(caps.timesPerDay ?? Number.POSITIVE_INFINITY);
    expect(month!.times).toBeLessThanOrEqual(caps.timesPerMonth ?? Number.POSITIVE_INFINITY);
  }
}

/** A decision as its row holds it. */
type KeptDecision = Readonly<{
  ruleId: string;
  seq: number;
  at: Date;
  decided: string;
  because: string;
  amount: string | null;
  transactionId: string | null;
  numbers: Readonly<Record<string, never>>;
}>;

const dateOf = (text: unknown): Date | null => (text == null ? null : new Date(text as string));

/** The facts of a decision, read back from its numbers alone. */
function factsOf(numbers: Readonly<Record<string, unknown>>): RuleFacts {
  const [big, count] = [
    (name: string) => BigInt(numbers[name] as string),
    (name: string) => Number(numbers[name]),
  ];
  const balanceAt = dateOf(numbers.balanceAt);
  const lastAt = dateOf(numbers.lastAt);
  return {
    isStopped: numbers.isStopped === true,
    hasKey: numbers.keyIsGone !== true,
    target: (numbers.target as RuleFacts['target'] | undefined) ?? 'agreed',
    isNewPayee: numbers.isNewPayee === true,
    reading: balanceAt && {
      minor: big('available'),
      cashMinor: numbers.cash == null ? null : big('cash'),
      at: balanceAt,
    },
    underWayMinor: big('underWay'),
    last: lastAt && {
      at: lastAt,
      isUnderWay: numbers.lastIsUnderWay === true,
      hasOpenCase: numbers.lastHasOpenCase === true,
      isPaidBack: numbers.lastIsPaidBack === true,
      isCanary: numbers.lastIsCanary === true,
    },
    spending: {
      dayMinor: big('spentInDay'),
      timesInDay: count('timesInDay'),
      dayFreeAt: dateOf(numbers.dayFreeAt),
      monthMinor: big('spentInMonth'),
      timesInMonth: count('timesInMonth'),
      timesInBurst: count('timesInBurst'),
    },
    wider: [],
    declines: {
      inARow: count('declines'),
      lastAt: dateOf(numbers.lastDeclineAt),
      lasting: (numbers.lastingDecline as RuleFacts['declines']['lasting'] | undefined) ?? null,
    },
    burn: numbers.burnPerDay == null ? null : { perDayMinor: big('burnPerDay'), days: count('burnDays') },
    activeSince: dateOf(numbers.activeSince)!,
  };
}

/** Takes a decision again from the numbers that it was kept with. */
const takenAgain = (of: RuleTerms, { numbers, at }: KeptDecision): RuleDecision =>
  decideRule(of, factsOf(numbers), { balanceMaxAgeMs: AGE_MAX_MS, backoffMs: BACKOFF_MS }, at);
