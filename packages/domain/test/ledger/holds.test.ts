import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { type Books, deposit, newRecharge, openBooks, recharged, reportOf, times } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const balance = async (accountId: string) => {
  const [row] = await books.domain.balances.of(accountId, 'USD');
  return row && [row.availableMinor, row.frozenMinor];
};

test('a delivery freezes its amount, and its end settles or reverses the hold', async () => {
  await deposit(books.domain, 'a', 1_000n);
  const delivery = { kind: 'deliver', accountId: 'a', amountMinor: 300n } as const;
  const [kept, lost, dropped] = [
    await recharged(books.domain, delivery, 'submit'),
    await recharged(books.domain, delivery, 'submit'),
    await recharged(books.domain, delivery),
  ];
  expect(await balance('a')).toEqual([100n, 900n]);
  await books.domain.applyNews(reportOf(kept, 'settled'));
  expect(await balance('a')).toEqual([100n, 600n]);
  await books.domain.applyNews(reportOf(lost, 'declined'));
  expect(await balance('a')).toEqual([400n, 300n]);
  await books.domain.applyNews(reportOf(dropped, 'withdraw', { source: 'client' }));
  expect(await balance('a')).toEqual([700n, 0n]);
  expect(await books.domain.verify()).toEqual([]);
});

test('of 60 deliveries at once at two processes, exactly as many are accepted as the balance covers', async () => {
  await deposit(books.domain, 'b', 1_050n);
  const doors = [books.open(), books.open()];
  const asks = times(60, () => newRecharge({ kind: 'deliver', accountId: 'b', amountMinor: 100n }));
  const answers = await Promise.all(asks.map((ask, n) => doors[n % 2]!.createRecharge(ask)));
  const refused = asks.filter((_, n) => !answers[n]!.ok);
  expect(refused).toHaveLength(50);
  expect(answers.filter((answer) => !answer.ok && answer.problem === 'insufficient_balance')).toHaveLength(
    50,
  );
  expect(await balance('b')).toEqual([50n, 1_000n]);
  const traces = await books.rows(
    `select transaction_id from recharge_request where transaction_id = any($1)
     union all select id from recharge_transaction where id = any($1)
     union all select transaction_id from ledger_journal where transaction_id = any($1)`,
    [refused.map(({ id }) => id)],
  );
  expect(traces).toEqual([]);
});

test('a refused request leaves its key unused: the key is accepted later, even with another body', async () => {
  const ask = newRecharge({ kind: 'deliver', accountId: 'c', amountMinor: 500n });
  const refused = { ok: false, problem: 'insufficient_balance' };
  expect(await books.domain.createRecharge(ask)).toEqual(refused);
  await deposit(books.domain, 'c', 499n);
  expect(await books.domain.createRecharge(ask)).toEqual(refused);
  await deposit(books.domain, 'c', 1n);
  const again = { ...ask, orderReference: 'other' };
  expect(await books.domain.createRecharge(again)).toMatchObject({ ok: true, replayed: false });
  expect(await balance('c')).toEqual([0n, 500n]);
});

test('a balance in another currency pays for nothing', async () => {
  await deposit(books.domain, 'd', 1_000n);
  const ask = newRecharge({ kind: 'deliver', accountId: 'd', amountMinor: 1n, currency: 'EUR' });
  expect(await books.domain.createRecharge(ask)).toEqual({ ok: false, problem: 'insufficient_balance' });
});

test('a delivery is replayed even after the balance is spent', async () => {
  await deposit(books.domain, 'e', 700n);
  const ask = newRecharge({ kind: 'deliver', accountId: 'e', amountMinor: 700n });
  expect(await books.domain.createRecharge(ask)).toMatchObject({ replayed: false });
  expect(await books.domain.createRecharge({ ...ask, id: uuidv7() })).toMatchObject({
    ok: true,
    replayed: true,
    recharge: { id: ask.id },
  });
  expect(await balance('e')).toEqual([0n, 700n]);
});

test('a repeated delivery does not take the balance from another', async () => {
  await deposit(books.domain, 'f', 100n);
  const delivery = { kind: 'deliver', accountId: 'f', amountMinor: 50n } as const;
  const [once, twice, other] = times(3, (n) =>
    newRecharge({ ...delivery, ...(n < 2 && { idempotencyKey: 'f' }) }),
  );
  const answers = await Promise.all([once!, twice!, other!].map((ask) => books.domain.createRecharge(ask)));
  expect(answers).toMatchObject([{ replayed: false }, { replayed: true }, { replayed: false }]);
  expect(await balance('f')).toEqual([0n, 100n]);
});

test('a refused delivery takes nothing from the others of its batch', async () => {
  await deposit(books.domain, 'h', 50n);
  const amounts = [100n, 10n, 45n, 40n, 1n];
  const asks = amounts.map((amountMinor) => newRecharge({ kind: 'deliver', accountId: 'h', amountMinor }));
  const answers = await Promise.all(asks.map((ask) => books.domain.createRecharge(ask)));
  expect(answers.map(({ ok }) => ok)).toEqual([false, true, false, true, false]);
  expect(await balance('h')).toEqual([0n, 50n]);
  expect(await books.domain.verify()).toEqual([]);
});

test('a wallet that changes while its lock is awaited is read with its new balance', async () => {
  await deposit(books.domain, 'g', 100n);
  const rival = new pg.Client(books.url);
  await rival.connect();
  const isWaiting = async () =>
    (
      await books.rows(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
    ).length > 0;
  const wallet = `name = 'wallet:g:available' and currency = 'USD'`;
  const deliverAfter = async (change: number) => {
    await rival.query('begin');
    await rival.query(`update ledger_account set balance_minor = balance_minor + ${change} where ${wallet}`);
    const ask = newRecharge({ kind: 'deliver', accountId: 'g', amountMinor: 60n });
    const answer = books.domain.createRecharge(ask);
    await until(isWaiting, { limitMs: 30_000 }, 'a create that waits');
    await rival.query('commit');
    return answer;
  };
  expect(await deliverAfter(0)).toMatchObject({ ok: true, replayed: false });
  expect(await deliverAfter(20)).toMatchObject({ ok: true, replayed: false });
  expect(await deliverAfter(59)).toEqual({ ok: false, problem: 'insufficient_balance' });
  await rival.end();
});
