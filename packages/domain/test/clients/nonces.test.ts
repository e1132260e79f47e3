import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, openBooks, times } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const kept = { webhookBodiesDays: 400, securityEventsDays: 400 };

const isFirst = (nonce: string, keyId = 'rk_test_1') => books.domain.clients.useNonce({ keyId, nonce });

test('a nonce serves once, for each key', async () => {
  expect([
    await isFirst('a'),
    await isFirst('a'),
    await isFirst('b'),
    await isFirst('a', 'rk_test_2'),
  ]).toEqual([true, false, true, true]);
});

test('of many at once, in one process and in several, one is first', async () => {
  const nonces = times(40, (n) => `shared-${n}`);
  const processes = [books.domain, books.open(), books.open()];
  // Every process asks four times, and in an order of its own.
  const firsts = await Promise.all(
    processes.flatMap(({ clients }, n) =>
      times(4, () => (n === 1 ? nonces.toReversed() : nonces))
        .flat()
        .map(async (nonce) => ((await clients.useNonce({ keyId: 'k', nonce })) ? [nonce] : [])),
    ),
  );
  expect(firsts.flat().toSorted()).toEqual(nonces.toSorted());
});

test('nonces are forgotten when no timestamp of theirs is let in any more, and not before', async () => {
  await books.rows('delete from nonce');
  await books.rows(
    `insert into nonce (key_id, nonce, seen_at)
     select 'k', 'old-' || n, now() - interval '901 seconds' from generate_series(1, 12000) n`,
  );
  await books.rows(
    `insert into nonce (key_id, nonce, seen_at) values ('k', 'young', now() - interval '890 seconds')`,
  );
  expect((await books.domain.prune(kept)).nonces).toBe(12_000);
  expect(await books.rows('select nonce from nonce')).toEqual([{ nonce: 'young' }]);
  expect((await books.domain.prune(kept)).nonces).toBe(0);
});
