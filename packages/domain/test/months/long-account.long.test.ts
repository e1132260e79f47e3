import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Books, openBooks } from '../support/books.js';
import { buffersOf } from '../support/buffers.js';
import { writeHistory } from '../support/wallet-history.js';

jest.setTimeout(900_000);

const LONG = { accountId: 'acct-long', count: 1_000_000, everyMs: 60_000 };
const SHORT = { accountId: 'acct-short', count: 100, everyMs: 60_000 };
const END = Date.UTC(2026, 10, 1);

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  for (const { accountId, count, everyMs } of [LONG, SHORT])
    await writeHistory(books, { accountId, count, from: new Date(END - count * everyMs), everyMs });
  await books.rows('vacuum analyze');
});
afterAll(() => books.close());

const sumOf = async (work: () => Promise<unknown>): Promise<number> =>
  (await buffersOf(books.url, work)).reduce((sum, { buffers }) => sum + buffers, 0);

test('a million entries make the balance and the last 20 entries no dearer than a hundred', async () => {
  const read = (accountId: string) => () => books.domain.balances.statement({ accountId, limit: 20 });
  const short = await sumOf(read(SHORT.accountId));
  expect(short).toBeGreaterThan(0);
  expect(await sumOf(read(LONG.accountId))).toBeLessThanOrEqual(1.3 * short);
});

test('a month of an account with a million entries touches its own lines alone', async () => {
  let count = 0;
  const read = async () => {
    count = 0;
    const opened = await books.domain.accountMonths.open({ accountId: LONG.accountId, month: '2025-06' });
    if (!opened.ok) throw new Error(opened.problem);
    for await (const lines of opened.month.lines()) count += lines.length;
  };
  await read();
  expect(count).toBe(30 * 24 * 60);
  // Two plans are measured. A line costs its entry, its journal and its transaction, each found through three levels of
  // an index.
  expect(await sumOf(read)).toBeLessThanOrEqual(2 * (60 + 16 * count));
});
