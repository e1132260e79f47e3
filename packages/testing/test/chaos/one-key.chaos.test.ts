import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { sandboxOrders } from '../../src/fleet/producer.js';
import { ask, type LoadRequest } from '../../src/load/load.js';
import type { LoadCall, Producer } from '../../src/load/producer.js';
import { openStage, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

const CALLS = 1_000;
const CONNECTIONS = 200;

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let producer: Producer;

beforeAll(async () => {
  stage = await openStage({ ingress: 2 }, CONNECTIONS / 2);
  ({ fleet, producer } = stage);
});

afterAll(() => stage?.close());

/**
 * Sends all calls at the same time, half of them to each ingress. A call that is answered with a later time is
 * repeated.
 */
const storm = (asks: readonly LoadRequest[]): Promise<LoadCall[]> =>
  Promise.all(asks.map((one, n) => producer.send(one, n % 2)));

const histogram = (calls: readonly LoadCall[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status } of calls) counts[String(status)] = (counts[String(status)] ?? 0) + 1;
  return counts;
};

test('one key, a thousand calls to two processes: one transaction, one order, one id', async () => {
  const asked = ask('ok');
  const calls = await storm(Array.from({ length: CALLS }, () => asked));
  expect(histogram(calls)).toEqual({ 202: 1, 200: CALLS - 1 });
  expect(calls.filter(({ replayed }) => replayed)).toHaveLength(CALLS - 1);
  const ids = [...new Set(calls.map(({ transactionId }) => transactionId))];
  expect(ids).toHaveLength(1);
  await producer.reaches(ids[0]!, 'SUCCEEDED');
  expect(await sandboxOrders(fleet, ids[0]!)).toHaveLength(1);
});

test('one key with four bodies: one body is stored, and the others are refused', async () => {
  const asked = ask('ok');
  const bodies = [
    asked,
    { ...asked, amount: 5_000 },
    { ...asked, currency: 'CNY' },
    { ...asked, accountId: 'acct-2' },
  ];
  const calls = await storm(Array.from({ length: CALLS }, (_, n) => bodies[Math.floor(n / 2) % 4]!));
  expect(histogram(calls)).toEqual({ 202: 1, 200: CALLS / 4 - 1, 422: (CALLS * 3) / 4 });
  const winners = calls.filter(({ transactionId }) => transactionId !== null);
  expect(
    new Set(winners.map(({ ask: { amount, currency, accountId } }) => [amount, currency, accountId].join())),
  ).toHaveProperty('size', 1);
  expect(new Set(winners.map(({ transactionId }) => transactionId)).size).toBe(1);
  const refused = calls.filter(({ status }) => status === 422);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['DUPLICATE_REQUEST']));
});

test('each refused call was told when to come back', () => {
  const refused = producer.calls.filter(({ status }) => status === 503);
  expect(refused.filter(({ retryAfter }) => retryAfter === null)).toEqual([]);
  expect(producer.calls.filter(({ status }) => status === null)).toEqual([]);
});

test('the invariants hold, and both processes run', async () => {
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
  expect(fleet.process('ingress', 0).starts).toBe(1);
  expect(fleet.process('ingress', 1).starts).toBe(1);
});
