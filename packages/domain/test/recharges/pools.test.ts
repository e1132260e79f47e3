import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { News, RechargeReport, ReportResult } from '../../src/index.js';
import { type Books, openBooks } from '../support/books.js';
import { newDeliveries } from '../support/deliveries.js';

let books: Books;
beforeEach(async () => {
  books = await openBooks();
});
afterEach(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

const MINUTE_MS = 60_000;
const claim = (transactionId: string, over: Partial<RechargeReport> = {}) =>
  books.domain.applyNews({
    ...{ transactionId, news: 'submit', source: 'submission', reason: 'as tested' },
    limits: { poolReadWithinMs: MINUTE_MS },
    ...over,
  });
const tell = (transactionId: string, news: News, over: Partial<RechargeReport> = {}) =>
  books.domain.applyNews({ transactionId, news, source: 'poll', reason: 'as tested', ...over });
const holds = (transferableMinor: bigint, tookMs = 0) =>
  books.domain.pools.record({
    ...{ provider: 'alibaba_cloud', providerAccount: 'main', currency: 'CNY' },
    ...{ transferableMinor, tookMs },
  });
const isWon = ({ claim: won }: ReportResult) => won !== null;
const deliveries = (...amounts: bigint[]) =>
  newDeliveries(
    books,
    amounts.map((amountMinor, n) => ({ to: `fa-${n}`, amountMinor })),
  );
const due = async () =>
  (
    await books.rows<{ id: string }>(`select id from recharge_transaction where due_at <= now() order by id`)
  ).map(({ id }) => id);

test('of 50 orders at one moment a pool for 30 pays 30, the others wait, and all succeed once there is more', async () => {
  const ids = await deliveries(...Array.from({ length: 50 }, () => 100n));
  await holds(3_000n);
  const results = await Promise.all(ids.map((id) => claim(id)));
  expect(results.filter(isWon)).toHaveLength(30);
  expect(results.filter(({ held }) => held === 'SOURCE_FUNDS')).toHaveLength(20);
  expect(ids.filter((_, n) => isWon(results[n]!))).toEqual(ids.slice(0, 30));
  expect(await books.domain.pools.waiting()).toEqual([{ provider: 'alibaba_cloud', count: 20 }]);
  for (const id of ids.slice(0, 30)) await tell(id, 'settled');
  // Settled money is still reserved against the old reading.
  expect((await claim(ids[30]!)).held).toBe('SOURCE_FUNDS');
  expect(await holds(0n)).toBe(0);
  expect(await holds(2_000n)).toBe(20);
  expect(await due()).toEqual(ids.slice(30));
  const again = await Promise.all(ids.slice(30).map((id) => claim(id)));
  expect(again.filter(isWon)).toHaveLength(20);
});

test('a large order at the head is not overtaken by small ones', async () => {
  const [large, small] = (await deliveries(500n, 100n)) as [string, string];
  await holds(300n);
  expect((await claim(small)).held).toBe('SOURCE_FUNDS');
  expect((await claim(large)).held).toBe('SOURCE_FUNDS');
  expect(await holds(500n)).toBe(1);
  expect(await due()).toEqual([large]);
  expect(isWon(await claim(large))).toBe(true);
  expect((await claim(small)).held).toBe('SOURCE_FUNDS');
});

test('money that the provider found missing is waited for, and is not reserved', async () => {
  const [first, second] = (await deliveries(100n, 100n)) as [string, string];
  await holds(100n);
  await claim(first);
  await tell(first, 'unknown', {
    nextStep: 'submit',
    waiting: { reason: 'SOURCE_FUNDS' },
    source: 'submission',
  });
  expect((await claim(second)).held).toBe('SOURCE_FUNDS');
  await holds(200n);
  expect(isWon(await claim(first))).toBe(true);
  expect(isWon(await claim(second))).toBe(true);
});

test('nothing is taken by an old reading, or without one', async () => {
  const [id] = (await deliveries(100n)) as [string];
  expect((await claim(id)).held).toBe('SOURCE_FUNDS');
  await holds(1_000n, 2 * MINUTE_MS);
  expect((await claim(id)).held).toBe('SOURCE_FUNDS');
  await holds(1_000n);
  expect(isWon(await claim(id))).toBe(true);
});

test('a payee with a source of its own takes nothing from the pool', async () => {
  const [id] = (await newDeliveries(books, [{ from: 'fa-other' }])) as [string];
  expect(isWon(await claim(id))).toBe(true);
});

test('an older reading does not replace a newer one', async () => {
  await holds(500n);
  await holds(100n, MINUTE_MS);
  expect(await books.domain.pools.levels()).toMatchObject([{ transferableMinor: 500n }]);
});
