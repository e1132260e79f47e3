import { afterEach, describe, expect, test } from '@jest/globals';
import type { Queues } from '../src/index.js';
import { type Cuttable, cuttable } from './support/cuttable.js';
import { stores, until, useStore } from './support/stores.js';

describe.each(stores)('queues on $name', ({ openStore }) => {
  const { store, open } = useStore(openStore);
  const proxies: Cuttable[] = [];
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });

  const openBehindProxy = async (): Promise<{ queues: Queues; proxy: Cuttable }> => {
    const proxy = await cuttable(store().url);
    proxies.push(proxy);
    return { queues: open({ hintWaitMs: 500 }, proxy.through(store().url)), proxy };
  };

  test('each hint reaches a handler, and hints of one moment share jobs, which carry only ids', async () => {
    const queues = open();
    const heard: string[] = [];
    const answers = await Promise.all([
      queues.hint('submission-sandbox', [...'abcdefg']),
      queues.hint('submission-sandbox', [...'hij']),
      queues.hint('submission-sandbox', []),
    ]);
    const board = (await queues.boards()).find((queue) => queue.name === 'submission-sandbox')!;
    await until(async () => (await board.getWaitingCount()) === 2);
    const jobs = await board.getJobs(['waiting']);
    queues.work('submission-sandbox', async (id) => void heard.push(id), { concurrency: 4 });
    await until(() => heard.length === 10);
    expect(answers).toEqual([true, true, true]);
    expect(heard.sort()).toEqual([...'abcdefghij']);
    expect(jobs.map(({ data }) => data).toSorted((a, b) => b.ids.length - a.ids.length)).toEqual([
      { ids: [...'abcdefgh'] },
      { ids: [...'ij'] },
    ]);
  });

  test('five processes that start at once on an empty store all work', async () => {
    await store().wipe();
    const fleet = Array.from({ length: 5 }, () => open());
    const heard = new Set<number>();
    for (const [at, queues] of fleet.entries())
      queues.work('webhooks', async () => void heard.add(at), { concurrency: 1 });
    await Promise.all(fleet.map((queues) => queues.ping()));
    await until(async () => {
      await Promise.all(fleet.map((queues) => queues.hint('webhooks', ['x', 'y', 'z'])));
      return heard.size === fleet.length;
    });
    expect(heard.size).toBe(5);
  });

  test('a queue has no room for a sweep while enough of its own jobs wait', async () => {
    const queues = open();
    const ids = Array.from({ length: 500 }, (_, at) => `id-${at}`);
    const rooms = () => queues.room(['submission-sandbox', 'reconciliation-sandbox']);
    const before = await rooms();
    await queues.hint('submission-sandbox', ids);
    const after = await rooms();
    await queues.hint('submission-sandbox', ids);
    expect([before, after, await rooms()]).toEqual([
      [512, 512],
      [8, 512],
      [0, 512],
    ]);
  });

  test('hints and workers continue after all data of the store is lost', async () => {
    const queues = open();
    const heard = new Set<string>();
    queues.work('webhooks', async (id) => void heard.add(id), { concurrency: 1 });
    await queues.hint('webhooks', ['before']);
    await until(() => heard.has('before'));
    await store().wipe();
    await until(async () => {
      await queues.hint('webhooks', ['after']);
      return heard.has('after');
    });
    expect([...heard]).toEqual(['before', 'after']);
  });

  test('depth counts each state of each queue', async () => {
    const queues = open({ providers: ['sandbox', 'alipay'] });
    await queues.hint('submission-alipay', ['a', 'b']);
    const depth = await queues.depth();
    expect(depth).toHaveLength(9 * 4);
    expect(depth.filter(({ count }) => count > 0)).toEqual([
      { queue: 'submission-alipay', state: 'waiting', count: 1 },
    ]);
  });

  test('close waits for the running handler, and leaves no connection open', async () => {
    const queues = open();
    let started = () => {};
    const hasStarted = new Promise<void>((resolve) => {
      started = resolve;
    });
    let isDone = false;
    const handler = async () => {
      started();
      await new Promise((resolve) => setTimeout(resolve, 300));
      isDone = true;
    };
    queues.work('webhooks', handler, { concurrency: 1 });
    await queues.hint('webhooks', ['a']);
    await hasStarted;
    await queues.close();
    await until(async () => (await store().connections()) === 0);
    expect(isDone).toBe(true);
  });

  test('a store that is away delays a hint for a limited time, and all continues once it is back', async () => {
    const { queues, proxy } = await openBehindProxy();
    const heard = new Set<string>();
    queues.work('webhooks', async (id) => void heard.add(id), { concurrency: 2 });
    await until(() => queues.hint('webhooks', ['before']));
    await until(() => heard.has('before'));

    await proxy.cut();
    const startedMs = performance.now();
    const answers = [await queues.hint('webhooks', ['lost']), await queues.hint('webhooks', ['lost'])];
    const tookMs = performance.now() - startedMs;
    await expect(queues.ping()).rejects.toThrow(/is away/);
    await expect(queues.depth()).rejects.toThrow(/is away/);
    await expect(queues.room(['webhooks'])).rejects.toThrow(/is away/);

    await proxy.restore();
    await until(() => queues.hint('webhooks', ['after']));
    await until(() => heard.has('after'));
    await queues.ping();
    expect(answers).toEqual([false, false]);
    expect(tookMs).toBeLessThan(20_000);
  });

  test('a process starts while its store is away, and works once it is there', async () => {
    const proxy = await cuttable(store().url);
    proxies.push(proxy);
    await proxy.cut();
    const queues = open({ hintWaitMs: 500 }, proxy.through(store().url));
    const heard = new Set<string>();
    const worker = queues.work('webhooks', async (id) => void heard.add(id), { concurrency: 1 });
    const answer = await queues.hint('webhooks', ['lost']);
    await proxy.restore();
    await until(() => queues.hint('webhooks', ['found']));
    await until(() => heard.has('found'));
    expect({ answer, isStuck: worker.isStuck() }).toEqual({ answer: false, isStuck: false });
  });

  test('close ends in time while the store is away', async () => {
    const { queues, proxy } = await openBehindProxy();
    queues.work('webhooks', async () => {}, { concurrency: 1 });
    await until(() => queues.hint('webhooks', ['a']));
    await proxy.cut();
    await queues.close();
    await expect(queues.ping()).rejects.toThrow();
  });
});
