import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import { createDatabase, OwnRedis, type TestDatabase } from '@replenish/testing';
import { openQueues } from '../src/index.js';

const log = createLogger('test', 'silent');
let redis: OwnRedis;
let database: TestDatabase;

beforeAll(async () => {
  redis = await OwnRedis.open(['maxmemory 3mb', 'maxmemory-policy noeviction']);
  database = await createDatabase({ migrated: false });
});
afterAll(async () => {
  await redis.close();
  await database.release();
});

test('a Redis that may throw jobs away says so, and how many keys it has thrown away', async () => {
  const queues = openQueues({ redisUrl: redis.url, databaseUrl: database.url, log });
  try {
    expect(await queues.eviction()).toEqual({ mayEvict: false, evictedKeys: 0 });
    await redis.command('CONFIG SET maxmemory-policy allkeys-lru');
    await redis.command(`EVAL "for n = 1, 4000 do redis.call('set', n, string.rep('x', 1000)) end" 0`);
    await redis.command('SET one-more 1');
    const { mayEvict, evictedKeys } = (await queues.eviction())!;
    expect([mayEvict, evictedKeys > 0]).toEqual([true, true]);
  } finally {
    await queues.close();
  }
});
