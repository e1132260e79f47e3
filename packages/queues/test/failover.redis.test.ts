import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import { type MovableAddress, OwnRedis, openMovableAddress, until } from '@replenish/testing';
import { openQueues, type Queues } from '../src/index.js';

// These tests need the programs of Redis on the machine. `.ci/run` installs them and runs these files.

const opened: { close: () => unknown }[] = [];
let first: OwnRedis;
let second: OwnRedis;
let address: MovableAddress;

beforeEach(async () => {
  first = await OwnRedis.open();
  second = await OwnRedis.open([`replicaof 127.0.0.1 ${first.port}`]);
  address = await openMovableAddress(first.port);
  const isFollowing = async () =>
    (await second.command('INFO replication')).includes('master_link_status:up');
  await until(isFollowing, { limitMs: 20_000 }, 'the second follows the first');
});

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  address.close();
  await Promise.all([first.close(), second.close()]);
});

function openThere(port = address.port): Queues {
  const queues = openQueues({
    redisUrl: `redis://127.0.0.1:${port}`,
    databaseUrl: 'postgres://127.0.0.1:1/unused',
    prefix: 'test',
    log: createLogger('test', 'silent'),
    hintWaitMs: 2_000,
  });
  opened.push(queues);
  return queues;
}

const faultOf = (queues: Queues): Promise<string> =>
  queues.ping().then(
    () => 'none',
    (error: Error) => error.message,
  );

test('after a failover that closes no connection, hints and workers reach the new primary by themselves', async () => {
  const [hinting, working] = [openThere(), openThere()];
  const heard = new Set<string>();
  working.work('webhooks', async (id) => void heard.add(id), { concurrency: 2 });
  await until(() => hinting.hint('webhooks', ['before']), { limitMs: 10_000 }, 'a hint is taken');
  await until(() => heard.has('before'), { limitMs: 10_000 }, 'the worker works');

  await second.command('REPLICAOF NO ONE');
  await first.command(`REPLICAOF 127.0.0.1 ${second.port}`);
  const told = await faultOf(hinting);
  address.leadTo(second.port);
  await until(async () => (await faultOf(hinting)) === 'none', { limitMs: 10_000 }, 'the queue is ready');
  await until(() => hinting.hint('webhooks', ['after']), { limitMs: 10_000 }, 'a hint is taken again');
  await until(() => heard.has('after'), { limitMs: 10_000 }, 'the worker works again');
  expect(told).toMatch(/^Redis is a read-only replica: REDIS_URL must lead to the primary/);
});

test('a job that ends after the failover is finished on the new primary, and does not run again', async () => {
  const queues = openThere();
  let [runs, release] = [0, () => {}];
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handler = async () => {
    runs++;
    await held;
  };
  queues.work('webhooks', handler, { concurrency: 1 });
  await until(() => queues.hint('webhooks', ['a']), { limitMs: 10_000 }, 'a hint is taken');
  await until(() => runs === 1, { limitMs: 10_000 }, 'it is being worked on');
  const isCopied = async () => !(await second.command('KEYS *active')).startsWith('*0');
  await until(isCopied, { limitMs: 10_000 }, 'the replica knows of it');
  await second.command('REPLICAOF NO ONE');
  await first.command(`REPLICAOF 127.0.0.1 ${second.port}`);
  address.leadTo(second.port);
  release();
  const isDone = async () => (await second.command('KEYS *active')).startsWith('*0');
  await until(isDone, { limitMs: 10_000 }, 'no job is left');
  expect(runs).toBe(1);
});

test.each([
  {
    what: 'a replica that takes writes',
    setting: 'replica-read-only no',
    says: /^Redis is a replica/,
    at: 'second',
  },
  {
    what: 'too few replicas',
    setting: 'min-replicas-to-write 3',
    says: /fewer replicas follow it/,
    at: 'first',
  },
  { what: 'no memory left', setting: 'maxmemory 1', says: /^Redis is full/, at: 'first' },
] as const)('a Redis with $what is not ready, and the error says why', async ({ setting, says, at }) => {
  const redis = at === 'first' ? first : second;
  expect(await redis.command(`CONFIG SET ${setting}`)).toMatch(/^\+OK/);
  expect(await faultOf(openThere(redis.port))).toMatch(says);
});
