import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { NewRefund } from '../../src/index.js';
import {
  type Books,
  deposit,
  newRecharge,
  newRefund,
  OTHER_CLIENT,
  openBooks,
  recharged,
  reportOf,
  times,
} from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

const refund = (of: string, over: Partial<NewRefund> = {}) => books.domain.createRefund(newRefund(of, over));

/** Creates a refund that must be stored. Returns its id. */
async function refunded(of: string, over: Partial<NewRefund> = {}): Promise<string> {
  const created = await refund(of, over);
  if (!created.ok) throw new Error(created.problem);
  return created.refund.id;
}

const report = async (id: string, ...news: readonly Parameters<typeof reportOf>[1][]) => {
  for (const heard of news) await books.domain.applyNews(reportOf(id, heard));
};

const balance = async (accountId: string) => {
  const [row] = await books.domain.balances.of(accountId, 'USD');
  return row && [row.availableMinor, row.frozenMinor];
};

const refundedOf = async (id: string) => {
  const rows = await books.rows<{ sum: string }>(
    `select coalesce(sum(amount), 0) as sum from report.refunds
     where transaction_id = $1 and state not in ('FAILED', 'CANCELED')`,
    [id],
  );
  return BigInt(rows[0]!.sum);
};

test('a refund of a collection holds its amount in the wallet until it settles', async () => {
  const original = await deposit(books.domain, 'a', 1_000n);
  const id = await refunded(original, { amountMinor: 300n });
  expect(await balance('a')).toEqual([700n, 300n]);
  await report(id, 'submit', 'accepted');
  expect(await balance('a')).toEqual([700n, 300n]);
  await report(id, 'settled');
  expect(await balance('a')).toEqual([700n, 0n]);
  expect(await books.domain.reads.recharge(id)).toMatchObject({
    state: 'SUCCEEDED',
    accountId: 'a',
    amountMinor: 300n,
    provider: 'sandbox',
  });
});

test('without an amount a refund takes what is left of the recharge', async () => {
  const original = await deposit(books.domain, 'b', 1_000n);
  await refunded(original, { amountMinor: 400n });
  expect(await refund(original)).toMatchObject({
    ok: true,
    refund: { amountMinor: 600n, refundOf: original },
  });
  expect(await refundedOf(original)).toBe(1_000n);
  expect(await refund(original)).toEqual({ ok: false, problem: 'nothing_left' });
});

test('a refund that fails or is canceled gives its amount back, to the wallet and to the next refund', async () => {
  const original = await deposit(books.domain, 'c', 1_000n);
  const [declined, canceled] = [
    await refunded(original, { amountMinor: 600n }),
    await refunded(original, { amountMinor: 400n }),
  ];
  expect(await refund(original, { amountMinor: 1n })).toEqual({ ok: false, problem: 'above_original' });
  await report(declined, 'submit', 'declined');
  await report(canceled, 'withdraw');
  expect(await balance('c')).toEqual([1_000n, 0n]);
  expect(await refundedOf(original)).toBe(0n);
  expect(await refund(original, { amountMinor: 1_000n })).toMatchObject({ ok: true });
});

test('of 60 refunds at once at two processes, exactly as many are stored as the recharge covers', async () => {
  const original = await deposit(books.domain, 'd', 1_050n);
  await deposit(books.domain, 'd', 100_000n);
  const doors = [books.open(), books.open()];
  const asks = times(60, () => newRefund(original, { amountMinor: 100n }));
  const answers = await Promise.all(asks.map((ask, n) => doors[n % 2]!.createRefund(ask)));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(10);
  const refused = answers.filter((answer) => !answer.ok && answer.problem === 'above_original');
  expect(refused).toHaveLength(50);
  expect(await refundedOf(original)).toBe(1_000n);
  expect(await balance('d')).toEqual([100_050n, 1_000n]);
});

test('a refund that the wallet does not hold is refused, and its key stays unused', async () => {
  const original = await deposit(books.domain, 'e', 1_000n);
  await recharged(books.domain, { kind: 'deliver', accountId: 'e', amountMinor: 950n }, 'submit', 'settled');
  const ask = newRefund(original, { amountMinor: 100n });
  const problem = { ok: false, problem: 'insufficient_balance' };
  expect(await books.domain.createRefund(ask)).toEqual(problem);
  expect(await books.domain.createRefund({ ...ask, amountMinor: 50n })).toMatchObject({ replayed: false });
  expect(await balance('e')).toEqual([0n, 50n]);
});

