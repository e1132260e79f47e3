import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import { type MovableAddress, OwnRedis, openMovableAddress } from '../../src/fleet/own/own-redis.js';
import { ask } from '../../src/load/load.js';
import { until } from '../../src/until.js';
import { openStage, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let first: OwnRedis;
let second: OwnRedis;
let address: MovableAddress;
let stage: Stage;

beforeAll(async () => {
  first = await OwnRedis.open();
  second = await OwnRedis.open([`replicaof 127.0.0.1 ${first.port}`]);
  const isFollowing = async () =>
    (await second.command('INFO replication')).includes('master_link_status:up');
  await until(isFollowing, { limitMs: 20_000 }, 'the second follows the first');
  address = await openMovableAddress(first.port);
  stage = await openStage({ redisUrl: `redis://127.0.0.1:${address.port}` });
});

afterAll(async () => {
  await stage?.close();
  address?.close();
  await Promise.all([first?.close(), second?.close()]);
});

const names = ['ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'] as const;

/** The state of the queue that each process reports. */
const readiness = (): Promise<string[]> =>
  Promise.all(
    names.map(async (name) => {
      const port = /"metricsPort":(\d+)/.exec(stage.fleet.logs(name))![1];
      const response = await fetch(`http://127.0.0.1:${port}/readyz`);
      return ((await response.json()) as { checks: { queue: string } }).checks.queue;
    }),
  );

test('after a failover of Redis that closes no connection, recharges finish within seconds', async () => {
  const { fleet, producer } = stage;
  const send = async () => (await producer.send(ask('ok'))).transactionId!;
  await producer.reaches(await send(), 'SUCCEEDED');
  await second.command('REPLICAOF NO ONE');
  await first.command(`REPLICAOF 127.0.0.1 ${second.port}`);
  const isReplica = (queue: string) => /^Redis is a read-only replica/.test(queue);
  // A process looks at its queue once per second.
  await until(
    async () => (await readiness()).every(isReplica),
    { limitMs: 20_000 },
    'all report the replica',
  );
  const ids = await Promise.all(Array.from({ length: 5 }, send));
  address.leadTo(second.port);
  const sinceMs = performance.now();
  await Promise.all(ids.map((id) => producer.reaches(id, 'SUCCEEDED')));
  const tookMs = performance.now() - sinceMs;
  await until(
    async () => (await readiness()).every((one) => one === 'ok'),
    { limitMs: 10_000 },
    'all are ready',
  );
  const reason = /Redis (is a read-only|has become a) replica: REDIS_URL must lead/;
  await until(
    async () => names.every((name) => reason.test(fleet.logs(name))),
    { limitMs: 10_000 },
    'the reason in each log',
  );
  expect(tookMs).toBeLessThan(30_000);
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});
