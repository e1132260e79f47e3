import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { listed, type RedisConnection, reportingCopies } from '../src/redis/connections.js';

const opened: Redis[] = [];
afterEach(() => {
  for (const redis of opened.splice(0)) if (redis.status !== 'end') redis.disconnect();
});

/** Nobody listens there, and nobody has to: it is told to connect, and to end. */
function unconnected(): Redis {
  const redis = new Redis('redis://127.0.0.1:1', { lazyConnect: true, retryStrategy: () => null });
  opened.push(redis);
  return redis.on('error', () => {});
}

// `once` of node:events rejects for a refused connection, which is wanted here.
const heard = (redis: Redis, event: 'connecting' | 'end') =>
  new Promise<void>((resolve) => redis.once(event, resolve));

async function end(redis: Redis): Promise<void> {
  const ended = heard(redis, 'end');
  redis.disconnect();
  await ended;
}

test('a connection that has ended is forgotten, and known again when it is made anew', async () => {
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

test('of the copies that BullMQ makes, those that have ended are forgotten', async () => {
  const connections = new Set<RedisConnection>();
  const redis = reportingCopies(unconnected(), connections);
  const [first, second] = [redis.duplicate(), redis.duplicate()];
  opened.push(first, second);
  await end(first);
  expect([connections.has(first), connections.has(second)]).toEqual([false, true]);
});
