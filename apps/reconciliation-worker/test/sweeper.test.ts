import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newId } from '@replenish/runtime';
import { openWorkerBooks, RECONCILE_AFTER_MS, type WorkerBooks } from '@replenish/testing';
import { sweeper } from '../src/sweeper.js';

let books: WorkerBooks;
beforeAll(async () => {
  books = await openWorkerBooks();
});
afterAll(() => books.close());
// What the tests before left is due on another day.
beforeEach(async () => {
  for (const table of ['recharge_transaction', 'webhook_event'])
    await books.rows(`update ${table} set due_at = now() + interval '1 day' where due_at is not null`);
});

/** A sweeper whose queues take hints unless told otherwise, and the ids that each queue was given. */
function openSweeper({
  takes = true,
  providers = ['sandbox'],
}: {
  takes?: boolean;
  providers?: string[];
} = {}) {
  const hinted: Record<string, string[]> = {};
  const queues = {
    hint: async (queue: string, ids: readonly string[]) => {
      hinted[queue] = [...(hinted[queue] ?? []), ...ids].toSorted();
      return takes;
    },
  };
  return { hinted, sweep: sweeper({ domain: books.domain, queues, providers, log: books.log }) };
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

test('each due row is hinted to its queue, and what is not due is left alone', async () => {
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
  expect(await sweep()).toBeUndefined();
  expect(hinted).toEqual({
    'submission-sandbox': [fresh, another].toSorted(),
    'reconciliation-sandbox': [sent],
    'submission-alipay': [elsewhere[0]],
    'reconciliation-alipay': [elsewhere[1]],
    webhooks: [event],
  });
  expect(errorsLogged()).toEqual([]);
});

test('what was hinted is hinted again when its new time has come, and not before', async () => {
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
  expect(row!.ms).toBeLessThanOrEqual(1.25 * RECONCILE_AFTER_MS);
  await makeDue(id);
  await sweep();
  expect(hinted).toEqual({ 'submission-sandbox': [id, id] });
});

test('recharges of a provider that is not configured are logged, and no queue hears of them', async () => {
  const [here, there, event] = [
    await books.recharged({}),
    await books.recharged({ provider: 'alipay' }),
    await keepEvent('alipay'),
  ];
  await makeDue(here, there, event);
  const before = errorsLogged().length;
  const { hinted, sweep } = openSweeper();
  await sweep();
  expect(hinted).toEqual({ 'submission-sandbox': [here], webhooks: [event] });
  expect(errorsLogged().slice(before)).toEqual([
    { level: 'error', message: 'recharges of a provider that is not configured', recharges: 1 },
  ]);
});

test('where nobody is configured nobody is hinted', async () => {
  await makeDue(await books.recharged({}));
  const { hinted, sweep } = openSweeper({ providers: [] });
  expect(await sweep()).toBeUndefined();
  expect(hinted).toEqual({});
});

test('a run takes batches until no more is due, unless a queue refuses: then the rest stays due', async () => {
  const ids = await Promise.all(Array.from({ length: 520 }, () => books.recharged({})));
  await makeDue(...ids);
  const refused = openSweeper({ takes: false });
  expect(await refused.sweep()).toBeUndefined();
  expect(refused.hinted['submission-sandbox']).toHaveLength(500);
  expect(await dueNow()).toBe(20);
  await makeDue(...ids);
  const { hinted, sweep } = openSweeper();
  await sweep();
  expect(hinted['submission-sandbox']).toEqual(ids.toSorted());
  expect(await dueNow()).toBe(0);
});

test('old nonces are forgotten by a first run, and not by every one', async () => {
  const nonces = () => books.rows<{ nonce: string }>('select nonce from nonce order by nonce');
  const remember = (nonce: string, age: string) =>
    books.rows(`insert into nonce (key_id, nonce, seen_at) values ('k', $1, now() - $2::interval)`, [
      nonce,
      age,
    ]);
  await remember('old', '1 hour');
  await remember('young', '1 minute');
  const { sweep } = openSweeper();
  await sweep();
  expect(await nonces()).toEqual([{ nonce: 'young' }]);
  await remember('old again', '1 hour');
  await sweep();
  expect(await nonces()).toHaveLength(2);
});
