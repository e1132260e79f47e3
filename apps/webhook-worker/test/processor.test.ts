import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openProviderMetrics } from '@replenish/assembly';
import { StoreUnavailable } from '@replenish/domain';
import type { OrderStatus } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { type EventCounter, openEventCounter, processor } from '../src/processor.js';
import { eventBody, type Facts, provider } from './support/written-events.js';

const registry = openRegistry('webhook-worker');
let books: WorkerBooks;
let events: EventCounter;
let metrics: ReturnType<typeof openProviderMetrics>;
beforeAll(async () => {
  books = await openWorkerBooks();
  events = openEventCounter(registry);
  metrics = openProviderMetrics({ registry, log: books.log });
});
afterEach(async () => {
  await books.heal();
  expect(await books.domain.verify()).toEqual([]);
});
afterAll(() => books.close());

const openWorker = () =>
  processor({
    domain: books.domain,
    providers: { accounts: () => ['main'], raw: (name) => (name === provider.name ? provider : undefined) },
    log: books.log,
    events,
    metrics,
    unmatchedAfterMs: 600_000,
  });

const whileYoung = (id: string) => openWorker()(id);
const whenOld = async (id: string) => {
  await books.rows(`update webhook_event set stored_at = stored_at - interval '1 hour' where id = $1`, [id]);
  return openWorker()(id);
};

/** Stores an event. The id of its row is also its event id. */
async function storeEvent(body: string, from = 'sandbox'): Promise<string> {
  const id = newId();
  await books.domain.inbox.keep({
    id,
    provider: from,
    eventId: id,
    rawBody: Buffer.from(body),
    correlationId: 'c-1',
  });
  return id;
}

type EventRow = Readonly<{
  verdict: string | null;
  processed: boolean;
  due: boolean;
  transactionId: string | null;
}>;
const eventRow = async (id: string): Promise<EventRow> => {
  const [row] = await books.rows<EventRow>(
    `select verdict, processed_at is not null as processed, due_at is not null as due,
      transaction_id as "transactionId"
    from webhook_event where id = $1`,
    [id],
  );
  return row!;
};
const waiting: EventRow = { verdict: null, processed: false, due: true, transactionId: null };
const unmatched: EventRow = { verdict: 'conflict', processed: true, due: false, transactionId: null };
const filed = (verdict: string, transactionId: string): EventRow => ({
  verdict,
  processed: true,
  due: false,
  transactionId,
});

const casesOf = (id: string, from = 'sandbox') => books.cases(`${from}:${id}`);
const detailOf = async (id: string, from = 'sandbox') => {
  const [row] = await books.rows<{ detail: unknown }>(
    'select detail from reconciliation_case where subject = $1',
    [`${from}:${id}`],
  );
  return row!.detail;
};
const newsOf = async (id: string) =>
  (
    await books.rows<{ news: string }>('select news from transition where transaction_id = $1 order by seq', [
      id,
    ])
  ).map(({ news }) => news);
const counted = async (verdict: string) => {
  const { values } = await events.get();
  return values.filter(({ labels }) => labels.verdict === verdict).reduce((sum, { value }) => sum + value, 0);
};

