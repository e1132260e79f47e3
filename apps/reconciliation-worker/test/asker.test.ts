import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openProviderMetrics } from '@replenish/assembly';
import type { NewRecharge, News } from '@replenish/domain';
import type { QueryOutcome } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, RECONCILE_AFTER_MS, type WorkerBooks } from '@replenish/testing';
import { asker } from '../src/asker.js';
import { absent, answering, found, several, type Wishes } from './support/answering-provider.js';

let books: WorkerBooks;
let metrics: ReturnType<typeof openProviderMetrics>;
beforeAll(async () => {
  books = await openWorkerBooks();
  metrics = openProviderMetrics({ registry: openRegistry('reconciliation-worker'), log: books.log });
});
afterEach(async () => {
  await books.heal();
  expect(await books.domain.verify()).toEqual([]);
});
afterAll(() => books.close());

/** Opens a worker whose provider answers with `outcome`. `asked` and `hints` record its queries and hints. */
function openWorker(outcome: QueryOutcome, wishes: Wishes = {}) {
  const { asked, provider } = answering(outcome, wishes);
  const hints: { queue: string; ids: readonly string[] }[] = [];
  const queues = { hint: async (queue: string, ids: readonly string[]) => hints.push({ queue, ids }) > 0 };
  return { asked, hints, ask: asker({ ...books, queues, accounts: [provider], metrics }) };
}

/** Creates a recharge that was submitted an hour ago. Each of `news` has been reported for it since. */
async function outstanding(news: readonly News[] = [], over: Partial<NewRecharge> = {}): Promise<string> {
  const id = await books.recharged(over, 'submit', ...news);
  await books.rows(
    `update provider_call set started_at = started_at - interval '1 hour' where transaction_id = $1`,
    [id],
  );
  return id;
}

/** The claim that a submit job of this recharge would get. */
const claimOf = async (transactionId: string) => {
  const submit = { news: 'submit', source: 'submission', reason: 'as tested', provider: 'sandbox' } as const;
  return (await books.domain.applyNews({ transactionId, ...submit })).claim;
};

const queries = async (id: string) =>
  (await books.calls(id)).filter(({ operation }) => operation === 'query');

/** Milliseconds until the recharge is due, from its row, because a poll without news writes no transition. */
const dueInMs = async (id: string) => {
  const [row] = await books.rows<{ ms: number }>(
    'select (extract(epoch from due_at - now()) * 1000)::float8 as ms from recharge_transaction where id = $1',
    [id],
  );
  return row!.ms;
};

const acknowledged = { state: 'PENDING_CONFIRMATION', confirmation: 'acknowledged', nextStep: 'ask' };
const unclear = { state: 'PENDING_CONFIRMATION', confirmation: 'unknown', nextStep: 'ask' };

