import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newsOfOrder } from '../../src/index.js';
import { type Books, openBooks, recharged } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const expiresAt = new Date('2030-01-01T00:00:00Z');
const action = { type: 'qr_code', value: 'https://qr.example/1', expiresAt } as const;
const report = (
  id: string,
  order: Partial<Parameters<typeof newsOfOrder>[0]>,
  status: Parameters<typeof newsOfOrder>[1] = 'pending',
) =>
  books.domain.applyNews({
    transactionId: id,
    ...newsOfOrder({ providerOrderId: `order of ${id}`, ...order }, status),
    source: 'webhook',
    reason: 'reported',
  });

test('what the payer has to do is kept until the recharge is final, and the numbers of the order are kept after that', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  await report(id, { action });
  await report(id, { externalReference: '2026-1' });
  const facts = { externalReference: '2026-1', payableUntil: expiresAt };
  expect(await books.domain.reads.recharge(id)).toMatchObject({
    ...facts,
    action: { ...action, expiresAt: expiresAt.toISOString() },
  });
  await report(id, {}, 'settled');
  expect(await books.domain.reads.recharge(id)).toMatchObject({ state: 'SUCCEEDED', ...facts, action: null });
});

test('what another order says to the payer is not kept', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  await report(id, {});
  await report(id, { providerOrderId: 'o2', action, externalReference: 'x' });
  const facts = { action: null, payableUntil: null, externalReference: null };
  expect(await books.domain.reads.recharge(id)).toMatchObject({ ...facts, openCases: ['several_orders'] });
});

test('an urgent report makes the next step due at once', async () => {
  const id = await recharged(books.domain, {}, 'submit', 'accepted');
  await books.domain.applyNews({
    ...{ transactionId: id, news: 'accepted', source: 'webhook', reason: 'declined, may be repeated' },
    isUrgent: true,
  });
  const [row] = await books.rows(
    'select next_step, due_at <= now() as due from recharge_transaction where id = $1',
    [id],
  );
  expect(row).toEqual({ next_step: 'ask', due: true });
});

const dueInMs = async (id: string): Promise<number> => {
  const [row] = await books.rows<{ ms: number }>(
    'select (extract(epoch from due_at - now()) * 1000)::float8 as ms from recharge_transaction where id = $1',
    [id],
  );
  return row!.ms;
};

test('the provider is asked when nobody can pay any more, and not over and over after that', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  const within = (ms: number) => ({ ...action, expiresAt: new Date(Date.now() + ms) });
  await report(id, { action: within(200) });
  const untilExpiry = await dueInMs(id);
  await report(id, { action: within(-1_000) });
  expect([untilExpiry <= 200, (await dueInMs(id)) > 500]).toEqual([true, true]);
});

const withdraw = (transactionId: string, isCancelable = true) =>
  books.domain.applyNews({
    ...{ transactionId, news: 'withdraw', source: 'client', reason: 'its client cancels it' },
    isCancelable,
  });

test('the wish to cancel is due at once in a lane of its own, and is on the timeline once', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  await report(id, { action });
  await withdraw(id, false);
  expect(await books.domain.reads.recharge(id)).toMatchObject({ nextStep: 'ask' });
  await Promise.all([withdraw(id), withdraw(id), withdraw(id)]);
  expect(await books.domain.reads.recharge(id)).toMatchObject({
    ...{ state: 'PENDING_CONFIRMATION', nextStep: 'cancel' },
  });
  const wishes = `select from transition where transaction_id = $1 and news = 'withdraw'`;
  expect(await books.rows(wishes, [id])).toHaveLength(1);
  await books.domain.takeDue(10, { what: 'recharge', provider: 'sandbox', nextStep: 'ask' });
  expect(await books.domain.dueElsewhere([])).toEqual([{ provider: 'sandbox', count: 1 }]);
  const lane = { what: 'recharge', provider: 'sandbox', nextStep: 'cancel' } as const;
  expect(books.domain.lanes(['sandbox'])).toContainEqual(lane);
  expect(await books.domain.takeDue(10, lane)).toEqual([{ ...lane, id }]);
});

test('money that arrives after the provider has ended the order is late money', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  await report(id, { action });
  await withdraw(id);
  await report(id, {}, 'canceled');
  await report(id, { amountMinor: 4_999n, currency: 'USD' }, 'settled');
  expect(await books.domain.reads.recharge(id)).toMatchObject({
    state: 'CANCELED',
    openCases: ['late_money'],
  });
  expect(await books.domain.verify()).toEqual([]);
});
