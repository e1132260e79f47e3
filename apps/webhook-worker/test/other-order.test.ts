import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { OrderStatus } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { type EventCounter, openEventCounter, processor } from '../src/processor.js';
import { type Facts, provider, told } from './support/written-events.js';

let books: WorkerBooks;
let events: EventCounter;
beforeAll(async () => {
  books = await openWorkerBooks();
  events = openEventCounter(openRegistry('webhook-worker'));
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

/** Takes an event in and processes it. Events wait `unmatchedAfterMs` for a recharge that is not sent yet. */
async function hear(status: OrderStatus, facts: Facts, unmatchedAfterMs = 600_000): Promise<void> {
  const id = newId();
  const rawBody = Buffer.from(told(status, facts));
  await books.domain.inbox.keep({ id, provider: 'sandbox', eventId: id, rawBody, correlationId: 'c-1' });
  const providers = { raw: () => provider };
  const deps = { domain: books.domain, providers, log: books.log, events, metrics: { onReported: () => {} } };
  await processor({ ...deps, unmatchedAfterMs })(id);
}

const posted = (id: string) =>
  books.rows(
    `select slot, credit_account as to, amount::text from report.postings where transaction_id = $1 order by slot`,
    [id],
  );

test('money on another account is a case, is put aside, and credits nobody', async () => {
  const id = await books.recharged({ accountId: 'acct-ours' }, 'submit', 'accepted');
  await hear('settled', { reference: id, accountId: 'acct-theirs' });
  expect(await books.cases(id)).toEqual(['other_account']);
  expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', orderId: null });
  expect(await posted(id)).toEqual([{ slot: 'suspense', to: 'suspense:sandbox', amount: '4999' }]);
});

test('a second order that settles is a case, its money is put aside, and the first one still settles', async () => {
  const id = await books.recharged({ accountId: 'acct-twice' }, 'submit');
  await hear('pending', { reference: id, providerOrderId: 'sbx_first' });
  await hear('settled', { reference: id, providerOrderId: 'sbx_second' });
  await hear('settled', { reference: id, providerOrderId: 'sbx_first' });
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', orderId: 'sbx_first' });
  expect(await books.cases(id)).toEqual(['several_orders']);
  expect(await posted(id)).toEqual([
    { slot: 'collect', to: 'wallet:acct-twice:available', amount: '4999' },
    { slot: 'suspense', to: 'suspense:sandbox', amount: '4999' },
  ]);
});

test.each(['pending', 'declined', 'canceled'] as const)(
  'an order of another amount that is %s is a case without money',
  async (status) => {
    const id = await books.recharged({}, 'submit', 'accepted');
    await hear(status, { reference: id, amountMinor: 1 });
    expect(await books.cases(id)).toEqual(['wrong_amount']);
    expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION' });
    expect(await posted(id)).toEqual([]);
  },
);

test('a cancel of what nobody sent is a case, and the recharge is sent as before', async () => {
  const id = await books.recharged({});
  await hear('canceled', { reference: id }, 0);
  expect(await books.recharge(id)).toMatchObject({ state: 'CREATED', nextStep: 'submit' });
  expect(await books.cases(id)).toEqual(['unsent_order']);
});
