import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, openBooks } from '../support/books.js';
import { BUFFERS_MAX, buffersOf } from '../support/buffers.js';
import { writeHistory } from '../support/wallet-history.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  const from = new Date('2026-01-01T00:00:00Z');
  await writeHistory(books, { accountId: 'acct-many', count: 50_000, from, everyMs: 240_000 });
  await books.rows(`
    begin; set local session_replication_role = replica;
    update recharge_transaction set succeeded_at = created_at; commit`);
  await books.rows('vacuum analyze');
}, 300_000);
afterAll(() => books.close());

const countOf = async (day: string): Promise<number> => {
  const found = await books.domain.settlements.ofDay(day, 'UTC');
  let count = 0;
  for await (const rows of found!.rows()) count += rows.length;
  return count;
};

test.each([
  ['2026-01-01', 360],
  ['2026-03-15', 360],
  ['2025-12-31', 0],
  ['2026-06-30', 0],
])('the settlements of %s, %d of 50,000, touch their own rows alone', async (day, count) => {
  expect(await countOf(day)).toBe(count);
  const touched = await buffersOf(books.url, () => countOf(day));
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
  const [custom, generic] = [0, 1].map((nth) =>
    touched.reduce((sum, { buffers }, at) => (at % 2 === nth ? sum + buffers : sum), 0),
  );
  // A row costs its transaction, and its client by key.
  expect(custom).toBeLessThanOrEqual(30 + 4 * count);
  expect(generic).toBeLessThanOrEqual(30 + 4 * count);
});

test('a time zone that the database does not know is told apart from a day without settlements', async () => {
  expect(await books.domain.settlements.ofDay('2026-01-01', 'Mars/Base')).toBeNull();
});
