import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Sweep } from '@replenish/domain';
import { newId } from '@replenish/runtime';
import { openWorkerBooks, until, type WorkerBooks } from '@replenish/testing';
import { sweeper } from '../../src/sweep/sweeper.js';

// The default sweep period of `openWorkerBooks`.
const SWEEP_PERIOD_MS = 1_000;

let books: WorkerBooks;
beforeAll(async () => {
  books = await openWorkerBooks();
});
afterAll(() => books.close());
// Postpones the rows of earlier tests by a day.
beforeEach(async () => {
  for (const table of ['recharge_transaction', 'webhook_event'])
    await books.rows(`update ${table} set due_at = now() + interval '1 day' where due_at is not null`);
});

type Wishes = Readonly<{
  takes?: boolean;
  providers?: string[];
  room?: (queue: string) => number;
  domain?: Partial<Sweep>;
}>;

/** Opens a sweeper. `hinted` records the ids per queue. The queues accept hints unless `takes` is false. */
function openSweeper({
  takes = true,
  providers = ['sandbox'],
  room = () => 1_000,
  domain = {},
}: Wishes = {}) {
  const hinted: Record<string, string[]> = {};
  const queues = {
    hint: async (queue: string, ids: readonly string[]) => {
      hinted[queue] = [...(hinted[queue] ?? []), ...ids].toSorted();
      return takes;
    },
    room: async (names: readonly string[]) => names.map(room),
  };
  const deps = { domain: { ...books.domain, ...domain }, queues, providers, log: books.log };
  return { hinted, sweep: sweeper(deps) };
}

async function keepEvent(provider = 'sandbox'): Promise<string> {
  const id = newId();
  await books.domain.inbox.keep({
    id,
    provider,
    eventId: id,
    rawBody: Buffer.from(id),
    correlationId: 'c-1',
  });
  return id;
}

const makeDue = async (...ids: readonly string[]) => {
  for (const table of ['recharge_transaction', 'webhook_event'])
    await books.rows(
      `update ${table} set due_at = now() - interval '1 minute' where due_at is not null and id = any($1)`,
      [ids],
    );
};

const dueNow = async () => {
  const [row] = await books.rows<{ n: number }>(
    'select count(*)::int as n from recharge_transaction where due_at <= now()',
  );
  return row!.n;
};

const errorsLogged = () => books.logged.filter(({ level }) => level === 'error');

test('each due row is hinted to its queue, other rows are not', async () => {
  const [fresh, another, sent, event] = [
    await books.recharged({}),
    await books.recharged({}),
    await books.recharged({}, 'submit', 'accepted'),
    await keepEvent(),
  ];
  const elsewhere = [
    await books.recharged({ provider: 'alipay' }),
    await books.recharged({ provider: 'alipay' }, 'submit', 'unknown'),
  ] as const;
  await books.recharged({});
  await keepEvent();
  await makeDue(fresh, another, sent, event, ...elsewhere);
  const { hinted, sweep } = openSweeper({ providers: ['sandbox', 'alipay'] });
  expect(await sweep()).toEqual({ taken: 6, isMore: false });
  expect(hinted).toEqual({
    'submission-sandbox': [fresh, another].toSorted(),
    'reconciliation-sandbox': [sent],
    'submission-alipay': [elsewhere[0]],
    'reconciliation-alipay': [elsewhere[1]],
    webhooks: [event],
  });
  expect(errorsLogged()).toEqual([]);
});

test('a hinted row is hinted again at its next due time, not before', async () => {
  const id = await books.recharged({});
  await makeDue(id);
  const { hinted, sweep } = openSweeper();
  await sweep();
  await sweep();
  expect(hinted).toEqual({ 'submission-sandbox': [id] });
  const [row] = await books.rows<{ ms: number }>(
    'select (extract(epoch from due_at - now()) * 1000)::float8 as ms from recharge_transaction where id = $1',
    [id],
  );
  expect(row!.ms).toBeGreaterThan(0);
  expect(row!.ms).toBeLessThanOrEqual(2 * SWEEP_PERIOD_MS);
  await makeDue(id);
  await sweep();
  expect(hinted).toEqual({ 'submission-sandbox': [id, id] });
});

