import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openProviderMetrics } from '@replenish/assembly';
import { newsOfOrder } from '@replenish/domain';
import type { CancelOutcome, QueryOutcome } from '@replenish/providers';
import { openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { asker } from '../src/asker.js';
import { absent, answering, found } from './support/answering-provider.js';

let books: WorkerBooks;
let metrics: ReturnType<typeof openProviderMetrics>;
beforeAll(async () => {
  books = await openWorkerBooks();
  metrics = openProviderMetrics({ registry: openRegistry('reconciliation-worker'), log: books.log });
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

function openWorker(outcome: QueryOutcome, canceled?: CancelOutcome) {
  const { asked, ended, provider } = answering(outcome, canceled && { canceled });
  const queues = { hint: async () => true };
  return {
    asked,
    ended,
    ask: asker({ domain: books.domain, queues, accounts: [provider], log: books.log, metrics }),
  };
}

const orderOf = (id: string): string => `order of ${id}`;

/** A recharge that was sent. Its payer can pay it for `forMs` from now. */
async function payable(forMs = 3_600_000): Promise<string> {
  const id = await books.recharged({}, 'submit');
  const expiresAt = new Date(Date.now() + forMs);
  const action = { type: 'qr_code', value: 'https://qr.example/1', expiresAt } as const;
  const order = newsOfOrder({ providerOrderId: orderOf(id), action }, 'pending');
  await books.domain.applyNews({ ...order, transactionId: id, source: 'webhook', reason: 'taken' });
  await books.rows(
    `update provider_call set started_at = now() - interval '1 hour', ended_at = now() where transaction_id = $1`,
    [id],
  );
  return id;
}

/** A payable recharge that its client wants canceled. */
async function unwanted(): Promise<string> {
  const id = await payable();
  const wish = { news: 'withdraw', source: 'client', reason: 'as tested', isCancelable: true } as const;
  await books.domain.applyNews({ ...wish, transactionId: id });
  return id;
}

const factsOf = (id: string) => ({
  providerOrderId: orderOf(id),
  ...{ accountId: null, amountMinor: 4_999n, currency: 'USD' },
});
const calls = async (id: string) =>
  (await books.calls(id))
    .filter(({ operation }) => operation !== 'submit')
    .map(({ operation, outcome }) => [operation, outcome]);

describe('an order that its client wants canceled', () => {
  test('is canceled once the provider has ended it, without a query', async () => {
    const id = await unwanted();
    const { asked, ended, ask } = openWorker(found('pending', factsOf(id)), { kind: 'canceled' });
    await ask(id);
    await ask(id);
    expect([asked, ended, await calls(id)]).toEqual([[], [id], [['cancel', 'canceled']]]);
    expect(await books.recharge(id)).toMatchObject({ state: 'CANCELED', nextStep: null });
  });

  test('succeeds if the payer was faster', async () => {
    const id = await unwanted();
    await openWorker(absent, { kind: 'settled', ...factsOf(id) }).ask(id);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', nextStep: null });
  });

  test.each<CancelOutcome>([{ kind: 'pending' }, { kind: 'still_payable', until: null }])(
    'is canceled again after the answer $kind',
    async (outcome) => {
      const id = await unwanted();
      await openWorker(absent, outcome).ask(id);
      const waits = { state: 'PENDING_CONFIRMATION', nextStep: 'cancel' };
      expect([await books.recharge(id), await calls(id)]).toMatchObject([waits, [['cancel', outcome.kind]]]);
      await openWorker(absent, { kind: 'canceled' }).ask(id);
      expect(await books.recharge(id)).toMatchObject({ state: 'CANCELED' });
    },
  );

  test.each<CancelOutcome>([
    { kind: 'unknown', cause: 'timeout' },
    { kind: 'not_executed', cause: 'unreachable' },
  ])('is queried after the answer $kind, and stays to be canceled', async (outcome) => {
    const id = await unwanted();
    await openWorker(found('pending', factsOf(id)), outcome).ask(id);
    expect(await calls(id)).toEqual(
      expect.arrayContaining([
        ['cancel', outcome.kind],
        ['query', 'found'],
      ]),
    );
    expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', nextStep: 'cancel' });
    await openWorker(found('settled', factsOf(id)), outcome).ask(id);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
  });

  test('is never sent again, even if the provider no longer knows it', async () => {
    const id = await unwanted();
    await openWorker(absent, { kind: 'unknown', cause: 'unreadable' }).ask(id);
    expect(await books.recharge(id)).toMatchObject({ nextStep: 'cancel', attempt: 1 });
  });
});

describe('an unpaid order', () => {
  test('whose time is over is canceled by itself', async () => {
    const id = await payable(-1_000);
    const { ended, ask } = openWorker(found('pending', factsOf(id)), { kind: 'canceled' });
    await ask(id);
    expect([ended, await books.recharge(id)]).toMatchObject([[], { nextStep: 'cancel' }]);
    await ask(id);
    expect([ended, await books.recharge(id)]).toMatchObject([[id], { state: 'CANCELED' }]);
  });

  test('is left alone while it can be paid, and by a provider that cancels nothing', async () => {
    const [early, uncancelable] = [await payable(), await payable(-1_000)];
    await openWorker(found('pending', factsOf(early)), { kind: 'canceled' }).ask(early);
    await openWorker(found('pending', factsOf(uncancelable))).ask(uncancelable);
    for (const id of [early, uncancelable])
      expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', nextStep: 'ask' });
  });
});
