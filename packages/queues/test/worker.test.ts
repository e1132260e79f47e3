import { describe, expect, test } from '@jest/globals';
import { openRegistry } from '@replenish/runtime';
import { stores, until, useStore } from './support/stores.js';

describe.each(stores)('workers on $name', ({ openStore }) => {
  const { open } = useStore(openStore);

  test('no more ids are worked on at once than there are turns, and a failed id does not affect the others', async () => {
    const queues = open();
    const runs = new Map<string, number>();
    let [running, most] = [0, 0];
    const handler = async (id: string) => {
      const run = (runs.get(id) ?? 0) + 1;
      runs.set(id, run);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running--;
      if (id === 'b' && run === 1) throw new Error('no');
      return id === 'c' && run === 1 ? { laterAtMs: Date.now() } : undefined;
    };
    queues.work('webhooks', handler, { concurrency: 2 });
    await queues.hint('webhooks', [...'abcdef']);
    const board = (await queues.boards()).find(({ name }) => name === 'webhooks')!;
    const left = () => board.getJobCountByTypes('waiting', 'active', 'delayed');
    await until(async () => runs.get('c') === 2 && (await left()) === 0);
    expect(Object.fromEntries(runs)).toEqual({ a: 1, b: 2, c: 2, d: 1, e: 1, f: 1 });
    expect(most).toBe(2);
  });

  test('ids that wait for a turn when the worker is closed go to the next worker', async () => {
    const [first, second] = [open(), open()];
    const heard: string[] = [];
    const handler = async (id: string) => {
      heard.push(id);
      await new Promise((resolve) => setTimeout(resolve, 200));
    };
    first.work('submission-sandbox', handler, { concurrency: 1 });
    await first.hint('submission-sandbox', [...'abc']);
    await until(() => heard.length === 1);
    await first.close();
    expect(heard).toEqual(['a']);
    second.work('submission-sandbox', handler, { concurrency: 3 });
    await until(() => heard.length === 3);
    expect(heard.toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('a postponed job runs again at its time and has used up no attempt', async () => {
    const queues = open();
    const heard: { attemptsMade: number; atMs: number }[] = [];
    const laterAtMs = Date.now() + 400;
    const handler = async (_id: string, { attemptsMade }: { attemptsMade: number }) => {
      heard.push({ attemptsMade, atMs: Date.now() });
      return heard.length === 1 ? { laterAtMs } : undefined;
    };
    queues.work('submission-sandbox', handler, { concurrency: 1 });
    await queues.hint('submission-sandbox', ['a']);
    await until(() => heard.length === 2);
    expect(heard.map((run) => run.attemptsMade)).toEqual([0, 0]);
    expect(heard[1]!.atMs).toBeGreaterThanOrEqual(laterAtMs);
  });

  test.each([
    { queue: 'submission-sandbox', fails: [0] },
    { queue: 'webhooks', fails: [0, 0] },
  ] as const)(
    'an id that is postponed beside a failed one on $queue runs again at its time, and uses up no attempt',
    async ({ queue, fails }) => {
      const queues = open();
      const attempts: Record<string, number[]> = { fails: [], later: [] };
      let [laterAtMs, backAtMs] = [Number.POSITIVE_INFINITY, 0];
      const handler = async (id: string, { attemptsMade }: { attemptsMade: number }) => {
        const isFirst = attempts[id]!.push(attemptsMade) === 1;
        if (id === 'fails' && isFirst) throw new Error('no');
        if (id === 'fails') return;
        backAtMs = Date.now();
        if (!isFirst) return;
        laterAtMs = Date.now() + 1_000;
        return { laterAtMs };
      };
      queues.work(queue, handler, { concurrency: 2 });
      await queues.hint(queue, ['fails', 'later']);
      const board = (await queues.boards()).find(({ name }) => name === queue)!;
      await until(async () => (await board.getJobCountByTypes('waiting', 'active', 'delayed')) === 0);
      expect(attempts).toEqual({ fails, later: [0, 0] });
      expect(backAtMs).toBeGreaterThanOrEqual(laterAtMs);
    },
  );

  test.each([
    { queue: 'submission-sandbox', runs: 1 },
    { queue: 'reconciliation-sandbox', runs: 1 },
    { queue: 'webhooks', runs: 3 },
  ] as const)('a handler that throws twice runs $runs times on $queue', async ({ queue, runs }) => {
    const registry = openRegistry('test');
    const queues = open({ registry });
    let ran = 0;
    const handler = async (id: string) => {
      if (id === 'a' && ++ran < 3) throw new Error('no');
    };
    queues.work(queue, handler, { concurrency: 1 });
    await queues.hint(queue, ['a']);
    const board = (await queues.boards()).find(({ name }) => name === queue)!;
    await until(
      async () => ran === runs && (await board.getJobCountByTypes('waiting', 'active', 'delayed')) === 0,
    );
    const failed = await registry.getSingleMetric('replenish_queue_failed_total')!.get();
    expect({ ran, failed: failed.values[0]!.value }).toEqual({ ran: runs, failed: Math.min(runs, 2) });
  });

  test('a job keeps only the kind of its error', async () => {
    const queues = open();
    const handler = async () => {
      throw new RangeError('card 4111111111111111');
    };
    queues.work('submission-sandbox', handler, { concurrency: 1 });
    await queues.hint('submission-sandbox', ['a']);
    const board = (await queues.boards()).find(({ name }) => name === 'submission-sandbox')!;
    await until(async () => (await board.getFailedCount()) === 1);
    const [job] = await board.getJobs(['failed']);
    expect([job!.failedReason, job!.stacktrace]).toEqual(['RangeError', []]);
  });

  test('a worker is stuck if jobs wait and it begins none', async () => {
    const queues = open();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const worker = queues.work('webhooks', () => held, { concurrency: 1, stuckAfterMs: 300 });
    const before = worker.isStuck();
    await queues.hint('webhooks', ['a']);
    await queues.hint('webhooks', ['b']);
    await until(() => worker.isStuck());
    release();
    await until(() => !worker.isStuck());
    expect(before).toBe(false);
  });

  test('a worker that begins one id after the other is not stuck, although jobs wait', async () => {
    const queues = open();
    const wasStuck: Record<string, boolean> = {};
    const handler = async (id: string) => {
      wasStuck[id] = worker.isStuck();
      if (id === 'a') await until(() => worker.isStuck());
    };
    await queues.hint('webhooks', ['a', 'b']);
    await queues.hint('webhooks', ['c']);
    const worker = queues.work('webhooks', handler, { concurrency: 1, stuckAfterMs: 300 });
    await until(() => 'c' in wasStuck);
    expect(wasStuck).toEqual({ a: false, b: false, c: false });
  });
});
