import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, newRecharge, openBooks, reportOf, times } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const WARM_UP = 12;
const RECHARGES = 1_000;
const CLAIMS = 20;

// Postgres caches the plan of a statement while the tables of a new installation are empty and without statistics.
test('a claim looks its recharge up, although its statement was planned while the tables were empty', async () => {
  await books.rows('alter table recharge_transaction set (autovacuum_enabled = off)');
  const domain = books.open({ poolMax: 2 });
  const create = async (count: number) => {
    const asks = times(count, () => newRecharge());
    await Promise.all(asks.map((ask) => domain.createRecharge(ask)));
    return asks.map(({ id }) => id);
  };
  for (const id of await create(WARM_UP)) await domain.applyNews(reportOf(id, 'submit'));
  const ids = await create(RECHARGES);
  for (const id of ids.slice(0, CLAIMS)) await domain.applyNews(reportOf(id, 'submit'));
  // A session tells what it read at its end at the latest.
  await books.closeDomains();
  const [index] = await books.rows<{ read: number }>(
    "select idx_tup_read::int as read from pg_stat_user_indexes where indexrelname = 'recharge_transaction_pkey'",
  );
  expect(index!.read).toBeGreaterThan(0);
  expect(index!.read).toBeLessThan((CLAIMS * RECHARGES) / 2);
});
