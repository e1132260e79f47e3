import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openQueues, type QueueName, type Queues } from '@replenish/queues';
import { createLogger } from '@replenish/runtime';
import { checkBooks } from '../../src/books/books.js';
import { contactsOf } from '../../src/books/witness.js';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { privateRedis } from '../../src/fleet/redis.js';
import { ask, mix } from '../../src/load/load.js';
import { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { patience, seed, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

const names: readonly QueueName[] = ['submission-sandbox', 'reconciliation-sandbox', 'webhooks'];

// The time after which an unanswered call ends. Even on a busy machine the extra jobs must be added in this time.
const CALL_LIMIT_MS = 6_000;

let fleet: Fleet;
let producer: Producer;
let queues: Queues;

beforeAll(async () => {
  const redisUrl = process.env.REDIS_URL && (await privateRedis(process.env.REDIS_URL));
  fleet = await startFleet({
    workers: 2,
    env: { ...patience, PROVIDER_TIMEOUT_MS: String(CALL_LIMIT_MS) },
  });
  producer = await Producer.open(fleet);
  await producer.fund();
  queues = openQueues({
    redisUrl,
    databaseUrl: fleet.databaseUrl,
    log: createLogger('test', 'silent'),
    hintWaitMs: 10_000,
  });
});

afterAll(async () => {
  producer?.close();
  await queues?.close();
  await fleet?.stop();
});

/** Adds five jobs of each kind per id, in all queues. */
const noise = (ids: readonly string[]): Promise<boolean[]> =>
  Promise.all(names.map((name) => queues.hint(name, Array.from({ length: 5 }, () => ids).flat())));

async function isQuiet(): Promise<boolean> {
  const depths = await queues.depth();
  return depths.every(({ queue, state, count }) => {
    const isAtWork = queue === 'submission-sandbox' && state === 'active';
    return count === 0 || isAtWork || state === 'failed';
  });
}

test('no query is made while a submit is under way', async () => {
  const { transactionId } = await producer.send(ask('timeout_before_charge'));
  const id = transactionId!;
  const isClaimed = async () => (await producer.read(id)).state === 'SUBMITTED';
  await until(isClaimed, { limitMs: 10_000, everyMs: 5 }, `${id} SUBMITTED`);
  expect(await noise([id])).toEqual([true, true, true]);
  await until(isQuiet, { limitMs: 10_000 }, 'no job left');
  expect(await isClaimed()).toBe(true);
  await producer.reaches(id, 'SUCCEEDED');
  const contacts = await contactsOf(fleet.sandboxUrl, id);
  const submits = contacts.filter(({ operation }) => operation === 'submit');
  expect(submits.map(({ answer }) => answer)).toEqual(['none', '201']);
  const questions = contacts.filter(({ operation }) => operation === 'query');
  const silenceMs = Date.parse(questions[0]!.at) - Date.parse(submits[0]!.at);
  expect(silenceMs).toBeGreaterThanOrEqual(CALL_LIMIT_MS - 100);
});

test('doubled, early and meaningless jobs do no more than one job', async () => {
  let isSent = false;
  const sent = producer.sendAll(mix(seed(), 60), 8).finally(() => {
    isSent = true;
  });
  while (!isSent) {
    const ids = producer.calls.flatMap(({ transactionId }) => transactionId ?? []);
    await noise([...ids.slice(-10), ...ids.slice(0, 5), randomUUID()]);
  }
  await sent;
  expect(await checkBooks(fleet, { calls: producer.calls, questionsMax: 1_000 })).toEqual([]);
});
