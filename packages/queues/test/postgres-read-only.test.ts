import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import { createDatabase, type TestDatabase, until } from '@replenish/testing';
import pg from 'pg';
import { openQueues } from '../src/index.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.release());

test('a read-only database is not ready for jobs, and the error says why', async () => {
  const queues = openQueues({ databaseUrl: database.url, log: createLogger('test', 'silent') });
  await queues.ping();
  const admin = new pg.Client(database.url);
  await admin.connect();
  await admin.query(
    `alter database ${new URL(database.url).pathname.slice(1)} set default_transaction_read_only = on`,
  );
  await admin.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await admin.end();
  const reason = () => queues.ping().then(String, (error: Error) => error.message);
  // The first query may use a session that the server has ended.
  await until(async () => !(await reason()).includes('is away'), { limitMs: 10_000 }, 'a new session');
  expect(await reason()).toContain('the queue database takes no writes: it is set to read only');
  await queues.close();
});
