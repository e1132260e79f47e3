import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import { createDatabase, execute, migrateAsOperator, type TestDatabase, until } from '@replenish/testing';
import pg from 'pg';
import { migrateQueues, openQueues, type Queues } from '../src/index.js';

const { TEST_POSTGRES_URL: server = '', TEST_POSTGRES_APP_URL: appServer = '' } = process.env;
const APP_ROLE = new URL(appServer).username;
const OWNER = `owner_${process.pid}`;
const log = createLogger('test', 'silent');

let database: TestDatabase;
let ownerUrl: string;
let appUrl: string;
const opened: Queues[] = [];

/** The owner of the database is no superuser and cannot grant roles, as on a managed server. */
beforeAll(async () => {
  database = await createDatabase({ migrated: false });
  appUrl = database.appUrl!;
  ownerUrl = Object.assign(new URL(database.url), { username: OWNER, password: 'p' }).href;
  await execute(server, `create role ${OWNER} login password 'p'`);
  await execute(server, `alter database ${new URL(database.url).pathname.slice(1)} owner to ${OWNER}`);
});
afterAll(async () => {
  await Promise.all(opened.map((queues) => queues.close()));
  await database.release();
  await execute(server, `drop role ${OWNER}`);
});

function open(): Queues {
  const queues = openQueues({ databaseUrl: appUrl, log, hintWaitMs: 20_000 });
  opened.push(queues);
  return queues;
}

async function ask<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

test('before the owner has migrated, a process says what to run', async () => {
  await expect(open().ping()).rejects.toThrow('run npx replenish migrate');
});

test('the owner migrates, twice, and the role of the processes adds and works jobs, owning nothing', async () => {
  await migrateAsOperator(ownerUrl);
  await migrateAsOperator(ownerUrl);
  const queues = open();
  const heard = new Set<string>();
  queues.work('webhooks', async (id) => void heard.add(id), { concurrency: 1 });
  // 200 ids are several jobs, which are added together.
  const ids = Array.from({ length: 200 }, (_, n) => `id-${n}`);
  expect(await queues.hint('webhooks', ids)).toBe(true);
  expect(await queues.hint('webhooks', ['alone'])).toBe(true);
  await until(() => heard.size === 201, { limitMs: 20_000 }, 'all ids');
  await queues.ping();
  expect((await queues.depth()).length).toBeGreaterThan(0);
  const owned = await ask(
    `select relname from pg_class where relowner = $1::regrole and relpersistence <> 't'
     union all select proname from pg_proc where proowner = $1::regrole
     union all select nspname from pg_namespace where nspowner = $1::regrole and nspname !~ '^pg_(toast_)?temp_'`,
    [APP_ROLE],
  );
  expect(owned).toEqual([]);
});

test.each(['create table bullmq.mine (n int)', 'drop table bullmq.job', 'create schema mine'])(
  'the role of the processes cannot %s',
  async (sql) => {
    await expect(execute(appUrl, sql)).rejects.toMatchObject({ code: '42501' });
  },
);

test('a schema that one role made and used before there were two goes on with its jobs', async () => {
  const older = await createDatabase({ migrated: false });
  const before = openQueues({ databaseUrl: older.url, log, hintWaitMs: 20_000 });
  expect(await before.hint('webhooks', ['waiting'])).toBe(true);
  await before.close();
  await migrateQueues({ databaseUrl: older.url, appRole: APP_ROLE });
  const after = openQueues({ databaseUrl: older.appUrl!, log, hintWaitMs: 20_000 });
  const heard = new Set<string>();
  after.work('webhooks', async (id) => void heard.add(id), { concurrency: 1 });
  expect(await after.hint('webhooks', ['new'])).toBe(true);
  await until(() => heard.size === 2, { limitMs: 20_000 }, 'both ids');
  await after.close();
  await older.release();
});
