import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { monthStartOf } from '../../src/core/rules/rule-hours.js';
import type { Domain, RuleTerms } from '../../src/index.js';
import { type Books, deposit, openBooks, recharged, reportOf } from '../support/books.js';
import { numbersFrom } from '../support/cloud-year.js';
import { KEY_ROW, newRule, terms, VIEWER } from '../support/rules.js';

jest.setTimeout(900_000);

// A year of eight accounts takes some minutes. Usually a part of it runs.
const { RULE_YEAR_ACCOUNTS: accounts = '6', RULE_YEAR_DAYS: days = '50', SEED: seed = '11' } = process.env;
const DAY_MS = 86_400_000;
const LOOK_MS = DAY_MS / 2;
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const END_MS = START_MS + Number(days) * DAY_MS;

let books: Books;
let nowMs = START_MS;
let random: () => number;
let workers: Domain[];
beforeAll(async () => {
  random = numbersFrom(Number(seed));
  books = await openBooks();
  await books.rows(KEY_ROW);
  const open = () =>
    books.open({ ruleClock: () => new Date(nowMs), ruleLookMs: LOOK_MS, ruleBackoffMs: DAY_MS });
  workers = [open(), open()];
});
afterAll(() => books.close());

/** A wallet that is used up, and the rule on it. `underWay` are the recharges that the provider has. */
type Player = {
  accountId: string;
  ruleId: string;
  terms: RuleTerms;
  underWay: string[];
  declinesUntilMs: number;
};

const chance = (share: number): boolean => random() < share;
const between = (low: number, high: number): bigint => BigInt(Math.floor(low + random() * (high - low)));

async function joins(nth: number): Promise<Player> {
  const of = terms({
    belowMinor: between(500, 2_000),
    recharge: chance(0.5) ? { upToMinor: between(4_000, 9_000) } : { amountMinor: between(2_000, 4_000) },
    caps: {
      perRechargeMinor: 9_000n,
      perDayMinor: between(9_000, 20_000),
      perMonthMinor: between(15_000, 60_000),
      timesPerDay: chance(0.5) ? 3 : null,
      timesPerMonth: null,
    },
    cooldownSeconds: chance(0.5) ? 3_600 : 0,
    quietHours: chance(0.3) ? { from: '22:00', to: '06:00' } : null,
    timeZone: chance(0.5) ? 'Asia/Shanghai' : 'UTC',
  });
  const accountId = `acct-year-${nth}`;
  await deposit(books.domain, accountId, between(1_000, 6_000));
  const created = await workers[0]!.rules.create(newRule({ accountId, terms: of }));
  if (!created.ok) throw new Error(created.problem);
  return { accountId, ruleId: created.rule.id, terms: of, underWay: [], declinesUntilMs: 0 };
}

/** What happens between two looks: money is spent, and the provider answers late, declines or is away. */
async function lives(player: Player): Promise<void> {
  const { accountId } = player;
  const [wallet] = await books.rows<{ available: string }>(
    'select available from report.wallets where account_id = $1',
    [accountId],
  );
  const available = BigInt(wallet?.available ?? 0);
  const spent = between(0, Math.max(1, Math.min(Number(available), 1_500)));
  if (spent > 0n)
    await recharged(
      books.domain,
      { accountId, kind: 'deliver', paymentMethod: 'balance', amountMinor: spent },
      'submit',
      'settled',
    );
  if (chance(0.01)) player.declinesUntilMs = nowMs + 3 * DAY_MS;
  const isAway = chance(0.15);
  if (isAway) return;
  for (const id of player.underWay.splice(0)) {
    await books.domain.applyNews(reportOf(id, 'submit'));
    await books.domain.applyNews(reportOf(id, nowMs < player.declinesUntilMs ? 'declined' : 'settled'));
  }
}

