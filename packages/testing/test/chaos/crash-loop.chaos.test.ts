import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { ask } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { openStage, revived, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

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

/** The outcomes of the recorded submits. The claim of a worker that died stays unanswered. */
const submitsOnRecord = async (id: string): Promise<string[]> => {
  const { rows } = await db.query<{ outcome: string }>(
    `select outcome from report.provider_calls where transaction_id = $1 and operation = 'submit' order by attempt`,
    [id],
  );
  return rows.map(({ outcome }) => outcome);
};

test('killed ten times in a row after the call, then left running', async () => {
  const startsBefore = fleet.process('submission-worker').starts;
  fleet.arm('submission.after-call', 10);
  let isOver = false;
  const loop = fleet.crashed('submission.after-call', TEST_LIMIT_MS).finally(() => {
    isOver = true;
  });
  const isClaimed = async (id: string) => (await producer.read(id)).state !== 'CREATED';
  const victims: string[] = [];
  while (!isOver) {
    const id = (await producer.send(ask('ok'))).transactionId!;
    victims.push(id);
    await until(async () => isOver || (await isClaimed(id)), { limitMs: TEST_LIMIT_MS }, `${id} claimed`);
  }
  await loop;
  await revived(fleet, 'submission-worker', startsBefore + 9);
  expect(fleet.process('submission-worker').starts - startsBefore).toBe(10);
  const findings = await checkBooks(fleet, { calls: producer.calls });
  expect(findings).toEqual([]);
  const broken: string[] = [];
  for (const id of victims) if ((await submitsOnRecord(id)).includes('unanswered')) broken.push(id);
  expect(broken.length).toBeGreaterThanOrEqual(10);
});
