import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openProviderMetrics } from '@replenish/assembly';
import { StoreUnavailable } from '@replenish/domain';
import type { SubmitOutcome } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, RECONCILE_AFTER_MS, type WorkerBooks } from '@replenish/testing';
import { type ClaimCounter, openClaimCounter, submitter } from '../src/submitter.js';
import { answering, called, type Wishes } from './support/answering-provider.js';

const registry = openRegistry('submission-worker');
let books: WorkerBooks;
let claims: ClaimCounter;
let metrics: ReturnType<typeof openProviderMetrics>;
beforeAll(async () => {
  books = await openWorkerBooks();
  claims = openClaimCounter(registry);
  metrics = openProviderMetrics({ registry, log: books.log });
});
afterEach(async () => {
  await books.heal();
  expect(await books.domain.verify()).toEqual([]);
});
afterAll(() => books.close());

/** Opens a worker whose provider answers with `outcome`. `sent` records the orders. */
function openWorker(outcome: SubmitOutcome, wishes: Wishes = {}) {
  const { sent, provider } = answering(outcome, wishes);
  const deps = {
    domain: books.domain,
    provider,
    publicUrl: 'https://us.test',
    log: books.log,
    claims,
    metrics,
  };
  return { sent, submit: submitter(deps) };
}

const accepted = (): SubmitOutcome => ({ kind: 'accepted', providerOrderId: `sbx_${newId()}` });
const settled = (providerOrderId: string, amountMinor = 4_999n): SubmitOutcome => ({
  kind: 'settled',
  providerOrderId,
  accountId: null,
  amountMinor,
  currency: 'USD',
});
const refused: SubmitOutcome = { kind: 'not_executed', cause: 'unavailable' };

const untouched = { state: 'CREATED', confirmation: null, nextStep: 'submit', attempt: 0 };
const pending = { state: 'PENDING_CONFIRMATION', attempt: 1 };

const claimsCounted = async () => {
  const { values } = await claims.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels.result, value]));
};
const confirmations = async () => {
  const { values } = await registry.getSingleMetric('replenish_confirmation_seconds')!.get();
  const counted = values as { metricName?: string; value: number }[];
  return counted.find(({ metricName }) => metricName?.endsWith('_count'))?.value ?? 0;
};

describe('an attempt', () => {
  test('sends the data of the recharge, and its claim is stored before the call', async () => {
    const storedDuringCall: unknown[] = [];
    const { sent, submit } = openWorker(accepted(), {
      meanwhile: async ({ reference }) =>
        storedDuringCall.push(await books.recharge(reference), ...(await books.calls(reference))),
    });
    const id = await books.recharged({ accountId: 'acct-7', metadata: { scenario: 'ok' } });
    expect(await submit(id)).toBeUndefined();
    expect(sent).toEqual([
      {
        reference: id,
        accountId: 'acct-7',
        amountMinor: 4_999n,
        currency: 'USD',
        paymentMethod: 'sandbox',
        notifyUrl: 'https://us.test/webhooks/sandbox',
        metadata: { scenario: 'ok' },
      },
    ]);
    expect(storedDuringCall).toEqual([
      expect.objectContaining({ state: 'SUBMITTED', nextStep: 'ask', attempt: 1, dueAfterMs: 8_000 }),
      { operation: 'submit', attempt: 1, outcome: null, code: null, status: null, ended: false },
    ]);
  });

  test('is made once, however many jobs name the recharge', async () => {
    const { sent, submit } = openWorker(accepted());
    const id = await books.recharged({});
    const before = await claimsCounted();
    await Promise.all([submit(id), submit(id), submit(id)]);
    await submit(id);
    expect(sent).toHaveLength(1);
    const after = await claimsCounted();
    expect(after.won! - (before.won ?? 0)).toBe(1);
    expect(after.refused! - (before.refused ?? 0)).toBe(3);
  });

  test('is not made for a recharge of another provider or an unknown one', async () => {
    const { sent, submit } = openWorker(accepted());
    const id = await books.recharged({ provider: 'alipay' });
    for (const hinted of [id, newId()]) expect(await submit(hinted)).toBeUndefined();
    expect(sent).toEqual([]);
    expect(await books.recharge(id)).toMatchObject(untouched);
    expect(await books.calls(id)).toEqual([]);
  });

  test('is not claimed while the breaker is open', async () => {
    const { sent, submit } = openWorker(accepted(), { retryAtMs: 1_234 });
    const id = await books.recharged({});
    const before = await claimsCounted();
    expect(await submit(id)).toBeUndefined();
    expect(sent).toEqual([]);
    expect(await books.recharge(id)).toMatchObject(untouched);
    expect(await claimsCounted()).toEqual(before);
  });
});

