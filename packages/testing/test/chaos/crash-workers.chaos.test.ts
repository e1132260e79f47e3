import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { ask, mix } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { killAndRevive, openStage, type Stage, seed, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let producer: Producer;

beforeAll(async () => {
  stage = await openStage({ workers: 2 });
  ({ fleet, producer } = stage);
  await producer.fund();
});

afterAll(() => stage?.close());

test.each(['webhook.before-apply', 'webhook.after-apply'])('a webhook worker killed at %s', async (point) => {
  fleet.arm(point);
  const { transactionId } = await producer.send(ask('ok'));
  await fleet.crashed(point, TEST_LIMIT_MS);
  await producer.reaches(transactionId!, 'SUCCEEDED');
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});

test.each(['reconciliation.after-take', 'reconciliation.after-query'])(
  'a reconciliation worker killed at %s',
  async (point) => {
    const { transactionId } = await producer.send(ask('ok_no_webhook'));
    fleet.arm(point);
    await fleet.crashed(point, TEST_LIMIT_MS);
    await producer.reaches(transactionId!, 'SUCCEEDED');
    expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
  },
);

test('two workers of each kind under load, one of which is killed from time to time', async () => {
  const sent = producer.sendAll(mix(seed(), 150), 8);
  let isDone = false;
  void sent.finally(() => {
    isDone = true;
  });
  for (const [n, name] of (
    ['webhook-worker', 'reconciliation-worker', 'submission-worker'] as const
  ).entries()) {
    const answered = producer.calls.length;
    const hasCalled = () => isDone || producer.calls.length > answered + 20;
    await until(hasCalled, { limitMs: TEST_LIMIT_MS }, 'some more calls');
    await killAndRevive(fleet, name, n % 2);
  }
  await sent;
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});