describe('the provider is not asked', () => {
  const untouched = async (id: string) => {
    const { asked, hints, ask } = openWorker(found('settled'));
    const before = await books.recharge(id);
    expect(await ask(id)).toBeUndefined();
    expect([asked, hints]).toEqual([[], []]);
    expect(await books.recharge(id)).toEqual(before);
  };

  test('about a recharge of another provider', async () =>
    untouched(await outstanding(['accepted'], { provider: 'alipay' })));

  test('about a recharge that was not submitted', async () => untouched(await books.recharged({})));

  test('about a recharge whose submit may still be running', async () =>
    untouched(await books.recharged({}, 'submit')));

  test('about a finished recharge', async () => untouched(await outstanding(['settled'])));

  const unknownId = '00000000-0000-7000-8000-000000000000';
  test.each([unknownId, 'no uuid'])('about an unknown id: %s', async (id) => {
    const { asked, ask } = openWorker(found('settled'));
    expect(await ask(id)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test('while the breaker is open; the job is dropped', async () => {
    const id = await outstanding();
    const { asked, ask } = openWorker(found('settled'), { retryAtMs: 1_234 });
    expect(await ask(id)).toBeUndefined();
    expect(asked).toEqual([]);
    expect(await queries(id)).toEqual([]);
  });
});

describe('an order is found', () => {
  const before = [
    ['without an answer', []],
    ['of an unknown outcome', ['unknown']],
    ['acknowledged', ['accepted']],
  ] satisfies [string, News[]][];

  test.each(before)('pending, for a recharge %s: the recharge is acknowledged', async (_what, news) => {
    const id = await outstanding(news);
    const { asked, hints, ask } = openWorker(found('pending', { providerOrderId: `sbx_${id}` }));
    expect(await ask(id)).toBeUndefined();
    expect([asked, hints]).toEqual([[id], []]);
    expect(await books.recharge(id)).toMatchObject({ ...acknowledged, orderId: `sbx_${id}`, attempt: 1 });
    expect(await queries(id)).toEqual([
      { operation: 'query', attempt: 1, outcome: 'found', code: 'said', status: 299, ended: true },
    ]);
  });

  test.each(before)('settled, for a recharge %s: the wallet is credited', async (_what, news) => {
    const accountId = newId();
    const id = await outstanding(news, { accountId });
    const { asked, ask } = openWorker(found('settled'));
    await ask(id);
    await ask(id);
    expect(asked).toEqual([id]);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', nextStep: null, dueAfterMs: null });
    expect(await books.domain.balances.of(accountId)).toMatchObject([{ availableMinor: 4_999n }]);
  });

  test.each(before)('declined, for a recharge %s: it fails with the reason', async (_what, news) => {
    const id = await outstanding(news);
    const { ask } = openWorker(found('declined', { code: 'no_money', message: 'empty' }));
    await ask(id);
    expect(await books.domain.reads.recharge(id)).toMatchObject({
      state: 'FAILED',
      failureCode: 'PAYMENT_FAILED',
      failureMessage: 'no_money: empty',
    });
  });

  test('settled with another amount: one case is opened', async () => {
    const id = await outstanding(['accepted']);
    const { ask } = openWorker(found('settled', { amountMinor: 5_000n }));
    for (let n = 0; n < 3; n++) await ask(id);
    expect(await books.recharge(id)).toMatchObject(acknowledged);
    expect(await books.cases(id)).toEqual(['wrong_amount']);
  });

  test('canceled, for a recharge without an answer: the first query acknowledges it, the next one cancels it', async () => {
    const id = await outstanding();
    const { ask } = openWorker(found('canceled'));
    await ask(id);
    expect(await books.recharge(id)).toMatchObject({ ...acknowledged, dueAfterMs: RECONCILE_AFTER_MS });
    await ask(id);
    expect(await books.recharge(id)).toMatchObject({ state: 'CANCELED', nextStep: null });
    expect(await books.cases(id)).toEqual([]);
  });

  test('canceled, for a delivery: the held money is returned', async () => {
    const accountId = newId();
    await books.recharged({ accountId }, 'submit', 'settled');
    const id = await outstanding([], { accountId, kind: 'deliver', amountMinor: 4_000n });
    const { ask } = openWorker(found('canceled', { amountMinor: 4_000n }));
    const held = { availableMinor: 999n, frozenMinor: 4_000n };
    expect(await books.domain.balances.of(accountId)).toMatchObject([held]);
    await ask(id);
    expect(await books.domain.balances.of(accountId)).toMatchObject([held]);
    await ask(id);
    expect(await books.recharge(id)).toMatchObject({ state: 'CANCELED' });
    expect(await books.domain.balances.of(accountId)).toMatchObject([
      { availableMinor: 4_999n, frozenMinor: 0n },
    ]);
  });
});

describe('an order is absent', () => {
  test.each([
    ['without an answer', []],
    ['of an unknown outcome', ['unknown']],
  ] satisfies [string, News[]][])('for a recharge %s: it is submitted again at once', async (_what, news) => {
    const id = await outstanding(news);
    const { hints, ask } = openWorker(absent);
    await ask(id);
    expect(await books.recharge(id)).toMatchObject({ ...unclear, nextStep: 'submit', attempt: 1 });
    expect(await dueInMs(id)).toBeLessThanOrEqual(0);
    expect(hints).toEqual([{ queue: 'submission-sandbox', ids: [id] }]);
    expect(await books.cases(id)).toEqual([]);
    expect(await claimOf(id)).toMatchObject({ transactionId: id, attempt: 2 });
  });

  test.each([[[]], [['unknown']]] satisfies [News[]][])(
    'at a provider without idempotent submits: a case is opened and nothing is sent (%j)',
    async (news) => {
      const id = await outstanding(news);
      const { hints, ask } = openWorker(absent, { promises: { idempotentSubmit: false } });
      for (let n = 0; n < 3; n++) await ask(id);
      expect(await books.recharge(id)).toMatchObject({ ...unclear, attempt: 1 });
      expect(await books.cases(id)).toEqual(['absent_order']);
      expect(hints).toEqual([]);
      expect(await claimOf(id)).toBeNull();
    },
  );

  test('for an acknowledged recharge: one case is opened and nothing is sent', async () => {
    const id = await outstanding(['accepted']);
    const { asked, ask } = openWorker(absent);
    for (let n = 0; n < 3; n++) await ask(id);
    expect(asked).toEqual([id, id, id]);
    expect(await books.recharge(id)).toMatchObject({ ...acknowledged, attempt: 1 });
    expect(await books.cases(id)).toEqual(['absent_order']);
    expect(await dueInMs(id)).toBeGreaterThan(0);
    // A hint may have been sent. A worker that follows the hint gets no claim.
    expect(await claimOf(id)).toBeNull();
  });

  test('as the answer to a query from before the current attempt: nothing changes', async () => {
    const id = await outstanding(['unknown']);
    const { ask } = openWorker(absent, {
      meanwhile: async () => {
        await openWorker(absent).ask(id);
        expect(await claimOf(id)).toMatchObject({ attempt: 2 });
      },
    });
    await ask(id);
    expect(await books.recharge(id)).toMatchObject({ nextStep: 'ask', attempt: 2 });
    expect(await claimOf(id)).toBeNull();
  });
});

test.each([[[]], [['unknown']], [['accepted']]] satisfies [News[]][])(
  'several orders of one reference open one case, however often they are found (%j)',
  async (news) => {
    const id = await outstanding(news);
    const { asked, hints, ask } = openWorker(several);
    for (let n = 0; n < 3; n++) await ask(id);
    expect([asked, hints]).toEqual([[id, id, id], []]);
    expect(await books.cases(id)).toEqual(['several_orders']);
    expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', nextStep: 'ask' });
    expect(await queries(id)).toHaveLength(3);
    expect(await claimOf(id)).toBeNull();
  },
);

describe('a query without a definite answer', () => {
  const refusedFor = (retryAfterMs: number): QueryOutcome => ({
    kind: 'not_executed',
    cause: 'rate_limited',
    retryAfterMs,
  });

  test.each([
    ['unknown', { kind: 'unknown', cause: 'timeout' }, RECONCILE_AFTER_MS],
    ['not executed, without a time', { kind: 'not_executed', cause: 'unreachable' }, RECONCILE_AFTER_MS],
    ['not executed, for longer than the gap', refusedFor(600_000), 600_000],
    ['not executed, for less than the gap', refusedFor(1_000), RECONCILE_AFTER_MS],
  ] satisfies [string, QueryOutcome, number][])('is repeated: %s', async (_what, outcome, dueAfterMs) => {
    const id = await outstanding();
    const { hints, ask } = openWorker(outcome);
    expect(await ask(id)).toBeUndefined();
    expect(await books.recharge(id)).toMatchObject({ ...unclear, attempt: 1, dueAfterMs });
    expect(await queries(id)).toMatchObject([{ outcome: outcome.kind }]);
    expect([hints, await books.cases(id)]).toEqual([[], []]);
  });

  test('about an acknowledged recharge is repeated after Retry-After', async () => {
    const id = await outstanding(['accepted']);
    const { ask } = openWorker(refusedFor(6_000_000));
    await ask(id);
    expect(await books.recharge(id)).toMatchObject(acknowledged);
    const ms = await dueInMs(id);
    expect(ms).toBeGreaterThan(5_900_000);
    expect(ms).toBeLessThanOrEqual(6_000_000);
  });

  test('writes no second transition, but every call', async () => {
    const id = await outstanding(['unknown']);
    const { ask } = openWorker({ kind: 'unknown', cause: 'server_error' });
    for (let n = 0; n < 2; n++) await ask(id);
    expect(
      await books.rows('select news from transition where transaction_id = $1 order by seq', [id]),
    ).toEqual([{ news: 'submit' }, { news: 'unknown' }]);
    expect(await queries(id)).toHaveLength(2);
  });

  test('that the breaker refused leaves the recharge due', async () => {
    const id = await outstanding(['accepted']);
    const { ask } = openWorker(refusedFor(5_000), { calls: [] });
    await ask(id);
    expect(await books.recharge(id)).toMatchObject(acknowledged);
    expect(await dueInMs(id)).toBeGreaterThan(0);
    expect(await queries(id)).toEqual([]);
  });
});

test('an answer that the database refuses three times opens a case, and the queries continue', async () => {
  const id = await outstanding(['accepted']);
  await books.refuse(id, 'settled');
  const { asked, ask } = openWorker(found('settled'));
  for (let n = 0; n < 3; n++) await ask(id);
  expect(await books.cases(id)).toEqual(['unprocessable']);
  await books.heal();
  await ask(id);
  expect(asked).toEqual([id, id, id, id]);
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
});
