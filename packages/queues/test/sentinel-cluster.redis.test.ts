import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import { freePort, OwnRedis, until } from '@replenish/testing';
import { openQueues, type Queues } from '../src/index.js';

const opened: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
}, 60_000);

const kept = <T extends { close: () => unknown }>(one: T): T => {
  opened.push(one);
  return one;
};

const openThere = (redisUrl: string): Queues =>
  kept(
    openQueues({
      redisUrl,
      databaseUrl: 'postgres://127.0.0.1:1/unused',
      prefix: 'test',
      log: createLogger('test', 'silent'),
      hintWaitMs: 2_000,
    }),
  );

/** Checks that ids reach a worker before `fail`, and again within three minutes after it. */
async function survives(redisUrl: string, fail: () => Promise<unknown>): Promise<void> {
  const [hinting, working] = [openThere(redisUrl), openThere(redisUrl)];
  const heard = new Set<string>();
  working.work('webhooks', async (id) => void heard.add(id), { concurrency: 2 });
  const reaches = (id: string) =>
    until(
      async () => heard.has(id) || ((await hinting.hint('webhooks', [id])) && heard.has(id)),
      { limitMs: 180_000, everyMs: 100 },
      `${id} reaches the worker`,
    );
  await reaches('before');
  await hinting.ping();
  await fail();
  await reaches('after');
  await hinting.ping();
  expect([...heard]).toEqual(['before', 'after']);
}

test('behind sentinels the queues move to the server that replaces the primary', async () => {
  const primary = kept(await OwnRedis.open(['requirepass secret', 'masterauth secret']));
  const follows = `replicaof 127.0.0.1 ${primary.port}`;
  const replica = kept(await OwnRedis.open([follows, 'requirepass secret', 'masterauth secret']));
  const isFollowing = async () =>
    (await replica.command('INFO replication')).includes('master_link_status:up');
  await until(isFollowing, { limitMs: 20_000 }, 'the replica follows');
  const watch = [
    `sentinel monitor orders 127.0.0.1 ${primary.port} 2`,
    'sentinel auth-pass orders secret',
    'sentinel down-after-milliseconds orders 1000',
    'sentinel failover-timeout orders 10000',
  ];
  const sentinels: OwnRedis[] = [];
  for (let n = 0; n < 3; n++) sentinels.push(kept(await OwnRedis.openSentinel(watch)));
  const knowsAll = async (one: OwnRedis) => {
    const told = await one.command('INFO sentinel');
    return told.includes('sentinels=3') && told.includes('slaves=1');
  };
  await until(
    async () => (await Promise.all(sentinels.map(knowsAll))).every((knows) => knows),
    { limitMs: 30_000 },
    'the sentinels know each other',
  );
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  await survives(`redis-sentinel://:secret@${hosts}/orders`, () => primary.close());
}, 300_000);

test('on a cluster the queues move from a dead primary to its replica', async () => {
  // The port of the cluster bus is 10,000 higher, and must be a valid port.
  const ports: number[] = [];
  while (ports.length < 6) {
    const port = await freePort();
    if (port < 55_000 && !ports.includes(port)) ports.push(port);
  }
  const settings = (port: number) => [
    'cluster-enabled yes',
    `cluster-config-file nodes-${port}.conf`,
    'cluster-node-timeout 1500',
  ];
  const nodes: OwnRedis[] = [];
  for (const port of ports) nodes.push(kept(await OwnRedis.open(settings(port), port)));
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  await promisify(execFile)('redis-cli', [
    ...['--cluster', 'create', ...addresses],
    ...['--cluster-replicas', '1', '--cluster-yes'],
  ]);
  const isWhole = async () => (await nodes[0]!.command('CLUSTER INFO')).includes('cluster_state:ok');
  await until(isWhole, { limitMs: 30_000 }, 'the cluster is whole');
  const followers = async () =>
    (await Promise.all(nodes.map((node) => node.command('INFO replication')))).filter((told) =>
      told.includes('master_link_status:up'),
    ).length;
  await until(async () => (await followers()) === 3, { limitMs: 30_000 }, 'each primary has its replica');
  await survives(`redis-cluster://${addresses.slice(0, 2).join(',')}`, async () => {
    const slot = Number(/:(\d+)/.exec(await nodes[0]!.command('CLUSTER KEYSLOT {test}'))![1]);
    const lines = (await nodes[0]!.command('CLUSTER NODES')).split('\n');
    const owner = lines.find((line) =>
      line
        .split(' ')
        .slice(8)
        .some((range) => {
          const [from, to] = range.split('-').map(Number);
          return slot >= from! && slot <= (to ?? from!);
        }),
    )!;
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(owner)![1]);
    await nodes.find((node) => node.port === port)!.close();
  });
}, 300_000);

test.each([
  ['redis-sentinel://host:26379/orders?tls=1', /unknown parameter tls/],
  ['redis-cluster://host:6379/3', /a cluster has one database/],
  ['redis-cluster://host:0', /one of its hosts cannot be read/],
  ['redis-sentinel://user:pass word@/orders', /give redis:\/\/host:6379/],
])('%s is refused, and the error quotes no password', async (redisUrl, says) => {
  expect(() => openThere(redisUrl)).toThrow(says);
  expect(() => openThere(redisUrl)).not.toThrow(/pass word/);
});
