import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { BreakerKey } from '../../src/index.js';
import { type Books, newRefund, openBooks, recharged, reportOf } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());
beforeEach(() => books.rows('delete from provider_breaker'));

const submits: BreakerKey = { provider: 'sandbox', providerAccount: 'main', operation: 'submit' };

const downOf = async (id: string) => (await books.domain.reads.recharge(id))!.providerDown;

const reasonInSql = async (id: string): Promise<string | null> => {
  const [row] = await books.rows<{ waiting: string | null }>(
    'select waiting from report.recharges where transaction_id = $1',
    [id],
  );
  return row!.waiting;
};

test('each unfinished recharge of a provider shows its open breaker, and no longer once it closes', async () => {
  const waiting = await recharged(books.domain, {});
  const elsewhere = await recharged(books.domain, { provider: 'stripe' });
  expect([await downOf(waiting), await reasonInSql(waiting)]).toEqual([null, 'QUEUE']);
  await books.domain.breakers.opened(submits, 5_000);
  const down = await downOf(waiting);
  expect(new Date(down!.until).getTime() - new Date(down!.since).getTime()).toBe(5_000);
  expect([await downOf(elsewhere), await reasonInSql(elsewhere)]).toEqual([null, 'QUEUE']);
  expect(await reasonInSql(waiting)).toBe('PROVIDER_DOWN');
  await books.domain.breakers.closed(submits);
  expect([await downOf(waiting), await reasonInSql(waiting)]).toEqual([null, 'QUEUE']);
});

test('a final recharge shows no open breaker', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  await books.domain.applyNews(reportOf(id, 'settled'));
  await books.domain.breakers.opened(submits, 5_000);
  expect([await downOf(id), await reasonInSql(id)]).toEqual([null, null]);
});

test('a breaker that opens again keeps the time since when, and an old row counts for nothing', async () => {
  const id = await recharged(books.domain, {});
  await books.domain.breakers.opened(submits, 5_000);
  const first = await downOf(id);
  await books.domain.breakers.opened(submits, 60_000);
  const second = await downOf(id);
  expect(second!.since).toBe(first!.since);
  expect(second!.until > first!.until).toBe(true);
  await books.rows(`update provider_breaker set open_until = now() - interval '31 s'`);
  expect([await downOf(id), await reasonInSql(id)]).toEqual([null, 'QUEUE']);
  await books.domain.breakers.opened(submits, 5_000);
  expect((await downOf(id))!.since > first!.since).toBe(true);
});

test('only a breaker of the operations that carry a recharge stops it', async () => {
  const id = await recharged(books.domain, {});
  for (const operation of ['cancel', 'refund', 'refund_query', 'read'])
    await books.domain.breakers.opened({ ...submits, operation }, 5_000);
  await books.domain.breakers.opened({ ...submits, providerAccount: 'second' }, 5_000);
  expect(await downOf(id)).toBeNull();
  await books.domain.breakers.opened({ ...submits, operation: 'query' }, 5_000);
  expect(await downOf(id)).not.toBeNull();
});

test('a refund is stopped by the breakers of refunds, and by no other', async () => {
  const original = await recharged(books.domain, {}, 'submit', 'settled');
  const ask = newRefund(original);
  await books.domain.createRefund(ask);
  await books.domain.breakers.opened(submits, 5_000);
  expect([await downOf(ask.id), await reasonInSql(ask.id)]).toEqual([null, 'QUEUE']);
  await books.domain.breakers.opened({ ...submits, operation: 'refund' }, 5_000);
  expect(await downOf(ask.id)).not.toBeNull();
  expect(await reasonInSql(ask.id)).toBe('PROVIDER_DOWN');
});

test('the sums by reason are those of the recharges one by one', async () => {
  await books.domain.breakers.opened(submits, 60_000);
  await recharged(books.domain, { currency: 'EUR', amountMinor: 11n });
  await recharged(books.domain, { provider: 'stripe', currency: 'EUR', amountMinor: 5n });
  const stopped = await recharged(books.domain, { provider: 'stripe', currency: 'EUR', amountMinor: 7n });
  await books.rows(
    `insert into reconciliation_case (id, transaction_id, subject, kind, detail)
      values (gen_random_uuid(), $1, $2, 'wrong_amount', '{}')`,
    [stopped, stopped],
  );
  const each = await books.rows<{ reason: string; currency: string; count: number; amountMinor: bigint }>(
    `select waiting as reason, currency, count(*)::int as count, sum(amount)::bigint as "amountMinor"
      from report.recharges where waiting is not null group by 1, 2 order by 1, 2`,
  );
  const sums = await books.domain.reads.waitingSums();
  expect(sums.map((sum) => ({ ...sum, amountMinor: String(sum.amountMinor) }))).toEqual(
    each.map((sum) => ({ ...sum, amountMinor: String(sum.amountMinor) })),
  );
  expect(sums).toContainEqual({ reason: 'PERSON', currency: 'EUR', count: 1, amountMinor: 7n });
  expect(sums).toContainEqual({ reason: 'PROVIDER_DOWN', currency: 'EUR', count: 1, amountMinor: 11n });
});
