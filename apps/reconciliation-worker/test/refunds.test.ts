import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openProviderMetrics } from '@replenish/assembly';
import type { QueryOutcome, SoughtRefund } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { asker } from '../src/asker.js';
import { absent, answering, called } from './support/answering-provider.js';

let books: WorkerBooks;
let metrics: ReturnType<typeof openProviderMetrics>;
beforeAll(async () => {
  books = await openWorkerBooks();
  metrics = openProviderMetrics({ registry: openRegistry('reconciliation-worker'), log: books.log });
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

/** Opens a worker whose provider answers questions about refunds with `outcome`. */
function openWorker(outcome: QueryOutcome, isOpen = false) {
  const sought: SoughtRefund[] = [];
  const { asked, provider } = answering(absent);
  const refunds = {
    submit: () => Promise.reject(new Error('an asker sends nothing')),
    find: async (refund: SoughtRefund) => {
      sought.push(refund);
      return { outcome, calls: [called(outcome.kind)] };
    },
  };
  const open = (operation: string) => (isOpen && operation === 'refund_query' ? { retryAtMs: 1 } : null);
  const ask = asker({
    ...{ domain: books.domain, queues: { hint: async () => true }, log: books.log, metrics },
    accounts: [{ ...provider, refunds, isOpen: open }],
  });
  return { asked, sought, ask };
}

/** A refund of 1,000 cents whose submit had no answer, an hour ago. Returns its id and that of its recharge. */
async function unansweredRefund() {
  const of = await books.recharged({}, 'submit', 'settled');
  const id = newId();
  await books.domain.createRefund({
    ...{ id, of, clientId: '00000000-0000-7000-8000-00000000000a', idempotencyKey: id },
    ...{ amountMinor: 1_000n, reason: 'as tested', correlationId: 'c-1' },
  });
  for (const news of ['submit', 'unknown'] as const)
    await books.domain.applyNews({ transactionId: id, news, source: 'submission', reason: 'as tested' });
  await books.rows(
    `update provider_call set started_at = started_at - interval '1 hour' where transaction_id = $1`,
    [id],
  );
  return { id, of };
}

const found: QueryOutcome = {
  ...{ kind: 'found', status: 'settled', providerOrderId: 'sbx_back', accountId: null },
  ...{ amountMinor: 1_000n, currency: 'USD' },
};

test('a refund is asked about as a refund, and settles with what the provider found', async () => {
  const { id, of } = await unansweredRefund();
  const { asked, sought, ask } = openWorker(found);
  await ask(id);
  expect(asked).toEqual([]);
  expect(sought).toMatchObject([{ reference: id, of: { reference: of }, amountMinor: 1_000n }]);
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', orderId: 'sbx_back' });
});

test('a refund that the provider does not have is sent again', async () => {
  const { id } = await unansweredRefund();
  await openWorker(absent).ask(id);
  expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', nextStep: 'submit' });
});

test('a refund waits while the breaker of its questions is open', async () => {
  const { id } = await unansweredRefund();
  const { sought, ask } = openWorker(found, true);
  await ask(id);
  expect(sought).toEqual([]);
  expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', nextStep: 'ask' });
});
