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
const report = (id: string, order: Partial<Parameters<typeof newsOfOrder>[0]> = {}) =>
  books.domain.applyNews({
    transactionId: id,
    ...newsOfOrder({ status: 'pending', providerOrderId: 'o1', ...order }),
    source: 'webhook',
    reason: 'reported',
  });

test('what the payer has to do is kept until the recharge is final, and the numbers of the order beyond that', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  await report(id, { action });
  await report(id, { externalReference: '2026-1' });
  const facts = { externalReference: '2026-1', payableUntil: expiresAt };
  expect(await books.domain.reads.recharge(id)).toMatchObject({
    ...facts,
    action: { ...action, expiresAt: expiresAt.toISOString() },
  });
  await report(id, { status: 'settled' });
  expect(await books.domain.reads.recharge(id)).toMatchObject({ state: 'SUCCEEDED', ...facts, action: null });
});

test('what another order says to the payer is not kept', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  await report(id);
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
