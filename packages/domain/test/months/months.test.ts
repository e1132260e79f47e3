import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AccountMonth, MonthLine } from '../../src/index.js';
import { type Books, deposit, newRefund, openBooks, recharged, reportOf } from '../support/books.js';
import { writeHistory } from '../support/wallet-history.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const HOUR_MS = 3_600_000;

async function opened(accountId: string, month: string, currency?: string): Promise<AccountMonth> {
  const found = await books.domain.accountMonths.open({ accountId, month, currency });
  if (!found.ok) throw new Error(found.problem);
  return found.month;
}

async function linesOf(month: AccountMonth): Promise<MonthLine[]> {
  const all: MonthLine[] = [];
  for await (const lines of month.lines()) all.push(...lines);
  return all;
}

const thisMonth = (): string => new Date().toISOString().slice(0, 7);

const zoned = (accountId: string, timeZone: string) =>
  books.domain.accountMonths.setTimeZone({ accountId, timeZone, setBy: 'operator' });

describe('the lines', () => {
  test('are the postings of available money in their order, each with its kind', async () => {
    const accountId = 'acct-kinds';
    const { domain } = books;
    const collect = await deposit(domain, accountId, 1_000n);
    const paid = { accountId, kind: 'deliver', paymentMethod: 'balance' } as const;
    const failed = await recharged(domain, { ...paid, amountMinor: 300n }, 'submit', 'declined');
    const done = await recharged(domain, { ...paid, amountMinor: 200n }, 'submit', 'settled');
    const refund = await domain.createRefund(newRefund(collect, { amountMinor: 100n }));
    if (!refund.ok) throw new Error(refund.problem);
    const recall = await domain.createRefund(newRefund(done, { amountMinor: 50n }));
    if (!recall.ok) throw new Error(recall.problem);
    for (const news of ['submit', 'settled'] as const)
      await domain.applyNews(reportOf(recall.refund.id, news));
    const month = await opened(accountId, thisMonth());
    const lines = await linesOf(month);
    expect(lines.map((one) => [one.kind, one.transactionId, one.amountMinor, one.balanceMinor])).toEqual([
      ['collect', collect, 1_000n, 1_000n],
      ['hold', failed, -300n, 700n],
      ['reverse', failed, 300n, 1_000n],
      ['hold', done, -200n, 800n],
      ['hold', refund.refund.id, -100n, 700n],
      ['recall', recall.refund.id, 50n, 750n],
    ]);
    expect(lines.map((one) => one.refundOf)).toEqual([null, null, null, null, collect, done]);
    expect([month.openingMinor, month.currency]).toEqual([0n, 'USD']);
  });

  test('are all there, once, over many reads of both sides', async () => {
    const from = new Date('2026-03-01T00:00:00Z');
    await writeHistory(books, { accountId: 'acct-long', count: 1_501, from, everyMs: 1_000 });
    const lines = await linesOf(await opened('acct-long', '2026-03'));
    expect(lines).toHaveLength(1_501);
    let balance = 0n;
    for (const line of lines) {
      balance += line.amountMinor;
      expect(line.balanceMinor).toBe(balance);
    }
    expect(new Set(lines.map(({ id }) => id)).size).toBe(1_501);
  });

  test('of one moment are in the order of their ids', async () => {
    const from = new Date('2026-03-01T00:00:00Z');
    await writeHistory(books, { accountId: 'acct-at-once', count: 700, from, everyMs: 0 });
    const lines = await linesOf(await opened('acct-at-once', '2026-03'));
    expect(lines.map(({ id }) => id)).toEqual(lines.map(({ id }) => id).toSorted((a, b) => Number(a - b)));
    expect(lines).toHaveLength(700);
  });

  test('that are posted while a statement is read come in the next one', async () => {
    await deposit(books.domain, 'acct-moving', 10n);
    const month = await opened('acct-moving', thisMonth());
    await deposit(books.domain, 'acct-moving', 7n);
    expect((await linesOf(month)).map(({ amountMinor }) => amountMinor)).toEqual([10n]);
    expect(await linesOf(await opened('acct-moving', thisMonth()))).toHaveLength(2);
  });
});