test('a recall of a delivery holds nothing, and brings the money back when it settles', async () => {
  await deposit(books.domain, 'f', 1_000n);
  const delivery = { kind: 'deliver', accountId: 'f', amountMinor: 800n } as const;
  const original = await recharged(books.domain, delivery, 'submit', 'settled');
  const id = await refunded(original, { amountMinor: 500n });
  expect(await balance('f')).toEqual([200n, 0n]);
  await report(id, 'submit', 'settled');
  expect(await balance('f')).toEqual([700n, 0n]);
  const [row] = await books.rows('select kind, refund_of from recharge_transaction where id = $1', [id]);
  expect(row).toEqual({ kind: 'recall', refund_of: original });
});

test('the same key and body replay the refund, also at the same time and after the recharge is used up', async () => {
  const original = await deposit(books.domain, 'g', 1_000n);
  const ask = newRefund(original, { idempotencyKey: 'g' });
  const asks = times(10, () => ({ ...ask, id: uuidv7() }));
  const answers = await Promise.all(asks.map((each) => books.domain.createRefund(each)));
  expect(answers.filter((answer) => answer.ok && !answer.replayed)).toHaveLength(1);
  expect(new Set(answers.map((answer) => answer.ok && answer.refund.id)).size).toBe(1);
  expect(await refund(original, { idempotencyKey: 'g' })).toMatchObject({ ok: true, replayed: true });
  expect(await balance('g')).toEqual([0n, 1_000n]);
});

test.each<[string, Partial<NewRefund>]>([
  ['amount', { amountMinor: 1n }],
  ['reason', { reason: 'another' }],
])('the same key with another %s is another request', async (field, change) => {
  const original = await deposit(books.domain, 'h', 1_000n);
  const idempotencyKey = `h ${field}`;
  await refunded(original, { idempotencyKey, amountMinor: 100n });
  const problem = { ok: false, problem: 'key_used_with_other_body' };
  expect(await refund(original, { idempotencyKey, amountMinor: 100n, ...change })).toEqual(problem);
});

test('a key is unique across recharges and refunds', async () => {
  const original = await deposit(books.domain, 'i', 1_000n);
  const ask = newRecharge({ accountId: 'i' });
  await books.domain.createRecharge(ask);
  const problem = { ok: false, problem: 'key_used_with_other_body' };
  expect(await refund(original, { idempotencyKey: ask.idempotencyKey })).toEqual(problem);
  await refunded(original, { idempotencyKey: 'i' });
  expect(await books.domain.createRecharge(newRecharge({ idempotencyKey: 'i' }))).toEqual(problem);
});

test('only a collection or a delivery that succeeded is refunded', async () => {
  const problem = { ok: false, problem: 'invalid_state' };
  for (const news of [[], ['submit'], ['submit', 'declined'], ['withdraw']] as const)
    expect(await refund(await recharged(books.domain, { accountId: 'j' }, ...news))).toEqual(problem);
  const original = await deposit(books.domain, 'j', 1_000n);
  const id = await refunded(original, { amountMinor: 10n });
  await report(id, 'submit', 'settled');
  expect(await refund(id)).toEqual(problem);
});

test('a recharge of another client, and one that does not exist, are unknown', async () => {
  const original = await deposit(books.domain, 'k', 1_000n);
  const problem = { ok: false, problem: 'unknown_recharge' };
  expect(await refund(original, { clientId: OTHER_CLIENT })).toEqual(problem);
  expect(await refund(uuidv7())).toEqual(problem);
  expect(await refund('no-uuid')).toEqual(problem);
});

test('the refunds of a recharge are listed, newest first, and finance sees them in a view', async () => {
  const original = await deposit(books.domain, 'l', 1_000n);
  const ids = [await refunded(original, { amountMinor: 1n }), await refunded(original, { amountMinor: 2n })];
  const listed = await books.domain.reads.refunds(original);
  expect(listed.map(({ id }) => id)).toEqual(ids.toReversed());
  const rows = await books.rows(
    `select refund_id, transaction_id, client_id, account_id, amount, currency, state, reason, provider,
       provider_order_id, created_at, succeeded_at from report.refunds where transaction_id = $1 order by refund_id`,
    [original],
  );
  expect(rows).toMatchObject(
    ids.map((id, n) => ({ refund_id: id, amount: String(n + 1), reason: 'ordered twice' })),
  );
});
