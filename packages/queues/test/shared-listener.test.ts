import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { stores, until } from './support/stores.js';

const { openStore } = stores.find(({ name }) => name === 'postgres')!;
let store: Awaited<ReturnType<typeof openStore>>;
let admin: pg.Client;

beforeAll(async () => {
  store = await openStore();
  admin = new pg.Client(store.url);
  await admin.connect();
});

afterAll(async () => {
  await admin.end();
  await store.drop();
});

/** The sessions whose last statement was a LISTEN. */
const listening = async (): Promise<number[]> => {
  const { rows } = await admin.query<{ pid: number }>(
    `select pid from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query ilike '%listen bullmq_jobs%'`,
  );
  return rows.map(({ pid }) => pid);
};

test('the workers of a process hear of their jobs by one session, and by another one when it is ended', async () => {
  const names = ['submission-alipay', 'submission-stripe', 'webhooks'] as const;
  const queues = store.open();
  const heard = new Set<string>();
  for (const name of names)
    queues.work(name, async (id) => void heard.add(`${name} ${id}`), { concurrency: 1 });
  const hears = async (id: string) => {
    for (const name of names) await queues.hint(name, [id]);
    await until(() => names.every((name) => heard.has(`${name} ${id}`)));
  };
  try {
    await hears('first');
    const [before, ...others] = await listening();
    expect(others).toEqual([]);
    await admin.query('select pg_terminate_backend($1)', [before]);
    await until(async () => {
      const [now] = await listening();
      return now !== undefined && now !== before;
    });
    await hears('second');
    expect(await listening()).toHaveLength(1);
  } finally {
    await queues.close();
  }
});
