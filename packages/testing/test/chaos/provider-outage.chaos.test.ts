import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openQueues, type Queues } from '@replenish/queues';
import { createLogger } from '@replenish/runtime';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { ask } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { openStage, patience, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let producer: Producer;
let queues: Queues;
/** The time that a hundred recharges take on this machine while the provider answers. */
let healthyMs: number;

beforeAll(async () => {
  stage = await openStage({ env: { ...patience, RECONCILE_PERIOD_MS: '200', RECONCILE_AFTER_MS: '2000' } });
  ({ fleet, producer } = stage);
  await producer.fund();
  healthyMs = await timeToSucceed(await sendMany(100));
  queues = openQueues({
    redisUrl: fleet.redisUrl ?? undefined,
    databaseUrl: fleet.databaseUrl,
    log: createLogger('test', 'silent'),
  });
});

afterAll(async () => {
  await queues?.close();
  await stage?.close();
});

async function setOutage(mode: 'down' | 'none'): Promise<void> {
  const response = await fetch(`${fleet.sandboxUrl}/_control/outage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ mode }),
  });
  expect(response.status).toBe(200);
}

/** The ids in waiting and postponed jobs. */
async function idsQueued(): Promise<number> {
  const boards = await queues.boards();
  const jobs = await Promise.all(boards.map((board) => board.getJobs(['waiting', 'delayed'], 0, 10_000)));
  return jobs.flat().reduce((sum, job) => sum + (job?.data.ids.length ?? 0), 0);
}

async function sendMany(count: number): Promise<string[]> {
  const calls = await Promise.all(Array.from({ length: count }, () => producer.send(ask('ok'))));
  return calls.map(({ transactionId }) => transactionId!);
}

/** The time until all of these recharges have succeeded, in milliseconds. */
async function timeToSucceed(ids: readonly string[]): Promise<number> {
  const sinceMs = performance.now();
  await Promise.all(ids.map((id) => producer.reaches(id, 'SUCCEEDED')));
  return performance.now() - sinceMs;
}

// In this time sweeps take each waiting recharge about once per second. Without a limit, a thousand copies of jobs
// would be queued.
const OUTAGE_MS = 30_000;

/** The limit of a claim about time. A machine that is busy with something else gets three times what it needs anyway. */
const within = (limitMs: number): number => limitMs + 3 * healthyMs;

test('during an outage the queues hold no copies, and after it new and waiting recharges go at once', async () => {
  await setOutage('down');
  const waiting = await sendMany(100);
  const endsMs = performance.now() + OUTAGE_MS;
  let most = 0;
  while (performance.now() < endsMs) {
    most = Math.max(most, await idsQueued());
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await setOutage('none');
  const sinceMs = performance.now();
  await timeToSucceed(await sendMany(1));
  const freshMs = performance.now() - sinceMs;
  const waitingMs = freshMs + (await timeToSucceed(waiting));
  expect(most).toBeLessThanOrEqual(612);
  expect(freshMs).toBeLessThan(within(10_000));
  expect(waitingMs).toBeLessThan(within(15_000));
});

test('recharges too few to open the breaker do not wait for the gaps that the outage made', async () => {
  await setOutage('down');
  const ids = await sendMany(6);
  await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
  await setOutage('none');
  expect(await timeToSucceed(ids)).toBeLessThan(within(10_000));
});

test('the invariants hold', async () => {
  await until(async () => (await idsQueued()) < 50, { limitMs: 30_000 }, 'the queues are short');
  expect(await checkBooks(fleet, { calls: producer.calls, questionsMax: 1_000 })).toEqual([]);
});
