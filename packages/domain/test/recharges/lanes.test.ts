import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { News, RechargeReport, ReportResult } from '../../src/index.js';
import { type Books, openBooks } from '../support/books.js';
import { newDeliveries } from '../support/deliveries.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

let nth = 0;
const lane = (count: number) => {
  const to = `fa-${nth++}`;
  return newDeliveries(
    books,
    Array.from({ length: count }, () => ({ to })),
  );
};
const claim = (transactionId: string, over: Partial<RechargeReport> = {}, domain = books.domain) =>
  domain.applyNews({
    ...{ transactionId, news: 'submit', source: 'submission', reason: 'as tested' },
    limits: { poolReadWithinMs: null },
    ...over,
  });
const tell = (transactionId: string, news: News, over: Partial<RechargeReport> = {}) =>
  books.domain.applyNews({ transactionId, news, source: 'poll', reason: 'as tested', ...over });
const row = async (id: string) =>
  (
    await books.rows<{ state: string; reason: string | null; attempt: number; isDue: boolean }>(
      `select state, waiting ->> 'reason' as reason, attempt, due_at <= now() as "isDue"
      from recharge_transaction where id = $1`,
      [id],
    )
  )[0]!;
const isWon = ({ claim: won }: ReportResult) => won !== null;

test('a lane has one order at a time, in the order of ids', async () => {
  const [first, second, third] = (await lane(3)) as [string, string, string];
  expect(await claim(third)).toMatchObject({ claim: null, held: 'LANE', state: 'CREATED', verdict: 'stale' });
  expect(isWon(await claim(first))).toBe(true);
  expect(await claim(second)).toMatchObject({ claim: null, held: 'LANE' });
  expect(await row(second)).toEqual({ state: 'CREATED', reason: 'LANE', attempt: 0, isDue: false });
  await tell(first, 'settled');
  expect(await row(second)).toMatchObject({ isDue: true });
  expect(await row(third)).toMatchObject({ isDue: false });
  expect(isWon(await claim(second))).toBe(true);
  expect(await row(second)).toMatchObject({ state: 'SUBMITTED', reason: null, attempt: 1 });
  await tell(second, 'accepted');
  expect((await claim(third)).held).toBe('LANE');
  await tell(second, 'declined');
  expect(isWon(await claim(third))).toBe(true);
});

test('the answer of a claim frees the lane without a read', async () => {
  const [first, second] = (await lane(2)) as [string, string];
  const { claim: won } = await claim(first);
  await tell(first, 'settled', { source: 'submission', seen: won!.seen });
  expect(await row(second)).toMatchObject({ isDue: true });
});

test('the time since when a recharge waits is that of the first claim', async () => {
  const [first, second] = (await lane(2)) as [string, string];
  const since = async () =>
    (
      await books.rows<{ since: string }>(
        `select waiting ->> 'since' as since from recharge_transaction where id = $1`,
        [second],
      )
    )[0]!.since;
  await claim(first);
  await claim(second);
  const before = await since();
  await claim(second);
  expect([Date.parse(before) > 0, await since()]).toEqual([true, before]);
});

test('an order whose lane it holds already may be sent again', async () => {
  const [first] = (await lane(2)) as [string];
  await claim(first);
  await tell(first, 'unknown', { nextStep: 'submit' });
  expect(isWon(await claim(first))).toBe(true);
});

test('of 20 claims at one moment by several processes one is granted, and the others harm nobody', async () => {
  const [first, second] = (await lane(2)) as [string, string];
  const free = await Promise.all(Array.from({ length: 8 }, async () => (await lane(1))[0]!));
  const domains = [books.domain, books.open(), books.open()];
  const claims = Array.from({ length: 20 }, (_, n) => claim(n % 2 ? first : second, {}, domains[n % 3]!));
  const others = free.map((id, n) => claim(id, {}, domains[n % 3]!));
  expect((await Promise.all(claims)).filter(isWon).map(({ claim: won }) => won!.transactionId)).toEqual([
    first,
  ]);
  expect((await Promise.all(others)).filter(isWon)).toHaveLength(8);
  await tell(first, 'settled');
  expect(isWon(await claim(second))).toBe(true);
  await tell(second, 'settled');
  expect(await books.rows(`select distinct refusals from recharge_transaction`)).toEqual([{ refusals: 0 }]);
});

test('a claim without limits is refused by the index, and waits as well', async () => {
  const [first, second] = (await lane(2)) as [string, string];
  await claim(first);
  const unjudged = { news: 'submit', source: 'submission', reason: 'as tested' } as const;
  const result = await books.domain.applyNews({ transactionId: second, ...unjudged });
  expect(result).toMatchObject({ claim: null, held: 'LANE' });
});
