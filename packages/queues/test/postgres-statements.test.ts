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