describe('a month', () => {
  test('before the first entry is empty and opens with 0', async () => {
    await deposit(books.domain, 'acct-young', 10n);
    const month = await opened('acct-young', '2001-02');
    expect([month.openingMinor, await linesOf(month)]).toEqual([0n, []]);
  });

  test('without entries opens with the closing balance of the one before', async () => {
    const from = new Date('2026-01-31T23:00:00Z');
    await writeHistory(books, { accountId: 'acct-gap', count: 2, from, everyMs: 1_000 });
    const month = await opened('acct-gap', '2026-04');
    expect([month.openingMinor, await linesOf(month)]).toEqual([20n, []]);
  });

  test('that has not begun is refused', async () => {
    const found = await books.domain.accountMonths.open({ accountId: 'acct-1', month: '2999-01' });
    expect(found).toEqual({ ok: false, problem: 'month_ahead', timeZone: 'UTC' });
  });

  test.each([
    ['none', []],
    ['two', ['EUR', 'USD']],
  ] as const)('needs a currency where the account has %s', async (count, currencies) => {
    const accountId = `acct-has-${count}`;
    for (const currency of currencies)
      await recharged(books.domain, { accountId, currency, amountMinor: 5n }, 'submit', 'settled');
    expect(await books.domain.accountMonths.open({ accountId, month: thisMonth() })).toEqual({
      ok: false,
      problem: 'currency_needed',
      currencies,
    });
    const month = await opened(accountId, thisMonth(), 'EUR');
    expect((await linesOf(month)).map((one) => one.amountMinor)).toEqual(count === 'two' ? [5n] : []);
  });
});

describe('the time zone', () => {
  test('is UTC, that of Beijing for a payee at Alibaba Cloud, or the one that was set', async () => {
    const bounds = async () => {
      const { timeZone, from, to } = await opened('acct-zone', '2026-10', 'CNY');
      return [timeZone, from.toISOString(), to.toISOString()];
    };
    expect(await bounds()).toEqual(['UTC', '2026-10-01T00:00:00.000Z', '2026-11-01T00:00:00.000Z']);
    const payee = { provider: 'alibaba_cloud', providerAccount: 'main', from: null, to: 'fa-1' };
    await books.domain.payees.set({ ...payee, accountId: 'acct-zone', currency: 'CNY' }, 'operator');
    expect(await bounds()).toEqual(['Asia/Shanghai', '2026-09-30T16:00:00.000Z', '2026-10-31T16:00:00.000Z']);
    await zoned('acct-zone', 'Europe/Berlin');
    expect(await bounds()).toEqual(['Europe/Berlin', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z']);
  });

  test('that was set can be forgotten, and one that the database does not know is refused', async () => {
    const { accountMonths } = books.domain;
    expect(await zoned('acct-forgets', 'Asia/Tokyo')).toBe(true);
    expect(await zoned('acct-forgets', 'Mars/Base')).toBe(false);
    expect(await accountMonths.timeZoneOf('acct-forgets')).toEqual({ timeZone: 'Asia/Tokyo', isSet: true });
    expect(await accountMonths.clearTimeZone('acct-forgets')).toBe(true);
    expect(await accountMonths.clearTimeZone('acct-forgets')).toBe(false);
    expect(await accountMonths.timeZoneOf('acct-forgets')).toEqual({ timeZone: 'UTC', isSet: false });
  });

  // A day of these months has 23 or 25 hours, so the month has an hour less or more.
  test.each([
    ['2026-03', 31 * 24 - 1],
    ['2026-10', 31 * 24 + 1],
    ['2026-11', 30 * 24],
  ])('makes %s a month of %d hours, and each entry belongs to one month', async (month, hours) => {
    const accountId = `acct-hours-${month}`;
    await zoned(accountId, 'Europe/Berlin');
    const { from, to } = await opened(accountId, month, 'USD');
    expect((to.getTime() - from.getTime()) / HOUR_MS).toBe(hours);
    await writeHistory(books, {
      accountId,
      count: hours + 48,
      from: new Date(from.getTime() - 24 * HOUR_MS),
      everyMs: HOUR_MS,
    });
    const inside = await linesOf(await opened(accountId, month));
    expect(inside).toHaveLength(hours);
    expect([inside[0]!.at, inside.at(-1)!.at]).toEqual([from, new Date(to.getTime() - HOUR_MS)]);
  });

  test('lets adjacent statements meet: the closing balance of one is the opening balance of the next', async () => {
    await zoned('acct-meet', 'America/New_York');
    const from = new Date('2025-12-31T00:00:00Z');
    await writeHistory(books, { accountId: 'acct-meet', count: 900, from, everyMs: 7 * HOUR_MS });
    let closing = 0n;
    let count = 0;
    for (const number of ['12', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10']) {
      const month = await opened('acct-meet', `${number === '12' ? 2025 : 2026}-${number}`);
      expect(month.openingMinor).toBe(closing);
      const lines = await linesOf(month);
      closing = lines.at(-1)?.balanceMinor ?? closing;
      count += lines.length;
    }
    expect(count).toBe(900);
  });
});
