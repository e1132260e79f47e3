import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import { createDatabase, OwnRedis, type TestDatabase, until } from '@replenish/testing';
import { openLimitStore, openQueues, type Queues } from '../src/index.js';

const log = createLogger('test', 'silent');
const opened: Queues[] = [];
let redis: OwnRedis;
let databases: [TestDatabase, TestDatabase];

beforeAll(async () => {
  redis = await OwnRedis.open();
  databases = [await createDatabase({ migrated: false }), await createDatabase({ migrated: false })];
});
afterEach(async () => {
  for (const queues of opened.splice(0)) await queues.close();
});
afterAll(async () => {
  await redis.close();
  await Promise.all(databases.map((database) => database.release()));
});

function openFor(databaseUrl: string, prefix?: string): Queues {
  const queues = openQueues({ redisUrl: redis.url, databaseUrl, prefix, log, hintWaitMs: 10_000 });
  opened.push(queues);
  return queues;
}

/** Starts workers for an installation, and returns the set of the ids that they get. */
function working(queues: Queues): Set<string> {
  const heard = new Set<string>();
  queues.work('webhooks', async (id) => void heard.add(id), { concurrency: 1 });
  return heard;
}

test('two installations share a Redis, and neither works on the jobs of the other', async () => {
  const [one, other] = databases.map(({ url }) => openFor(url));
  const [heardByOne, heardByOther] = [working(one!), working(other!)];
  await one!.hint('webhooks', ['a', 'b']);
  await other!.hint('webhooks', ['c', 'd']);
  await until(() => heardByOne.size + heardByOther.size >= 4, { limitMs: 20_000 }, 'four ids');
  expect([[...heardByOne], [...heardByOther]]).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('processes of one installation share queues, even if they use different addresses of the database', async () => {
  const address = new URL(databases[0].url);
  address.hostname = address.hostname === 'localhost' ? '127.0.0.1' : 'localhost';
  address.searchParams.set('application_name', 'another');
  const heard = working(openFor(address.href));
  await openFor(databases[0].url).hint('webhooks', ['met']);
  await until(() => heard.has('met'), { limitMs: 20_000 }, 'the id');
  expect([...heard]).toEqual(['met']);
});

test('a configured prefix is used as it is, without asking the database', async () => {
  const nowhere = 'postgres://127.0.0.1:1/unused';
  const heard = working(openFor(nowhere, 'staging'));
  await openFor(nowhere, 'staging').hint('webhooks', ['met']);
  await until(() => heard.has('met'), { limitMs: 20_000 }, 'the id');
  expect(await redis.command('KEYS {staging}*')).toContain('{staging}:webhooks');
});

test('without the database the queues are not ready, and the error says why', async () => {
  await expect(openFor('postgres://127.0.0.1:1/unused').ping()).rejects.toThrow(
    /after which the queues are named/,
  );
});

test('their rate limits do not count together', async () => {
  const scopes = databases.map(async ({ url }) => {
    const store = openLimitStore({ redisUrl: redis.url, databaseUrl: url, log });
    return store.scope().finally(() => store.close());
  });
  const [one, other] = await Promise.all(scopes);
  expect(one).toMatch(/^replenish-[\da-f]{12}$/);
  expect(one).not.toBe(other);
});