test('recharges of a provider that is not configured are logged, stay due and are not hinted', async () => {
  const [here, there, event] = [
    await books.recharged({}),
    await books.recharged({ provider: 'alipay' }),
    await keepEvent('alipay'),
  ];
  await makeDue(here, there, event);
  const before = errorsLogged().length;
  const { hinted, sweep } = openSweeper();
  await sweep();
  await sweep();
  expect(hinted).toEqual({ 'submission-sandbox': [here], webhooks: [event] });
  expect(errorsLogged().slice(before)).toEqual([
    {
      level: 'error',
      message: 'recharges of a provider that is not configured',
      provider: 'alipay',
      recharges: 1,
    },
  ]);
  expect(await dueNow()).toBe(1);
});

test('without a configured provider no recharge is hinted', async () => {
  await makeDue(await books.recharged({}));
  const { hinted, sweep } = openSweeper({ providers: [] });
  expect(await sweep()).toEqual({ taken: 0, isMore: false });
  expect(hinted).toEqual({});
});

test('rows that a queue refuses stay due', async () => {
  const [id, event] = [await books.recharged({}), await keepEvent()];
  await makeDue(id, event);
  const { hinted, sweep } = openSweeper({ takes: false });
  expect(await sweep()).toEqual({ taken: 0, isMore: false });
  expect(hinted).toEqual({ 'submission-sandbox': [id], webhooks: [event] });
  expect(await dueNow()).toBe(1);
  const again = openSweeper();
  await again.sweep();
  expect(again.hinted).toEqual(hinted);
});

test('while the queue store is down the sweep takes no rows and does not fail', async () => {
  const id = await books.recharged({});
  await makeDue(id);
  const { hinted, sweep } = openSweeper({
    room: () => {
      throw new Error('away');
    },
  });
  expect(await sweep()).toEqual({ taken: 0, isMore: false });
  expect([hinted, await dueNow()]).toEqual([{}, 1]);
});

test('a full queue brings the next sweep forward only while rows are due for it', async () => {
  const full = openSweeper({ room: (queue) => (queue === 'submission-sandbox' ? 0 : 1_000) });
  expect(await full.sweep()).toEqual({ taken: 0, isMore: false });
  await makeDue(await books.recharged({}));
  expect(await full.sweep()).toEqual({ taken: 0, isMore: true });
});

test('when recharges cannot be read, the other kinds of rows are still hinted', async () => {
  const [recharge, event] = [await books.recharged({}), await keepEvent()];
  await makeDue(recharge, event);
  const { hinted, sweep } = openSweeper({
    domain: {
      takeDue: (max, lane) =>
        lane?.what === 'recharge' ? Promise.reject(new Error('locked')) : books.domain.takeDue(max, lane),
    },
  });
  await expect(sweep()).rejects.toThrow('locked');
  await until(() => hinted.webhooks !== undefined, { limitMs: 60_000 }, 'the event is hinted');
  expect(hinted).toEqual({ webhooks: [event] });
});

test('each queue gets as many rows as it has room for, and the others stay due', async () => {
  const ids = await Promise.all(Array.from({ length: 520 }, () => books.recharged({})));
  const asked = await books.recharged({}, 'submit', 'unknown');
  await makeDue(...ids, asked);
  const full = openSweeper({ room: (queue) => (queue === 'submission-sandbox' ? 0 : 1_000) });
  expect(await full.sweep()).toEqual({ taken: 1, isMore: true });
  expect(full.hinted).toEqual({ 'reconciliation-sandbox': [asked] });
  const narrow = openSweeper({ room: () => 510 });
  expect(await narrow.sweep()).toEqual({ taken: 510, isMore: true });
  expect(await dueNow()).toBe(10);
  const wide = openSweeper();
  expect(await wide.sweep()).toEqual({ taken: 10, isMore: false });
  expect([...narrow.hinted['submission-sandbox']!, ...wide.hinted['submission-sandbox']!].toSorted()).toEqual(
    ids.toSorted(),
  );
});