describe('an event', () => {
  test.each([
    ['pending', 'PENDING_CONFIRMATION'],
    ['settled', 'SUCCEEDED'],
    ['declined', 'FAILED'],
    // A canceled event first acknowledges the order. The next query ends the recharge.
    ['canceled', 'PENDING_CONFIRMATION'],
  ] satisfies [OrderStatus, string][])('with the status %s leads to %s', async (status, state) => {
    const id = await books.recharged({}, 'submit');
    const event = await storeEvent(eventBody(status, { reference: id, providerOrderId: `sbx_${id}` }));
    const before = await counted('moved');
    expect(await whileYoung(event)).toBeUndefined();
    expect(await books.recharge(id)).toMatchObject({ state, orderId: `sbx_${id}` });
    expect(await eventRow(event)).toEqual(filed('moved', id));
    expect(await counted('moved')).toBe(before + 1);
  });

  test("that names only the provider's order finds its recharge", async () => {
    const id = await books.recharged({}, 'submit');
    const providerOrderId = `sbx_${id}`;
    const pending = await storeEvent(eventBody('pending', { reference: id, providerOrderId }));
    const settled = await storeEvent(eventBody('settled', { providerOrderId }));
    for (const event of [pending, settled]) await whileYoung(event);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
  });

  test('with another amount opens a case', async () => {
    const id = await books.recharged({}, 'submit', 'accepted');
    const event = await storeEvent(eventBody('settled', { reference: id, amountMinor: 5_000 }));
    await whileYoung(event);
    expect(await eventRow(event)).toEqual(filed('conflict', id));
    expect(await books.cases(id)).toEqual(['wrong_amount']);
  });

  test('that is processed by several workers at once and again is applied once', async () => {
    const id = await books.recharged({}, 'submit');
    const event = await storeEvent(eventBody('settled', { reference: id }));
    await Promise.all([whileYoung(event), whileYoung(event), whileYoung(event)]);
    await whileYoung(event);
    expect(await newsOf(id)).toEqual(['submit', 'settled']);
    expect(await eventRow(event)).toEqual(filed('moved', id));
    const slots = await books.rows('select slot from ledger_journal where transaction_id = $1', [id]);
    expect(slots).toEqual([{ slot: 'collect' }]);
  });

  test('that repeats another event is stale', async () => {
    const id = await books.recharged({}, 'submit');
    const [first, second] = [
      await storeEvent(eventBody('settled', { reference: id })),
      await storeEvent(eventBody('settled', { reference: id })),
    ];
    for (const event of [first, second]) await whileYoung(event);
    expect([await eventRow(first), await eventRow(second)]).toEqual([filed('moved', id), filed('stale', id)]);
    expect(await books.cases(id)).toEqual([]);
  });

  test.each(['00000000-0000-7000-8000-000000000000', 'no uuid'])(
    'that does not exist is ignored: %s',
    async (id) => {
      expect(await whileYoung(id)).toBeUndefined();
    },
  );
});

describe('an event before the claim of its recharge', () => {
  test('waits, and is applied after the claim', async () => {
    const id = await books.recharged({});
    const event = await storeEvent(eventBody('settled', { reference: id }));
    await whileYoung(event);
    expect(await eventRow(event)).toEqual(waiting);
    expect(await books.recharge(id)).toMatchObject({ state: 'CREATED', attempt: 0 });
    expect(await books.cases(id)).toEqual([]);
    await books.domain.applyNews({ transactionId: id, news: 'submit', source: 'submission', reason: 'sent' });
    await whileYoung(event);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await eventRow(event)).toEqual(filed('moved', id));
  });

  test('opens a case after waiting too long', async () => {
    const id = await books.recharged({});
    const event = await storeEvent(eventBody('settled', { reference: id }));
    await whenOld(event);
    expect(await eventRow(event)).toEqual(filed('conflict', id));
    expect(await books.cases(id)).toEqual(['unsent_order']);
    expect(await books.recharge(id)).toMatchObject({ state: 'CREATED', nextStep: 'submit' });
  });
});

