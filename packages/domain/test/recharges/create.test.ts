import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import {
  type Books,
  deposit,
  newRecharge,
  OTHER_CLIENT,
  openBooks,
  recharged,
  times,
} from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const stored = (key: string) =>
  books.rows(
    `select count(*)::int as requests, count(t.id)::int as transactions from recharge_request q
     left join recharge_transaction t on t.id = q.transaction_id where q.idempotency_key = $1`,
    [key],
  );

describe('a request', () => {
  const ask = newRecharge({
    orderReference: "PO-7'; drop table client; --",
    productType: 'ecs',
    planId: 'p1',
    metadata: { b: '2', a: '%_\\' },
    requestedAt: new Date('2026-11-21T22:00:00Z'),
    amountMinor: 9_007_199_254_740_991n,
  });

  test('is stored as sent, and due for its submit', async () => {
    const created = await books.domain.createRecharge(ask);
    expect(created).toMatchObject({ ok: true, replayed: false });
    const [row] = await books.rows(
      `select t.state, t.next_step, t.amount_minor, t.order_reference, q.product_type, q.plan_id, q.metadata,
         q.requested_at, extract(epoch from t.due_at - t.created_at)::float8 as due_in_s
       from recharge_transaction t join recharge_request q on q.transaction_id = t.id where t.id = $1`,
      [ask.id],
    );
    expect(row).toEqual({
      state: 'CREATED',
      next_step: 'submit',
      amount_minor: '9007199254740991',
      order_reference: ask.orderReference,
      product_type: 'ecs',
      plan_id: 'p1',
      metadata: ask.metadata,
      requested_at: ask.requestedAt,
      due_in_s: 2,
    });
  });

  test('that is repeated is answered with the first recharge, equal in each field', async () => {
    const first = await books.domain.reads.recharge(ask.id);
    const again = {
      ...ask,
      id: uuidv7(),
      metadata: { a: '%_\\', b: '2' },
      requestedAt: null,
      correlationId: 'c-2',
    };
    expect(await books.domain.createRecharge(again)).toEqual({ ok: true, replayed: true, recharge: first });
    expect(await stored(ask.idempotencyKey)).toEqual([{ requests: 1, transactions: 1 }]);
  });

  test('is answered with the same fields when it is new and when it is read', async () => {
    const one = newRecharge({ metadata: { a: '1' }, orderReference: 'PO-8' });
    const created = await books.domain.createRecharge(one);
    expect(created).toEqual({
      ok: true,
      replayed: false,
      recharge: await books.domain.reads.recharge(one.id),
    });
  });

  test('that is repeated shows the present state of the first', async () => {
    const idempotencyKey = 'failed-before';
    await recharged(books.domain, { idempotencyKey }, 'submit', 'declined');
    const again = await books.domain.createRecharge(newRecharge({ idempotencyKey }));
    expect(again).toMatchObject({
      replayed: true,
      recharge: { state: 'FAILED', failureCode: 'PAYMENT_FAILED' },
    });
  });

  test.each([
    ['amount', { amountMinor: 5_000n }],
    ['currency', { currency: 'EUR' }],
    ['account', { accountId: 'acct-2' }],
    ['payment method', { paymentMethod: 'alipay' }],
    ['order reference', { orderReference: 'PO-9' }],
    ['product', { productType: 'oss' }],
    ['plan', { planId: 'p2' }],
    ['metadata', { metadata: { a: '1' } }],
  ])('with a used key and another %s is refused', async (what, change) => {
    const idempotencyKey = `changed-${what}`;
    await recharged(books.domain, { idempotencyKey });
    const changed = await books.domain.createRecharge(newRecharge({ idempotencyKey, ...change }));
    expect(changed).toEqual({ ok: false, problem: 'key_used_with_other_body' });
    expect(await stored(idempotencyKey)).toEqual([{ requests: 1, transactions: 1 }]);
  });
});

test('of two clients with the same key makes two transactions', async () => {
  const idempotencyKey = 'shared';
  const [mine, yours] = await Promise.all([
    books.domain.createRecharge(newRecharge({ idempotencyKey })),
    books.domain.createRecharge(newRecharge({ idempotencyKey, clientId: OTHER_CLIENT, amountMinor: 1n })),
  ]);
  expect([mine, yours]).toMatchObject([{ replayed: false }, { replayed: false }]);
  expect(await stored(idempotencyKey)).toEqual([{ requests: 2, transactions: 2 }]);
});

test('1,000 calls with one key at two processes make one transaction, and all get it as their answer', async () => {
  const idempotencyKey = 'hammered';
  const doors = [books.open(), books.open()];
  const answers = await Promise.all(
    times(1_000, (n) => doors[n % 2]!.createRecharge(newRecharge({ idempotencyKey }))),
  );
  const ids = answers.map((answer) => answer.ok && answer.recharge.id);
  expect({ ids: new Set(ids).size, born: answers.filter((a) => a.ok && !a.replayed).length }).toEqual({
    ids: 1,
    born: 1,
  });
  expect(await stored(idempotencyKey)).toEqual([{ requests: 1, transactions: 1 }]);
});

test('many keys in opposite order at two processes cause no deadlock', async () => {
  const keys = times(200, (n) => `crossing-${n}`);
  const [one, other] = [books.open(), books.open()];
  const answers = await Promise.all([
    ...keys.map((idempotencyKey) => one.createRecharge(newRecharge({ idempotencyKey }))),
    ...keys.toReversed().map((idempotencyKey) => other.createRecharge(newRecharge({ idempotencyKey }))),
  ]);
  expect(answers.filter((answer) => answer.ok && !answer.replayed)).toHaveLength(200);
  expect(answers.filter((answer) => answer.ok && answer.replayed)).toHaveLength(200);
});

test('a request that the database refuses does not fail the others of its batch', async () => {
  const asks = times(10, (n) => newRecharge(n === 4 ? { amountMinor: 0n } : {}));
  const answers = await Promise.allSettled(asks.map((ask) => books.domain.createRecharge(ask)));
  expect(answers.map(({ status }) => status === 'fulfilled')).toEqual(times(10, (n) => n !== 4));
  expect(answers[4]).toMatchObject({ reason: { code: '23514' } });
  expect(await stored(asks[4]!.idempotencyKey)).toEqual([{ requests: 0, transactions: 0 }]);
});

test.each(['collect', 'deliver'] as const)(
  'a %s that was neither stored nor found is a fault and no refusal',
  async (kind) => {
    const accountId = `acct-lost-${kind}`;
    await deposit(books.domain, accountId, 10_000n);
    await books.rows(`
      create function lose_request() returns trigger language plpgsql as 'begin return null; end';
      create trigger lose_request before insert on recharge_request for each row
        when (new.idempotency_key = 'lost') execute function lose_request()`);
    const asks = [newRecharge({ accountId, kind, idempotencyKey: 'lost' }), newRecharge({ accountId, kind })];
    const answers = await Promise.allSettled(asks.map((ask) => books.domain.createRecharge(ask)));
    await books.rows('drop function lose_request cascade');
    expect(answers).toMatchObject([
      { status: 'rejected', reason: { message: expect.stringMatching(/neither stored nor refused/) } },
      { status: 'fulfilled', value: { ok: true, replayed: false } },
    ]);
    expect(await books.domain.verify()).toEqual([]);
  },
);