const acknowledged = { ...pending, confirmation: 'acknowledged', nextStep: 'ask' };
const unclear = { ...pending, confirmation: 'unknown' };
const done = { nextStep: null, dueAfterMs: null, confirmation: 'acknowledged', attempt: 1 };

describe('an answer', () => {
  test.each([
    [
      'accepted',
      { kind: 'accepted', providerOrderId: 'sbx_1' },
      { ...acknowledged, orderId: 'sbx_1', dueAfterMs: RECONCILE_AFTER_MS },
    ],
    ['settled', settled('sbx_2'), { ...done, state: 'SUCCEEDED', orderId: 'sbx_2' }],
    ['rejected', { kind: 'rejected', code: 'no_card', message: 'gone' }, { ...done, state: 'FAILED' }],
    [
      'unknown',
      { kind: 'unknown', cause: 'timeout' },
      { ...unclear, nextStep: 'ask', dueAfterMs: RECONCILE_AFTER_MS },
    ],
    [
      'not executed, with a time',
      { kind: 'not_executed', cause: 'rate_limited', retryAfterMs: 7_000 },
      { ...unclear, nextStep: 'submit', dueAfterMs: 7_000 },
    ],
    ['not executed, without one', refused, { ...unclear, nextStep: 'submit', dueAfterMs: 1_000 }],
  ] satisfies [string, SubmitOutcome, object][])('that is %s', async (_what, outcome, expected) => {
    const calls = [called(outcome.kind, { httpStatus: 299, providerCode: 'said' })];
    const { submit } = openWorker(outcome, { calls });
    const id = await books.recharged({});
    expect(await submit(id)).toBeUndefined();
    expect(await books.recharge(id)).toMatchObject(expected);
    expect(await books.calls(id)).toEqual([
      { operation: 'submit', attempt: 1, outcome: outcome.kind, code: 'said', status: 299, ended: true },
    ]);
    expect(await books.cases(id)).toEqual([]);
  });

  test('that is a refusal is stored with its reason', async () => {
    const { submit } = openWorker({ kind: 'rejected', code: 'no_card', message: 'gone' });
    const id = await books.recharged({});
    await submit(id);
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      failureCode: 'PROVIDER_ERROR',
      failureMessage: 'no_card: gone',
    });
  });

  test('that is settled is posted and counted once', async () => {
    const { submit } = openWorker(settled('sbx_posted'));
    const id = await books.recharged({ accountId: 'acct-posted' });
    const before = await confirmations();
    await submit(id);
    await submit(id);
    expect(await books.rows('select slot from ledger_journal where transaction_id = $1', [id])).toEqual([
      { slot: 'collect' },
    ]);
    expect(await confirmations()).toBe(before + 1);
  });

  test('that is settled with another amount opens a case, and nothing is sent again', async () => {
    const { sent, submit } = openWorker(settled('sbx_other', 5_000n));
    const id = await books.recharged({});
    await submit(id);
    await submit(id);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUBMITTED', nextStep: 'ask', attempt: 1 });
    expect(await books.cases(id)).toEqual(['wrong_amount']);
    expect(sent).toHaveLength(1);
  });

  test('that is not executed allows another attempt, and the one after it waits longer', async () => {
    const { sent, submit } = openWorker(refused);
    const id = await books.recharged({});
    await submit(id);
    await submit(id);
    expect(sent).toHaveLength(2);
    expect(await books.recharge(id)).toMatchObject({
      ...unclear,
      attempt: 2,
      nextStep: 'submit',
      dueAfterMs: RECONCILE_AFTER_MS,
    });
    expect((await books.calls(id)).map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'not_executed'],
      [2, 'not_executed'],
    ]);
  });

  test('that a webhook has overtaken changes nothing', async () => {
    const money = { amountMinor: 4_999n, currency: 'USD' };
    const { submit } = openWorker(accepted(), {
      meanwhile: ({ reference }) =>
        books.domain.applyNews({
          transactionId: reference,
          news: 'settled',
          source: 'webhook',
          reason: 'as tested',
          money,
        }),
    });
    const id = await books.recharged({});
    await submit(id);
    expect(await books.recharge(id)).toMatchObject({ ...done, state: 'SUCCEEDED' });
    expect(await books.cases(id)).toEqual([]);
  });

  test('to an earlier attempt changes nothing', async () => {
    const { submit } = openWorker(
      { kind: 'rejected', code: 'late', message: '' },
      {
        meanwhile: async ({ reference: transactionId }) => {
          const absent = { transactionId, source: 'poll', reason: 'absent', nextStep: 'submit' } as const;
          await books.domain.applyNews({ ...absent, news: 'unknown' });
          await books.domain.applyNews({ ...absent, news: 'submit', source: 'submission' });
        },
      },
    );
    const id = await books.recharged({});
    await submit(id);
    expect(await books.recharge(id)).toMatchObject({ ...pending, attempt: 2, nextStep: 'ask' });
  });

  test.each([
    ['faulty statement', '42601', 0],
    ['store unavailable', '40001', 1],
  ])(
    'that cannot be stored (%s) throws, and the claim stays without an answer',
    async (_what, sqlState, warned) => {
      const { sent, submit } = openWorker(accepted());
      const id = await books.recharged({});
      await books.refuse(id, 'accepted', sqlState);
      const failure = await submit(id).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(failure instanceof StoreUnavailable).toBe(warned === 1);
      const warnings = books.logged.filter(
        ({ level, transactionId }) => level === 'warn' && transactionId === id,
      );
      expect(warnings).toHaveLength(warned);
      await books.heal();
      await submit(id);
      expect(sent).toHaveLength(1);
      expect(await books.recharge(id)).toMatchObject({
        state: 'SUBMITTED',
        nextStep: 'ask',
        dueAfterMs: 8_000,
      });
      expect(await books.calls(id)).toEqual([
        { operation: 'submit', attempt: 1, outcome: null, code: null, status: null, ended: false },
      ]);
    },
  );
});

