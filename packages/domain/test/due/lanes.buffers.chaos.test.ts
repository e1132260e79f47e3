import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, CLIENT } from '../support/books.js';
import { buffersOf } from '../support/buffers.js';
import { openManyRows } from '../support/many-rows.js';

let books: Books;
beforeAll(async () => {
  books = await openManyRows(100_000);
}, 300_000);
afterAll(() => books.close());

// A lane costs the way down an index and one row.
const BUFFERS_OF_16_LANES = 200;

test('the question which lanes have work reads one row of each, also when statistics know nothing of a backlog', async () => {
  const lanes = books.domain.lanes(['sandbox', 'alipay', 'alibaba-cloud', 'stripe']);
  await books.rows(`alter table recharge_transaction set (autovacuum_enabled = false)`);
  await books.rows(
    `insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
        provider, next_step, due_at, created_at)
      select gen_random_uuid(), $1, 'acct-' || n, 'collect', 'CREATED', 100, 'USD', 'alipay', 'alipay', 'submit',
        now() - n * interval '1 ms', now()
      from generate_series(1, 20000) n`,
    [CLIENT],
  );
  let busy: unknown[] = [];
  const touched = await buffersOf(books.url, async () => {
    busy = await books.domain.lanesWithWork(lanes);
  });
  expect(busy.filter((lane) => (lane as { what: string }).what === 'recharge')).toEqual([
    { what: 'recharge', provider: 'sandbox', nextStep: 'ask' },
    { what: 'recharge', provider: 'alipay', nextStep: 'submit' },
  ]);
  expect(touched).toHaveLength(2);
  expect(
    touched.filter(({ buffers, scanned }) => buffers > BUFFERS_OF_16_LANES || scanned.length > 0),
  ).toEqual([]);
});
