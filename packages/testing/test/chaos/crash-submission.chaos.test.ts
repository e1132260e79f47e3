import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import { contactsOf } from '../../src/books/witness.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { sandboxOrders } from '../../src/fleet/producer.js';
import { ask, mix } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { killAndRevive, openStage, revived, type Stage, seed, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let producer: Producer;
let db: pg.Client;

beforeAll(async () => {
  stage = await openStage();
  ({ fleet, producer, db } = stage);
});

afterAll(() => stage?.close());

const contacts = async (id: string): Promise<string[]> =>
  (await contactsOf(fleet.sandboxUrl, id)).map(({ operation, answer }) => `${operation} ${answer}`);

/** The outcomes of the recorded submits. The claim of a worker that died stays unanswered. */
const submitsOnRecord = async (id: string): Promise<string[]> => {
  const { rows } = await db.query<{ outcome: string }>(
    `select outcome from report.provider_calls where transaction_id = $1 and operation = 'submit' order by attempt`,
    [id],
  );
  return rows.map(({ outcome }) => outcome);
};

/** Kills the worker at a crash point while it works on a new recharge. The fleet must finish the recharge. */
async function dieAt(point: string): Promise<string> {
  const { starts } = fleet.process('submission-worker');
  fleet.arm(point);
  const { transactionId } = await producer.send(ask('ok_no_webhook'));
  await revived(fleet, 'submission-worker', starts);
  return transactionId!;
}

test('killed between claim and call, after the call, after the answer, and during the call', async () => {
  const afterCall = await dieAt('submission.after-call');
  const afterAnswer = await dieAt('submission.after-answer');
  const during = (await producer.send(ask('timeout_after_charge'))).transactionId!;
  await until(
    async () => (await sandboxOrders(fleet, during)).length === 1,
    { limitMs: 10_000 },
    'its order',
  );
  await killAndRevive(fleet, 'submission-worker');
  // This point is last, because only its recharge is submitted a second time and would meet the next armed point.
  const afterClaim = await dieAt('submission.after-claim');
  for (const id of [afterClaim, afterCall, afterAnswer, during]) await producer.reaches(id, 'SUCCEEDED');

  expect((await contacts(afterClaim)).slice(0, 2)).toEqual(['query 200', 'submit 201']);
  expect(await submitsOnRecord(afterClaim)).toEqual(['unanswered', 'accepted']);
  expect((await contacts(afterCall)).slice(0, 2)).toEqual(['submit 201', 'query 200']);
  expect(await submitsOnRecord(afterCall)).toEqual(['unanswered']);
  expect((await contacts(afterAnswer)).slice(0, 2)).toEqual(['submit 201', 'query 200']);
  expect(await submitsOnRecord(afterAnswer)).toEqual(['accepted']);
  expect(await contacts(during)).toEqual(['submit none', 'query 200']);
  expect(await submitsOnRecord(during)).toEqual(['unanswered']);
});

test('killed under a mixed load', async () => {
  await producer.fund();
  const sent = producer.sendAll(mix(seed(), 60));
  for (const point of ['submission.after-claim', 'submission.after-call', 'submission.after-answer']) {
    const { starts } = fleet.process('submission-worker');
    fleet.arm(point);
    await revived(fleet, 'submission-worker', starts);
  }
  await sent;
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});
