import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { OwnPostgres } from '../../src/fleet/own/own-postgres.js';
import { mix } from '../../src/load/load.js';
import { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { patience, seed, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

const names = ['sandbox', 'ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'] as const;

let postgres: OwnPostgres;
let fleet: Fleet;
let producer: Producer;

beforeAll(async () => {
  postgres = await OwnPostgres.open();
  fleet = await startFleet({ database: postgres.database, env: patience });
  producer = await Producer.open(fleet);
  await producer.fund();
});

afterAll(async () => {
  producer?.close();
  if (fleet) await fleet.stop();
  else await postgres?.close();
});

const isReady = async (): Promise<boolean> => (await fetch(`${fleet.ingressUrl}/readyz`)).ok;

test('stopped three times under load: calls are refused meanwhile, and each recharge ends once', async () => {
  const pids = names.map((name) => fleet.process(name).pid);
  const sending = mix(seed(), 150);
  const sent = producer.sendAll(sending, 8);
  for (const mode of ['fast', 'fast', 'immediate'] as const) {
    const answered = producer.calls.length;
    await until(
      () => producer.calls.length >= answered + 20,
      { limitMs: TEST_LIMIT_MS },
      'load before the fall',
    );
    await postgres.restart(mode, 1_000);
    await until(isReady, { limitMs: 10_000 }, 'ready again');
  }
  const answers = await sent;

  // 200: the commit stored the recharge, its answer was lost, and the repeated request found it by its key.
  expect(answers.filter(({ status }) => status !== 202 && status !== 200)).toEqual([]);
  const refused = producer.calls.filter(({ status }) => status === 503);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.filter(({ retryAfter, code }) => retryAfter === null || code !== 'INTERNAL_ERROR')).toEqual(
    [],
  );
  const others = producer.calls.filter(({ status }) => status !== null && ![200, 202, 503].includes(status));
  expect(others).toEqual([]);
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
  expect(names.map((name) => fleet.process(name).pid)).toEqual(pids);
});

test('no process logged an unexpected error', () => {
  const loud = names.flatMap((name) =>
    fleet
      .logs(name)
      .split('\n')
      .filter((line) => /"level":"(error|fatal)"|unhandled|^\s*at /i.test(line))
      // Jest's report of a long line is cut.
      .map((line) => `${name}: ${line.slice(0, 500)}`),
  );
  expect(loud).toEqual([]);
});