describe('an event without a recharge', () => {
  test.each([
    ['an unknown reference', { reference: newId(), providerOrderId: 'sbx_nobody' }],
    ['a malformed reference', { reference: 'no uuid' }],
    ['an unknown order', { providerOrderId: 'sbx_nobody' }],
    ['no reference and no order', {}],
  ] satisfies [string, Facts][])('waits while it is young, then opens a case: %s', async (_what, facts) => {
    const event = await storeEvent(eventBody('settled', facts));
    await whileYoung(event);
    expect(await eventRow(event)).toEqual(waiting);
    expect(await casesOf(event)).toEqual([]);
    const before = await counted('unmatched');
    for (let n = 0; n < 2; n++) await whenOld(event);
    expect(await eventRow(event)).toEqual(unmatched);
    expect(await casesOf(event)).toEqual(['unknown_order']);
    expect(await detailOf(event)).toEqual({
      reference: null,
      providerOrderId: null,
      status: 'settled',
      ...facts,
    });
    expect(await counted('unmatched')).toBe(before + 1);
  });

  test('does not move a recharge of another provider', async () => {
    const id = await books.recharged({ provider: 'alipay' }, 'submit');
    const event = await storeEvent(eventBody('settled', { reference: id }));
    await whileYoung(event);
    expect(await eventRow(event)).toEqual(waiting);
    await whenOld(event);
    expect(await eventRow(event)).toEqual(unmatched);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUBMITTED' });
  });

  test('is applied when its recharge is committed after it', async () => {
    const reference = newId();
    const event = await storeEvent(eventBody('settled', { reference }));
    await whileYoung(event);
    await books.recharged({ id: reference }, 'submit');
    await whileYoung(event);
    expect(await books.recharge(reference)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await casesOf(event)).toEqual([]);
  });
});

describe('an event that the database refuses', () => {
  test('opens a case of its recharge at the third time, stays due, and is applied once it is accepted', async () => {
    const id = await books.recharged({}, 'submit');
    const event = await storeEvent(eventBody('settled', { reference: id }));
    await books.refuse(id, 'settled');
    for (let n = 0; n < 3; n++) {
      expect(await books.cases(id)).toEqual([]);
      await whileYoung(event);
    }
    expect(await books.cases(id)).toEqual(['unprocessable']);
    expect(await casesOf(event)).toEqual([]);
    expect(await eventRow(event)).toEqual({ ...waiting, transactionId: id });
    expect(await books.recharge(id)).toMatchObject({ state: 'SUBMITTED' });
    await books.heal();
    await whenOld(event);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await eventRow(event)).toEqual(filed('moved', id));
  });

  test('does not delay other events', async () => {
    const ids = [await books.recharged({}, 'submit'), await books.recharged({}, 'submit')] as const;
    const both = await Promise.all(ids.map((reference) => storeEvent(eventBody('settled', { reference }))));
    await books.refuse(ids[0], 'settled');
    await Promise.all(both.map(whenOld));
    expect(await books.recharge(ids[0])).toMatchObject({ state: 'SUBMITTED' });
    expect(await books.recharge(ids[1])).toMatchObject({ state: 'SUCCEEDED' });
  });

  test('because the database is unavailable opens no case, however old the event is', async () => {
    const id = await books.recharged({}, 'submit');
    const event = await storeEvent(eventBody('settled', { reference: id }));
    await books.refuse(id, 'settled', '40001');
    await expect(whenOld(event)).rejects.toThrow(StoreUnavailable);
    expect(await eventRow(event)).toEqual(waiting);
    expect(await casesOf(event)).toEqual([]);
  });

  test('because of a faulty statement throws, and opens a case of the event when it is old', async () => {
    const id = await books.recharged({}, 'submit');
    const event = await storeEvent(eventBody('settled', { reference: id }));
    await books.refuse(id, 'settled', '42601');
    await expect(whileYoung(event)).rejects.toThrow('as tested');
    expect(await casesOf(event)).toEqual([]);
    for (let n = 0; n < 2; n++) await expect(whenOld(event)).rejects.toThrow('as tested');
    expect(await casesOf(event)).toEqual(['unprocessable_event']);
    expect(await detailOf(event)).toEqual({ error: expect.stringContaining('as tested') });
    expect(await eventRow(event)).toEqual({ ...waiting, verdict: 'unprocessable', transactionId: id });
    expect(await books.domain.reads.recharge(id)).toMatchObject({ openCases: ['unprocessable_event'] });
    await books.heal();
    await whenOld(event);
    expect(await eventRow(event)).toEqual(filed('moved', id));
    expect(await books.domain.reads.recharge(id)).toMatchObject({ openCases: [] });
  });
});
