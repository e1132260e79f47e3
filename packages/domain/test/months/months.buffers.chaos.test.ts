import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, openBooks } from '../support/books.js';
import { BUFFERS_MAX, buffersOf } from '../support/buffers.js';
import { writeHistory } from '../support/wallet-history.js';

const LONG = { accountId: 'acct-long', count: 100_000 };
const SHORT = { accountId: 'acct-short', count: 100 };
const HOUR_MS = 3_600_000;
// The hundred entries of both accounts end at the same time.
const END = Date.UTC(2026, 10, 1);

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  for (const { accountId, count } of [LONG, SHORT])
    await writeHistory(books, {
      accountId,
      count,
      from: new Date(END - count * HOUR_MS),
      everyMs: HOUR_MS,
    });
  await books.rows('vacuum analyze');
}, 300_000);
afterAll(() => books.close());

/** The buffers of all statements of some work: with plans for its values, and with plans for all values. */
async function touchedBy(work: () => Promise<unknown>): Promise<[custom: number, generic: number]> {
  const touched = await buffersOf(books.url, work);
  expect(touched.length).toBeGreaterThan(0);
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
  const sumOf = (nth: number) =>
    touched.reduce((sum, { buffers }, at) => (at % 2 === nth ? sum + buffers : sum), 0);
  return [sumOf(0), sumOf(1)];
}

const readMonth = (accountId: string, month: string) => async (): Promise<number> => {
  const opened = await books.domain.accountMonths.open({ accountId, month });
  if (!opened.ok) throw new Error(opened.problem);
  let count = 0;
  for await (const lines of opened.month.lines()) count += lines.length;
  return count;
};

test('the balance and the last 20 entries of a long account touch about as many buffers as those of a short one', async () => {
  const read = (accountId: string) => () => books.domain.balances.statement({ accountId, limit: 20 });
  const [long, short] = [await touchedBy(read(LONG.accountId)), await touchedBy(read(SHORT.accountId))];
  expect(long[0]).toBeLessThanOrEqual(1.3 * short[0]);
  expect(long[1]).toBeLessThanOrEqual(1.3 * short[1]);
});

test('a month of a long account touches about as many buffers as the same lines of a short one', async () => {
  expect(await readMonth(LONG.accountId, '2026-10')()).toBe(744);
  expect(await readMonth(SHORT.accountId, '2026-10')()).toBe(100);
  const [long, short] = [
    await touchedBy(readMonth(LONG.accountId, '2026-10')),
    await touchedBy(readMonth(SHORT.accountId, '2026-10')),
  ];
  // The buffers per line. The bounds of the month add a few buffers to both.
  expect(long[0] / 744).toBeLessThanOrEqual(1.3 * (short[0] / 100));
  expect(long[1] / 744).toBeLessThanOrEqual(1.3 * (short[1] / 100));
});

test.each(['2016-01', '2026-09', '2026-11'])(
  '%s of a long account touches its own lines alone',
  async (month) => {
    const count = await readMonth(LONG.accountId, month)();
    const [custom, generic] = await touchedBy(readMonth(LONG.accountId, month));
    // A line costs its entry, its journal and its transaction, the last two found through three levels of an index.
    expect(custom).toBeLessThanOrEqual(60 + 12 * count);
    expect(generic).toBeLessThanOrEqual(60 + 12 * count);
  },
);
