import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { openProviderMetrics } from '@replenish/assembly';
import type { GuardedRefunds, RefundOrder, SubmitOutcome } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { openClaimCounter, submitter } from '../src/submitter.js';
import { answering, called } from './support/answering-provider.js';

const registry = openRegistry('submission-worker');
const claims = openClaimCounter(registry);
let books: WorkerBooks;
let metrics: ReturnType<typeof openProviderMetrics>;
beforeAll(async () => {
  books = await openWorkerBooks();
  metrics = openProviderMetrics({ registry, log: books.log });
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

/** Opens a worker whose provider answers refunds with `outcome`. Null: it offers none. */
function openWorker(outcome: SubmitOutcome | null) {
  const refunded: RefundOrder[] = [];
  const { sent, provider } = answering({ kind: 'accepted', providerOrderId: 'sbx_charged' });
  const refunds: GuardedRefunds | null = outcome && {
    submit: async (refund) => {
      refunded.push(refund);
      return { outcome, calls: [called(outcome.kind, { operation: 'refund' })] };
    },
    find: () => Promise.reject(new Error('a submitter asks nothing')),
  };
  const submit = submitter({
    ...{ domain: books.domain, publicUrl: 'https://us.test', log: books.log, claims, metrics },
    provider: { ...provider, ...(refunds && { refunds }) },
  });
  return { sent, refunded, submit };
}

/** A refund of 1,000 cents of a recharge that succeeded. Returns the ids of both. */
async function aRefund(kind: 'collect' | 'deliver' = 'collect') {
  const accountId = `acct-${newId()}`;
  await books.recharged({ accountId }, 'submit', 'settled');
  const of = await books.recharged({ kind, accountId, metadata: { scenario: 'ok' } }, 'submit');
  await books.domain.applyNews({
    ...{ transactionId: of, news: 'settled', source: 'webhook', reason: 'as tested' },
    providerOrderId: `sbx_${of}`,
  });
  const created = await books.domain.createRefund({
    ...{ id: newId(), of, clientId: '00000000-0000-7000-8000-00000000000a', idempotencyKey: newId() },
    ...{ amountMinor: 1_000n, reason: 'as tested', correlationId: 'c-1' },
  });
  if (!created.ok) throw new Error(created.problem);
  return { of, id: created.refund.id, accountId };
}

const settled: SubmitOutcome = {
  ...{ kind: 'settled', providerOrderId: 'sbx_back', accountId: null },
  ...{ amountMinor: 1_000n, currency: 'USD' },
};

test.each(['collect', 'deliver'] as const)(
  'a refund of a %s is sent as a refund of its order',
  async (kind) => {
    const { of, id, accountId } = await aRefund(kind);
    const { sent, refunded, submit } = openWorker(settled);
    await submit(id);
    expect(sent).toEqual([]);
    expect(refunded).toEqual([
      {
        ...{ reference: id, of: { reference: of, providerOrderId: `sbx_${of}` }, accountId },
        ...{ amountMinor: 1_000n, currency: 'USD', metadata: { scenario: 'ok' } },
        notifyUrl: 'https://us.test/webhooks/sandbox',
      },
    ]);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', orderId: 'sbx_back' });
  },
);

test('a refund of unknown outcome is asked about and not sent again', async () => {
  const { id } = await aRefund();
  const { refunded, submit } = openWorker({ kind: 'unknown', cause: 'timeout' });
  await submit(id);
  await submit(id);
  expect(refunded).toHaveLength(1);
  expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', nextStep: 'ask' });
});

test('a refused refund gives its amount back to the wallet', async () => {
  const { id, accountId } = await aRefund();
  await openWorker({ kind: 'rejected', code: 'not_refundable', message: 'no' }).submit(id);
  expect(await books.recharge(id)).toMatchObject({ state: 'FAILED' });
  const [balance] = await books.domain.balances.of(accountId, 'USD');
  expect(balance).toMatchObject({ availableMinor: 9_998n, frozenMinor: 0n });
});

test('a provider that offers no refunds is never sent a refund as an order', async () => {
  const { id } = await aRefund();
  const { sent, submit } = openWorker(null);
  await submit(id);
  expect(sent).toEqual([]);
  expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', nextStep: 'submit' });
});
