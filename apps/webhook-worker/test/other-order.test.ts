import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { OrderStatus } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { type EventCounter, openEventCounter, processor } from '../src/processor.js';
import { eventBody, type Facts, provider } from './support/written-events.js';

let books: WorkerBooks;
let events: EventCounter;
beforeAll(async () => {
  books = await openWorkerBooks();
  events = openEventCounter(openRegistry('webhook-worker'));
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

/**
 * Stores an event and processes it. An event waits for `unmatchedAfterMs` for a recharge that was not submitted yet.
 */
async function receive(status: OrderStatus, facts: Facts, unmatchedAfterMs = 600_000): Promise<void> {
  const id = newId();
  const rawBody = Buffer.from(eventBody(status, facts));
  await books.domain.inbox.keep({ id, provider: 'sandbox', eventId: id, rawBody, correlationId: 'c-1' });
  const providers = { accounts: () => ['main'], raw: () => provider };
  const deps = { domain: books.domain, providers, log: books.log, events, metrics: { onReported: () => {} } };
  await processor({ ...deps, unmatchedAfterMs })(id);
}

const posted = (id: string) =>
  books.rows(
    `select slot, credit_account as to, amount::text from report.postings where transaction_id = $1 order by slot`,
    [id],
  );

test('money on another account opens a case, goes to suspense and credits no wallet', async () => {
  const id = await books.recharged({ accountId: 'acct-ours' }, 'submit', 'accepted');
  await receive('settled', { reference: id, accountId: 'acct-theirs' });
  expect(await books.cases(id)).toEqual(['other_account']);
  expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', orderId: null });
  expect(await posted(id)).toEqual([{ slot: 'suspense', to: 'suspense:sandbox', amount: '4999' }]);
});

test('a second settled order opens a case, its money goes to suspense, and the first order still settles', async () => {
  const id = await books.recharged({ accountId: 'acct-twice' }, 'submit');
  await receive('pending', { reference: id, providerOrderId: 'sbx_first' });
  await receive('settled', { reference: id, providerOrderId: 'sbx_second' });
  await receive('settled', { reference: id, providerOrderId: 'sbx_first' });
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', orderId: 'sbx_first' });
  expect(await books.cases(id)).toEqual(['several_orders']);
  expect(await posted(id)).toEqual([
    { slot: 'collect', to: 'wallet:acct-twice:available', amount: '4999' },
    { slot: 'suspense', to: 'suspense:sandbox', amount: '4999' },
  ]);
});

test.each(['pending', 'declined', 'canceled'] as const)(
  'an order of another amount that is %s opens a case and moves no money',
  async (status) => {
    const id = await books.recharged({}, 'submit', 'accepted');
    await receive(status, { reference: id, amountMinor: 1 });
    expect(await books.cases(id)).toEqual(['wrong_amount']);
    expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION' });
    expect(await posted(id)).toEqual([]);
  },
);

test('a cancel of an unsubmitted recharge opens a case, and the recharge is still submitted', async () => {
  const id = await books.recharged({});
  await receive('canceled', { reference: id }, 0);
  expect(await books.recharge(id)).toMatchObject({ state: 'CREATED', nextStep: 'submit' });
  expect(await books.cases(id)).toEqual(['unsent_order']);
});