describe('the record of calls', () => {
  test('completes the row of the claim when the breaker refused the call', async () => {
    const { submit } = openWorker(refused, { calls: [] });
    const id = await books.recharged({});
    await submit(id);
    expect(await books.recharge(id)).toMatchObject({ ...unclear, nextStep: 'submit' });
    expect(await books.calls(id)).toEqual([
      { operation: 'submit', attempt: 1, outcome: 'not_executed', code: null, status: null, ended: true },
    ]);
  });

  test('has the row of the claim for the first call and one more row per retry', async () => {
    const startedAt = (n: number) => ({ startedAt: new Date(Date.now() + n * 1_000) });
    const calls = [
      called('not_executed', { httpStatus: 429, providerCode: 'rate_limited' }),
      called('not_executed', { httpStatus: null, ...startedAt(60) }),
      called('accepted', startedAt(120)),
    ];
    const { submit } = openWorker(accepted(), { calls });
    const id = await books.recharged({});
    await submit(id);
    const one = { operation: 'submit', attempt: 1, code: null, ended: true };
    expect(await books.calls(id)).toEqual([
      { ...one, outcome: 'not_executed', code: 'rate_limited', status: 429 },
      { ...one, outcome: 'not_executed', status: null },
      { ...one, outcome: 'accepted', status: 201 },
    ]);
  });
});
