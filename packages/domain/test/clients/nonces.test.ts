import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, openBooks, times } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const kept = { webhookBodiesDays: 400, securityEventsDays: 400, looksDays: 400, callbacksDays: 400 };

const isFirst = (nonce: string, keyId = 'rk_test_1') => books.domain.clients.useNonce({ keyId, nonce });

test('a nonce serves once per key', async () => {
  expect([
    await isFirst('a'),
    await isFirst('a'),
    await isFirst('b'),
    await isFirst('a', 'rk_test_2'),
  ]).toEqual([true, false, true, true]);
});

test('of many uses of one nonce at once, in one process and in several, exactly one is the first', async () => {
  const nonces = times(40, (n) => `shared-${n}`);
  const processes = [books.domain, books.open(), books.open()];
  // Each process uses every nonce four times, in a different order.
  const firsts = await Promise.all(
    processes.flatMap(({ clients }, n) =>
      times(4, () => (n === 1 ? nonces.toReversed() : nonces))
        .flat()
        .map(async (nonce) => ((await clients.useNonce({ keyId: 'k', nonce })) ? [nonce] : [])),
    ),
  );
  expect(firsts.flat().toSorted()).toEqual(nonces.toSorted());
});

test('a nonce is deleted once its timestamp can no longer be accepted, and not before', async () => {
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
