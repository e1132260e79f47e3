import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { sandboxOrders } from '../../src/fleet/producer.js';
import { ask, mix } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { killAndRevive, openStage, type Stage, seed, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let producer: Producer;
let db: pg.Client;

beforeAll(async () => {
  stage = await openStage({ ingress: 2 });
  ({ fleet, producer, db } = stage);
});

afterAll(() => stage?.close());

const rowsOf = async (key: string): Promise<string[]> => {
  const { rows } = await db.query<{ id: string }>(
    'select transaction_id as id from report.recharges where idempotency_key = $1',
    [key],
  );
  return rows.map(({ id }) => id);
};

test.each([
  { point: 'ingress.before-commit', stored: 0, repeated: { status: 202, replayed: false } },
  { point: 'ingress.after-commit', stored: 1, repeated: { status: 200, replayed: true } },
  { point: 'ingress.after-hint', stored: 1, repeated: { status: 200, replayed: true } },
])('killed at $point, then called again with the same key', async ({ point, stored, repeated }) => {
  const asked = ask('ok');
  fleet.arm(point);
  expect(await producer.once(asked)).toMatchObject({ status: null });
  await fleet.crashed(point, TEST_LIMIT_MS);
  const before = await rowsOf(asked.key);
  expect(before).toHaveLength(stored);
  const again = await producer.send(asked);
  expect(again).toMatchObject(repeated);
  expect(await rowsOf(asked.key)).toEqual([again.transactionId]);
  if (stored === 1) expect(before).toEqual([again.transactionId]);
  await producer.reaches(again.transactionId!, 'SUCCEEDED');
  expect(await sandboxOrders(fleet, again.transactionId!)).toHaveLength(1);
});

test('killed again and again under load, each key ends in one recharge', async () => {
  await producer.fund();
  const asks = mix(seed(), 120);
  const sent = Promise.all([
    producer.sendAll(asks.slice(0, 60), 8, 0),
    producer.sendAll(asks.slice(60), 8, 1),
  ]);
  let isDone = false;
  void sent.finally(() => {
    isDone = true;
  });
  for (let kills = 0; kills < 6 && !isDone; kills++) {
    const answered = producer.calls.length;
    const hasCalled = () => isDone || producer.calls.length > answered + 8;
    await until(hasCalled, { limitMs: TEST_LIMIT_MS }, 'calls between kills');
    await killAndRevive(fleet, 'ingress', kills % 2);
  }
  await sent;
  expect(fleet.process('ingress', 0).starts).toBeGreaterThan(4);
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});
