import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Books, deposit, newRecharge, openBooks, reportOf, times } from '../support/books.js';

const MOST = 2n ** 63n - 1n;

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

const refused = { ok: false, problem: 'beyond_balance' };
const ask = (accountId: string, amountMinor: bigint, over: object = {}) =>
  books.domain.createRecharge(newRecharge({ accountId, amountMinor, ...over }));

test('a collection that fills the balance to its last unit is accepted, and one that exceeds it leaves no trace', async () => {
  await deposit(books.domain, 'acct-full', MOST - 100n);
  const key = 'refused-first';
  expect(await ask('acct-full', 101n, { idempotencyKey: key })).toEqual(refused);
  expect(await books.rows('select from recharge_request where idempotency_key = $1', [key])).toEqual([]);
  expect(await ask('acct-full', 100n, { idempotencyKey: key })).toMatchObject({ ok: true, replayed: false });
});

test('a collection under way counts, so that none of them is refused later', async () => {
  await deposit(books.domain, 'acct-awaiting', MOST - 100n);
  const first = newRecharge({ accountId: 'acct-awaiting', amountMinor: 60n });
  await books.domain.createRecharge(first);
  expect(await ask('acct-awaiting', 41n)).toEqual(refused);
  expect(await ask('acct-awaiting', 40n)).toMatchObject({ ok: true });
  await books.domain.applyNews(reportOf(first.id, 'withdraw', { source: 'client' }));
  expect(await ask('acct-awaiting', 60n)).toMatchObject({ ok: true });
});

test('each account and currency has a bound of its own', async () => {
  await deposit(books.domain, 'acct-dollars', MOST);
  expect(await ask('acct-dollars', 1n)).toEqual(refused);
  expect(await ask('acct-dollars', 1n, { currency: 'EUR' })).toMatchObject({ ok: true });
  expect(await ask('acct-dollar', 1n)).toMatchObject({ ok: true });
});

test('a refused request does not fail the others of its batch', async () => {
  await deposit(books.domain, 'acct-batch', MOST - 5n);
  const answers = await Promise.all(
    times(20, (n) => ask(n % 2 ? 'acct-batch' : 'acct-other', BigInt(2 * n + 1))),
  );
  expect(answers.map(({ ok }) => ok)).toEqual(times(20, (n) => n % 2 === 0 || n === 1));
});

test('a request that was accepted before the balance was full is replayed', async () => {
  const first = newRecharge({ accountId: 'acct-late', amountMinor: 50n });
  await books.domain.createRecharge(first);
  await deposit(books.domain, 'acct-late', MOST - 10n);
  expect(await books.domain.createRecharge({ ...first, id: uuidv7() })).toMatchObject({
    ok: true,
    replayed: true,
    recharge: { id: first.id },
  });
  expect(await books.domain.createRecharge({ ...first, id: uuidv7(), amountMinor: 60n })).toEqual({
    ok: false,
    problem: 'key_used_with_other_body',
  });
});

test('a delivery from a full wallet is accepted', async () => {
  await deposit(books.domain, 'acct-payer', MOST);
  expect(await ask('acct-payer', 5n, { kind: 'deliver', paymentMethod: 'balance' })).toMatchObject({
    ok: true,
  });
});
