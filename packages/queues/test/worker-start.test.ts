import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import type { Backend } from '../src/backend.js';
import { openCounters, RunningWorker } from '../src/worker.js';
import { until } from './support/stores.js';

/** A store that can be reached, but refuses the first contact of each worker without delay. */
function refusingStore() {
  const builtAtMs: number[] = [];
  const worker = {
    on: () => worker,
    waitUntilReady: () => Promise.reject(new Error('refused')),
    close: () => turn(),
  };
  const backend = {
    reachable: async () => {},
    windDown: async () => {},
    buildWorker: () => {
      builtAtMs.push(performance.now());
      return worker;
    },
  };
  return { backend: backend as unknown as Backend, builtAtMs };
}

function start(backend: Backend): RunningWorker {
  const log = createLogger('test', 'silent');
  const deps = { backend, queue: () => new Promise<never>(() => {}), counters: openCounters(undefined), log };
  return new RunningWorker(deps, 'webhooks', async () => {}, { concurrency: 1 });
}

test('a worker whose first contact fails is built again after a pause, and close ends the pause', async () => {
  const { backend, builtAtMs } = refusingStore();
  const worker = start(backend);
  await until(() => builtAtMs.length >= 3);
  const closed = worker.close().then(() => 'closed');
  const firstToEnd = await Promise.race([closed, turn('pause')]);
  const gapsMs = builtAtMs.slice(1).map((atMs, at) => atMs - builtAtMs[at]!);
  expect(Math.min(...gapsMs)).toBeGreaterThan(150);
  expect(firstToEnd).toBe('closed');
});
