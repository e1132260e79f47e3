import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Provider } from '@replenish/providers';
import { newId, openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { type EventCounter, openEventCounter, processor } from '../src/processor.js';
import { provider, told } from './support/written-events.js';

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
    providers: { raw: (name) => (name === 'sandbox' ? known : undefined) },
    log: books.log,
    events,
    metrics: { onReported: () => {} },
    unmatchedAfterMs,
  });
const thisRelease = (id: string) => worker()(id);
/** Reads what this release cannot read as the settlement of its order. */
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

/** A stored event. Its row's id is its event id too. */
async function kept(body: string, from = 'sandbox'): Promise<string> {
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

describe('an event of a type that this release does not know', () => {
  test.each([[[]], [['submit']], [['submit', 'settled']]] as const)(
    'is put on its recharge after %j, as a case, and moves nothing',
    async (news) => {
      const id = await books.recharged({}, ...news);
      const before = await books.recharge(id);
      const event = await kept(ofAnUnknownType(id));
      for (let n = 0; n < 2; n++) await thisRelease(event);
      expect(await eventRow(event)).toEqual(left(id));
      expect(await caseOf(event)).toEqual([{ ...opened(id), detail: expect.anything() }]);
      expect(await books.recharge(id)).toEqual(before);
      const seen = await books.domain.reads.timeline(id);
      expect(seen.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['webhook', 'case']));
      expect(await books.domain.reads.recharge(id)).toMatchObject({ openCases: ['unread_event'] });
    },
  );

  test('says in its case what came, and until when it is tried again', async () => {
    const id = await books.recharged({}, 'submit');
    const body = ofAnUnknownType(id);
    const event = await kept(body);
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

  test('is found by the order of the provider where it names no reference', async () => {
    const id = await books.recharged({}, 'submit');
    await thisRelease(await kept(told('pending', { reference: id, providerOrderId: `sbx_${id}` })));
    const event = await kept(ofAnUnknownType(null, `sbx_${id}`));
    await thisRelease(event);
    expect(await eventRow(event)).toEqual(left(id));
  });

  test('is processed as usual by a release that reads it, which closes its case alone', async () => {
    const id = await books.recharged({}, 'submit');
    const [event, other] = [await kept(ofAnUnknownType(id)), await kept(ofAnUnknownType(id))];
    for (const one of [event, other]) await thisRelease(one);
    await newerRelease(event);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await eventRow(event)).toMatchObject({ verdict: 'moved', processed: true, due: false });
    expect(await caseOf(event)).toMatchObject([
      { kind: 'unread_event', closed: true, resolution: 'a later try read and processed the event' },
    ]);
    expect(await caseOf(other)).toMatchObject([{ closed: false }]);
  });

  test('is not asked about again when a person has closed its case', async () => {
    const id = await books.recharged({}, 'submit');
    const event = await kept(ofAnUnknownType(id));
    await thisRelease(event);
    await books.rows('update reconciliation_case set closed_at = now() where subject = $1', [
      `sandbox:${event}`,
    ]);
    await thisRelease(event);
    await age(event, 73);
    await thisRelease(event);
    expect(await caseOf(event)).toMatchObject([{ closed: true }]);
  });

  test('is tried for three days, then filed, and its case stays', async () => {
    const id = await books.recharged({}, 'submit');
    const event = await kept(ofAnUnknownType(id));
    await thisRelease(event);
    await age(event, 71);
    await thisRelease(event);
    expect(await eventRow(event)).toEqual(left(id));
    await age(event, 2);
    await thisRelease(event);
    expect(await eventRow(event)).toEqual({ ...left(id), processed: true, due: false });
    expect(await caseOf(event)).toMatchObject([opened(id)]);
  });

  test('waits for a recharge that may be committed in a moment', async () => {
    const id = newId();
    const event = await kept(ofAnUnknownType(id));
    await thisRelease(event);
    expect(await eventRow(event)).toEqual({ ...left(null), verdict: null });
    expect(await caseOf(event)).toEqual([]);
    await books.recharged({ id }, 'submit');
    await thisRelease(event);
    expect(await eventRow(event)).toEqual(left(id));
  });

  test.each([
    ['a reference that is none of ours', newId()],
    ['a reference that is no id', 'no uuid'],
  ])('is a case of no recharge when it has %s', async (_what, reference) => {
    const event = await kept(ofAnUnknownType(reference));
    await worker(provider, 0)(event);
    expect(await eventRow(event)).toEqual(left(null));
    expect(await caseOf(event)).toMatchObject([opened(null)]);
  });

  test("is no case of another provider's recharge", async () => {
    const id = await books.recharged({ provider: 'alipay' }, 'submit');
    const event = await kept(ofAnUnknownType(id));
    await worker(provider, 0)(event);
    expect(await eventRow(event)).toEqual(left(null));
    expect(await caseOf(event)).toMatchObject([opened(null)]);
  });
});

test('a body that is not read at all is a case at once, stays due, and is tried for three days', async () => {
  const event = await kept('neither JSON nor \0 text');
  for (let n = 0; n < 2; n++) await thisRelease(event);
  expect(await eventRow(event)).toEqual(left(null));
  expect(await caseOf(event)).toMatchObject([
    { ...opened(null), detail: { body: 'neither JSON nor \u2400 text' } },
  ]);
  await age(event, 73);
  await thisRelease(event);
  expect(await eventRow(event)).toMatchObject({ verdict: 'unread', processed: true });
});

test('an event that turns out to be of nobody we know changes its case for that', async () => {
  const event = await kept(ofAnUnknownType(newId()));
  await worker(provider, 0)(event);
  await worker(newer, 0)(event);
  expect(await caseOf(event)).toMatchObject([
    { kind: 'unread_event', closed: true },
    { kind: 'unknown_order', closed: false },
  ]);
});

test('an event of a provider that is not configured waits, then is a case, and is heard when it is', async () => {
  const id = await books.recharged({ provider: 'alipay' }, 'submit');
  const event = await kept(told('settled', { reference: id }), 'alipay');
  await thisRelease(event);
  expect(await caseOf(event, 'alipay')).toEqual([]);
  await worker(provider, 0)(event);
  expect(await caseOf(event, 'alipay')).toMatchObject([opened(null)]);
  expect(await eventRow(event)).toEqual(left(null));
  const configured = processor({
    ...{ domain: books.domain, providers: { raw: () => provider }, log: books.log, events },
    ...{ metrics: { onReported: () => {} }, unmatchedAfterMs: 0 },
  });
  await configured(event);
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await caseOf(event, 'alipay')).toMatchObject([{ closed: true }]);
});

test('an event of a type that is about no order is filed without a case', async () => {
  const event = await kept('ping');
  await thisRelease(event);
  expect(await eventRow(event)).toEqual({
    ...{ verdict: 'stale', processed: true, due: false, transactionId: null },
  });
  expect(await caseOf(event)).toEqual([]);
});

describe('an order with more money on it than its own', () => {
  const partly = (facts: object) =>
    kept(JSON.stringify({ ...JSON.parse(told('settled', {})), ...facts, isPartlyRead: true }));

  test.each([
    [['submit'], 'SUCCEEDED'],
    [['submit', 'settled'], 'SUCCEEDED'],
    [['submit', 'declined'], 'FAILED'],
  ] as const)('is a case after %j, and counts as %s', async (news, state) => {
    const id = await books.recharged({}, ...news);
    await thisRelease(await partly({ reference: id }));
    expect(await books.recharge(id)).toMatchObject({ state });
    expect(await books.cases(id)).toEqual(state === 'FAILED' ? ['late_money'] : ['unread_event']);
  });
});
