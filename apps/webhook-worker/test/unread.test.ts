import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Provider } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { type EventCounter, openEventCounter, processor } from '../src/processor.js';
import { eventBody, provider } from './support/written-events.js';

let books: WorkerBooks;
let events: EventCounter;
beforeAll(async () => {
  books = await openWorkerBooks();
  events = openEventCounter(openRegistry('webhook-worker'));
});
afterEach(async () => expect(await books.domain.verify()).toEqual([]));
afterAll(() => books.close());

const worker = (known: Provider | undefined = provider, unmatchedAfterMs = 600_000) =>
  processor({
    domain: books.domain,
    providers: { accounts: () => ['main'], raw: (name) => (name === 'sandbox' ? known : undefined) },
    log: books.log,
    events,
    metrics: { onReported: () => {} },
    unmatchedAfterMs,
  });
const thisRelease = (id: string) => worker()(id);
/** The provider of a newer release. It reads an event that this release cannot read as a settled order. */
const newer: Provider = {
  ...provider,
  webhooks: {
    ...provider.webhooks,
    read: (rawBody) => {
      const event = provider.webhooks.read(rawBody);
      if (event.kind !== 'unread') return event;
      const { reference, providerOrderId } = event;
      const money = { status: 'settled', amountMinor: 4_999n, currency: 'USD' } as const;
      return { kind: 'order', reference, providerOrderId, accountId: null, ...money };
    },
  },
};
const newerRelease = (id: string) => worker(newer)(id);

/** Stores an event. The id of its row is also its event id. */
async function storeEvent(body: string, from = 'sandbox'): Promise<string> {
  const id = newId();
  const rawBody = Buffer.from(body);
  await books.domain.inbox.keep({ id, provider: from, eventId: id, rawBody, correlationId: 'c-1' });
  return id;
}

const ofAnUnknownType = (reference: string | null, providerOrderId: string | null = null) =>
  JSON.stringify({ type: 'order.refunded', reference, providerOrderId });

const age = (event: string, hours: number) =>
  books.rows(`update webhook_event set stored_at = stored_at - $2 * interval '1 hour' where id = $1`, [
    event,
    hours,
  ]);

const eventRow = async (event: string) => {
  const [row] = await books.rows(
    `select verdict, processed_at is not null as processed, due_at is not null as due,
      transaction_id as "transactionId"
    from webhook_event where id = $1`,
    [event],
  );
  return row;
};
const left = (transactionId: string | null) => ({
  verdict: 'unread',
  processed: false,
  due: true,
  transactionId,
});

const caseOf = (event: string, from = 'sandbox') =>
  books.rows(
    `select kind, transaction_id as "transactionId", detail, closed_at is not null as closed, resolution
    from reconciliation_case where subject = $1 order by opened_at`,
    [`${from}:${event}`],
  );
const opened = (transactionId: string | null) => ({
  kind: 'unread_event',
  transactionId,
  closed: false,
  resolution: null,
});

