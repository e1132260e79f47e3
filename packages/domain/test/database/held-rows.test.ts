import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Books, deposit, newRecharge, openBooks, recharged, reportOf, times } from '../support/books.js';

let books: Books;
let stranger: pg.Client;
beforeEach(async () => {
  books = await openBooks();
  stranger = new pg.Client(books.url);
  await stranger.connect();
});
afterEach(async () => {
  await stranger.end();
  await books.close();
});

/** Another session locks these rows, as a person at a console would. */
async function hold(table: string, where: string, values: unknown[]): Promise<void> {
  await stranger.query('begin');
  const { rowCount } = await stranger.query(`select from ${table} where ${where} for update`, values);
  expect(rowCount).toBeGreaterThan(0);
}

const release = () => stranger.query('commit');

const took = async <T>(work: Promise<T>): Promise<{ ms: number; result: PromiseSettledResult<T> }> => {
  const from = performance.now();
  const [result] = await Promise.allSettled([work]);
  return { ms: performance.now() - from, result };
};

const held = { status: 'rejected', reason: { name: 'StoreUnavailable' } };

describe('a wallet that another session locks', () => {
  const deliver = (accountId: string) =>
    took(books.domain.createRecharge(newRecharge({ kind: 'deliver', accountId, amountMinor: 1n })));

  beforeEach(async () => {
    for (const account of ['a', 'b']) await deposit(books.domain, account, 1_000n);
    await hold('ledger_account', 'name = $1', ['wallet:a:available']);
  });

  test('delays no other wallet, and its own calls fail within seconds', async () => {
    const [own, others] = await Promise.all([
      Promise.all(times(3, () => deliver('a'))),
      Promise.all(times(3, () => deliver('b'))),
    ]);
    expect(own.map(({ result }) => result)).toMatchObject([held, held, held]);
    for (const { result } of others) expect(result).toMatchObject({ value: { ok: true } });
    expect(Math.max(...[...own, ...others].map(({ ms }) => ms))).toBeLessThan(25_000);
  }, 30_000);

  test('has its own lane from then on: other wallets are as fast as before, and it leaves the lane by itself', async () => {
    await deliver('a');
    const ended: string[] = [];
    const [own, other] = await Promise.all(
      ['a', 'b'].map((account) => deliver(account).finally(() => ended.push(account))),
    );
    expect(ended).toEqual(['b', 'a']);
    expect(own!.result).toMatchObject(held);
    expect(other!.result).toMatchObject({ value: { ok: true } });
    await release();
    for (const again of await Promise.all(times(4, () => deliver('a'))))
      expect(again.result).toMatchObject({ value: { ok: true } });
    expect(await books.domain.verify()).toEqual([]);
  }, 30_000);
});

test('settlements that share a batch with a locked row are all recorded', async () => {
  const ids: string[] = [];
  for (const _ of times(6, () => 0)) ids.push(await recharged(books.domain, {}, 'submit'));
  await hold('recharge_transaction', 'id = $1', [ids[0]]);
  const answers = await Promise.all(ids.map((id) => took(books.domain.applyNews(reportOf(id, 'settled')))));
  expect(answers[0]!.result).toMatchObject(held);
  for (const { result } of answers.slice(1)) expect(result).toMatchObject({ value: { verdict: 'moved' } });
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(25_000);
  await release();
  expect(await books.domain.applyNews(reportOf(ids[0]!, 'settled'))).toMatchObject({ verdict: 'moved' });
  expect(await books.domain.verify()).toEqual([]);
}, 30_000);

test('a list that waits for a lock takes no connection from statements of money', async () => {
  await books.domain.ping();
  await stranger.query('begin; lock table recharge_request in access exclusive mode');
  const filter = { clientId: '00000000-0000-7000-8000-00000000000a', accountPatterns: ['%'], limit: 10 };
  const lists = Promise.allSettled(times(20, () => books.domain.reads.list(filter)));
  // The lists wait until the lock is released.
  expect(await books.domain.takeDue(1)).toEqual([]);
  await release();
  await lists;
}, 30_000);