/** Looks as several workers with doubled jobs do. A worker may die before it hears what it decided. */
async function looks(player: Player): Promise<void> {
  const jobs = chance(0.2) ? [...workers, ...workers] : [workers[chance(0.5) ? 0 : 1]!];
  await Promise.all(
    jobs.map((worker) =>
      worker.rules.look(player.ruleId, () => ({ provider: 'sandbox', providerAccount: 'main' })),
    ),
  );
  const made = await books.rows<{ id: string }>(
    `select id from recharge_transaction where account_id = $1 and kind = 'collect' and due_at is not null`,
    [player.accountId],
  );
  expect(made.length).toBeLessThanOrEqual(1);
  player.underWay = made.map(({ id }) => id);
  const rule = await workers[0]!.rules.one(player.ruleId, VIEWER);
  if (rule?.status === 'paused' && chance(0.2))
    await workers[0]!.rules.resume(player.ruleId, VIEWER, { keyId: rule.keyId, actor: 'books' });
}

type DecisionFound = Readonly<{
  at: Date;
  balance: string | null;
  decided: string;
  because: string;
  amount: string | null;
  transactionId: string | null;
  numbers: Record<string, string | number | null>;
}>;

/** Checks each decision of a year by its own numbers, and the sums of what was created by the caps. */
async function judges({ ruleId, terms: of }: Player): Promise<Record<string, number>> {
  const found = await books.rows<DecisionFound>(
    `select at, balance_minor as balance, decided, because, amount_minor as amount,
       transaction_id as "transactionId", numbers from rule_decision where rule_id = $1 order by seq`,
    [ruleId],
  );
  const counts: Record<string, number> = {};
  const made: { atMs: number; amount: bigint }[] = [];
  for (const { at, balance, decided, because, amount, numbers } of found) {
    counts[because] = (counts[because] ?? 0) + 1;
    const isShort = BigInt(balance!) < of.belowMinor;
    expect([because, isShort]).toEqual([because, because !== 'ENOUGH']);
    const dayMs = at.getTime() - DAY_MS;
    const monthMs = monthStartOf(at, of.timeZone).getTime();
    const sum = (sinceMs: number) =>
      made.filter(({ atMs }) => atMs > sinceMs).reduce((total, one) => total + one.amount, 0n);
    const [day, month] = [sum(dayMs), sum(monthMs - 1)];
    expect([numbers.spentInDay, numbers.spentInMonth]).toEqual([String(day), String(month)]);
    if (because === 'CAP_REACHED')
      expect(
        day + BigInt(amount!) > of.caps.perDayMinor ||
          month + BigInt(amount!) > of.caps.perMonthMinor ||
          Number(numbers.timesInDay) >= (of.caps.timesPerDay ?? Number.POSITIVE_INFINITY),
      ).toBe(true);
    if (decided !== 'recharge') continue;
    expect(BigInt(amount!) <= of.caps.perRechargeMinor).toBe(true);
    expect(day + BigInt(amount!) <= of.caps.perDayMinor).toBe(true);
    expect(month + BigInt(amount!) <= of.caps.perMonthMinor).toBe(true);
    made.push({ atMs: at.getTime(), amount: BigInt(amount!) });
  }
  return counts;
}

test(`${days} days of ${accounts} accounts: no cap is passed, one recharge is under way, and each decision is explained`, async () => {
  const players: Player[] = [];
  for (let nth = 0; nth < Number(accounts); nth++) players.push(await joins(nth));
  for (; nowMs < END_MS; nowMs += LOOK_MS) {
    // The wallets act one after the other, so that the seed alone decides what happens.
    for (const player of players) {
      await lives(player);
      await looks(player);
    }
  }
  const totals: Record<string, number> = {};
  for (const player of players)
    for (const [because, count] of Object.entries(await judges(player)))
      totals[because] = (totals[because] ?? 0) + count;
  expect(Object.keys(totals)).toEqual(
    expect.arrayContaining([
      'BELOW_THRESHOLD',
      'ENOUGH',
      'UNDER_WAY',
      'CAP_REACHED',
      'BACK_OFF',
      'DECLINED_REPEATEDLY',
    ]),
  );
  expect(await books.domain.verify()).toEqual([]);
});