describe('an event of an unknown type', () => {
  test.each([[[]], [['submit']], [['submit', 'settled']]] as const)(
    'opens a case of its recharge after %j and changes nothing else',
    async (news) => {
      const id = await books.recharged({}, ...news);
      const before = await books.recharge(id);
      const event = await storeEvent(ofAnUnknownType(id));
      for (let n = 0; n < 2; n++) await thisRelease(event);
      expect(await eventRow(event)).toEqual(left(id));
      expect(await caseOf(event)).toEqual([{ ...opened(id), detail: expect.anything() }]);
      expect(await books.recharge(id)).toEqual(before);
      const timeline = await books.domain.reads.timeline(id);
      expect(timeline.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['webhook', 'case']));
      expect(await books.domain.reads.recharge(id)).toMatchObject({ openCases: ['unread_event'] });
    },
  );

  test('opens a case with its body and the time until which it is tried', async () => {
    const id = await books.recharged({}, 'submit');
    const body = ofAnUnknownType(id);
    const event = await storeEvent(body);
    await thisRelease(event);
    const [{ stored_at: storedAt }] = (await books.rows<{ stored_at: Date }>(
      'select stored_at from webhook_event where id = $1',
      [event],
    )) as [{ stored_at: Date }];
    const triedUntil = new Date(storedAt.getTime() + 72 * 3_600_000).toISOString();
    const detail = {
      ...{ eventId: event, type: 'order.refunded', reference: id, providerOrderId: null },
      ...{ body, triedUntil },
    };
    expect(await caseOf(event)).toEqual([{ ...opened(id), detail }]);
  });

  test("without a reference is matched by the provider's order", async () => {
    const id = await books.recharged({}, 'submit');
    await thisRelease(
      await storeEvent(eventBody('pending', { reference: id, providerOrderId: `sbx_${id}` })),
    );
    const event = await storeEvent(ofAnUnknownType(null, `sbx_${id}`));
    await thisRelease(event);
    expect(await eventRow(event)).toEqual(left(id));
  });

  test('is processed by a release that reads it, which closes only its case', async () => {
    const id = await books.recharged({}, 'submit');
    const [event, other] = [await storeEvent(ofAnUnknownType(id)), await storeEvent(ofAnUnknownType(id))];
    for (const one of [event, other]) await thisRelease(one);
    await newerRelease(event);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await eventRow(event)).toMatchObject({ verdict: 'moved', processed: true, due: false });
    expect(await caseOf(event)).toMatchObject([
      { kind: 'unread_event', closed: true, resolution: 'a later try read and processed the event' },
    ]);
    expect(await caseOf(other)).toMatchObject([{ closed: false }]);
  });

  test('opens no second case after a person has closed the first', async () => {
    const id = await books.recharged({}, 'submit');
    const event = await storeEvent(ofAnUnknownType(id));
    await thisRelease(event);
    await books.rows('update reconciliation_case set closed_at = now() where subject = $1', [
      `sandbox:${event}`,
    ]);
    await thisRelease(event);
    await age(event, 73);
    await thisRelease(event);
    expect(await caseOf(event)).toMatchObject([{ closed: true }]);
  });

  test('is tried for three days, then marked as processed, and its case stays open', async () => {
    const id = await books.recharged({}, 'submit');
    const event = await storeEvent(ofAnUnknownType(id));
    await thisRelease(event);
    await age(event, 71);
    await thisRelease(event);
    expect(await eventRow(event)).toEqual(left(id));
    await age(event, 2);
    await thisRelease(event);
    expect(await eventRow(event)).toEqual({ ...left(id), processed: true, due: false });
    expect(await caseOf(event)).toMatchObject([opened(id)]);
  });

  test('waits for a recharge that is not committed yet', async () => {
    const id = newId();
    const event = await storeEvent(ofAnUnknownType(id));
    await thisRelease(event);
    expect(await eventRow(event)).toEqual({ ...left(null), verdict: null });
    expect(await caseOf(event)).toEqual([]);
    await books.recharged({ id }, 'submit');
    await thisRelease(event);
    expect(await eventRow(event)).toEqual(left(id));
  });

  test.each([
    ['an unknown reference', newId()],
    ['a malformed reference', 'no uuid'],
  ])('with %s opens a case without a recharge', async (_what, reference) => {
    const event = await storeEvent(ofAnUnknownType(reference));
    await worker(provider, 0)(event);
    expect(await eventRow(event)).toEqual(left(null));
    expect(await caseOf(event)).toMatchObject([opened(null)]);
  });

  test('of a recharge of another provider opens a case without a recharge', async () => {
    const id = await books.recharged({ provider: 'alipay' }, 'submit');
    const event = await storeEvent(ofAnUnknownType(id));
    await worker(provider, 0)(event);
    expect(await eventRow(event)).toEqual(left(null));
    expect(await caseOf(event)).toMatchObject([opened(null)]);
  });
});

test('an unreadable body opens a case at once, stays due and is tried for three days', async () => {
  const event = await storeEvent('neither JSON nor \0 text');
  for (let n = 0; n < 2; n++) await thisRelease(event);
  expect(await eventRow(event)).toEqual(left(null));
  expect(await caseOf(event)).toMatchObject([
    { ...opened(null), detail: { body: 'neither JSON nor \u2400 text' } },
  ]);
  await age(event, 73);
  await thisRelease(event);
  expect(await eventRow(event)).toMatchObject({ verdict: 'unread', processed: true });
});

test('an event that a newer release reads as an unknown order gets a case of that kind instead', async () => {
  const event = await storeEvent(ofAnUnknownType(newId()));
  await worker(provider, 0)(event);
  await worker(newer, 0)(event);
  expect(await caseOf(event)).toMatchObject([
    { kind: 'unread_event', closed: true },
    { kind: 'unknown_order', closed: false },
  ]);
});

test('an event of a provider that is not configured waits, then opens a case, and is applied once it is configured', async () => {
  const id = await books.recharged({ provider: 'alipay' }, 'submit');
  const event = await storeEvent(eventBody('settled', { reference: id }), 'alipay');
  await thisRelease(event);
  expect(await caseOf(event, 'alipay')).toEqual([]);
  await worker(provider, 0)(event);
  expect(await caseOf(event, 'alipay')).toMatchObject([opened(null)]);
  expect(await eventRow(event)).toEqual(left(null));
  const configured = processor({
    ...{
      domain: books.domain,
      providers: { accounts: () => ['main'], raw: () => provider },
      log: books.log,
      events,
    },
    ...{ metrics: { onReported: () => {} }, unmatchedAfterMs: 0 },
  });
  await configured(event);
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await caseOf(event, 'alipay')).toMatchObject([{ closed: true }]);
});

test('an event that is about no order is marked as processed without a case', async () => {
  const event = await storeEvent('ping');
  await thisRelease(event);
  expect(await eventRow(event)).toEqual({
    ...{ verdict: 'stale', processed: true, due: false, transactionId: null },
  });
  expect(await caseOf(event)).toEqual([]);
});

describe('a partly read order', () => {
  const partly = (facts: object) =>
    storeEvent(JSON.stringify({ ...JSON.parse(eventBody('settled', {})), ...facts, isPartlyRead: true }));

  test.each([
    [['submit'], 'SUCCEEDED'],
    [['submit', 'settled'], 'SUCCEEDED'],
    [['submit', 'declined'], 'FAILED'],
  ] as const)('opens a case after %j, and the recharge is %s', async (news, state) => {
    const id = await books.recharged({}, ...news);
    await thisRelease(await partly({ reference: id }));
    expect(await books.recharge(id)).toMatchObject({ state });
    expect(await books.cases(id)).toEqual(state === 'FAILED' ? ['late_money'] : ['unread_event']);
  });
});
