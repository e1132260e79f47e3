import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { stores } from './support/stores.js';

const { openStore } = stores.find(({ name }) => name === 'postgres')!;
let store: Awaited<ReturnType<typeof openStore>>;

beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.drop());

test('statements of the queues go on in a session whose results a newer release has changed', async () => {
  const admin = new pg.Client(store.url);
  await admin.connect();
  const queues = store.open({ poolMax: 1 });
  try {
    const before = await queues.room(['webhooks']);
    await admin.query('alter table bullmq.meta alter column value type varchar(200)');
    expect(await queues.room(['webhooks'])).toEqual(before);
  } finally {
    await queues.close();
    await admin.end();
  }
});

test('the room in all queues is one statement, which reads no more jobs than would fill a queue', async () => {
  const admin = new pg.Client(store.url);
  await admin.connect();
  const queues = store.open({});
  const names = ['webhooks', 'submission-sandbox', 'reconciliation-sandbox'] as const;
  const asked: string[] = [];
  const { query } = pg.Pool.prototype;
  try {
    await queues.hint('webhooks', ['a']);
    await admin.query(`
      insert into bullmq.job (queue, id, name, data, opts, state, added_at_ms, seq)
        select queue, 'copy-' || n, name, data, opts, state, added_at_ms, seq + n
        from bullmq.job, generate_series(1, 5000) n where queue = 'webhooks'`);
    pg.Pool.prototype.query = function (this: pg.Pool, ...args: unknown[]) {
      asked.push(JSON.stringify(args[0]));
      return (query as (...all: unknown[]) => unknown).apply(this, args);
    } as typeof query;
    expect(await queues.room(names)).toEqual([0, 512, 512]);
  } finally {
    pg.Pool.prototype.query = query;
    await queues.close();
    await admin.end();
  }
  expect(asked.filter((text) => text.includes('from job'))).toHaveLength(1);
});
