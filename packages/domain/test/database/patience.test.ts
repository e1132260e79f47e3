import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, openBooks, RECONCILE_AFTER_MS, recharged, reportOf } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

test.each([
  ['an order whose provider cannot be reached is tried again with equal gaps', true, [0, 1, 1, 1, 1]],
  ['an order that the provider refuses for now is tried again with growing gaps', false, [0, 1, 2, 4, 8]],
] as const)('%s', async (_, unreached, gaps) => {
  const domain = books.open({ random: () => 0.5 });
  const id = await recharged(domain, {});
  const heard: number[] = [];
  for (let n = 0; n < gaps.length; n++) {
    await domain.applyNews(reportOf(id, 'submit'));
    await domain.applyNews(reportOf(id, 'unknown', { nextStep: 'submit', notBeforeMs: 1_000, unreached }));
    const [row] = await books.rows<{ ms: number }>(
      'select (extract(epoch from due_at - now()) * 1000)::float8 as ms from recharge_transaction where id = $1',
      [id],
    );
    heard.push(Math.round(row!.ms / RECONCILE_AFTER_MS));
  }
  expect(heard).toEqual(gaps);
});
