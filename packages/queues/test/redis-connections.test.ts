import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { listed, type RedisConnection, reportingCopies } from '../src/redis/connections.js';

const opened: Redis[] = [];
afterEach(() => {
  for (const redis of opened.splice(0)) if (redis.status !== 'end') redis.disconnect();
});

/** A connection to a port without a server. The tests only start and end it. */
function unconnected(): Redis {
  const redis = new Redis('redis://127.0.0.1:1', { lazyConnect: true, retryStrategy: () => null });
  opened.push(redis);
  return redis.on('error', () => {});
}

// The refused connection is expected here. `once` of node:events would reject at it.
const heard = (redis: Redis, event: 'connecting' | 'end') =>
  new Promise<void>((resolve) => redis.once(event, resolve));

async function end(redis: Redis): Promise<void> {
  const ended = heard(redis, 'end');
  redis.disconnect();
  await ended;
}

test('an ended connection leaves the list, and is in it again once it reconnects', async () => {
  const connections = new Set<RedisConnection>();
  const redis = listed(unconnected(), connections);
  const known = [connections.has(redis)];
  await end(redis);
  known.push(connections.has(redis));
  const [connecting, refused] = [heard(redis, 'connecting'), heard(redis, 'end')];
  redis.connect().catch(() => {});
  await connecting;
  known.push(connections.has(redis));
  await refused;
  known.push(connections.has(redis));
  expect(known).toEqual([true, false, true, false]);
});

test('ended copies of BullMQ leave the list', async () => {
  const connections = new Set<RedisConnection>();
  const redis = reportingCopies(unconnected(), connections);
  const [first, second] = [redis.duplicate(), redis.duplicate()];
  opened.push(first, second);
  await end(first);
  expect([connections.has(first), connections.has(second)]).toEqual([false, true]);
});
