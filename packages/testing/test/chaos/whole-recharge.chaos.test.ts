import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ProcessName } from '@replenish/runtime';
import { checkBooks } from '../../src/books/books.js';
import { numbersOf } from '../support/numbers.js';
import { killAndRevive, revived, seed, TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

/** The crash points, with the process that has them. */
const points: Readonly<Record<string, ProcessName>> = {
  'ingress.before-commit': 'ingress',
  'ingress.after-commit': 'ingress',
  'ingress.after-hint': 'ingress',
  'submission.after-claim': 'submission-worker',
  'submission.after-call': 'submission-worker',
  'submission.after-answer': 'submission-worker',
  'webhook.before-apply': 'webhook-worker',
  'webhook.after-apply': 'webhook-worker',
  'reconciliation.after-take': 'reconciliation-worker',
  'reconciliation.after-query': 'reconciliation-worker',
};
const ofDeliveries = Object.entries(points).filter(([, name]) => name !== 'webhook-worker');

let stage: WholeStage;

beforeAll(async () => {
  stage = await WholeStage.open();
});
afterAll(() => stage?.close());

/** Makes a recharge while its process dies at a crash point. Returns what the simulators moved for it. */
async function diesAt(point: string, name: ProcessName, paymentMethod: string, count: number) {
  const { accountId, to } = await stage.newPayee();
  const { starts } = stage.fleet.process(name);
  stage.fleet.arm(point);
  const id = await stage.recharge(accountId, paymentMethod, 10_000);
  if (paymentMethod === 'alipay') await stage.payByAlipay(id);
  await revived(stage.fleet, name, starts);
  await stage.succeeds(id, count);
  expect(await stage.transfersTo(to)).toHaveLength(1);
  return (await stage.moved(id)).map(([provider, moved]) => `${provider} ${moved.length}`);
}

test.each(Object.entries(points))('killed at %s: one charge, one transfer', async (point, name) => {
  expect(await diesAt(point, name, 'credit_card', 2)).toEqual(['stripe 1', 'alibaba_cloud 1']);
});

test.each(Object.entries(points))(
  'killed at %s, paid by Alipay: one payment, one transfer',
  async (point, name) => {
    expect(await diesAt(point, name, 'alipay', 2)).toEqual(['alipay 1', 'alibaba_cloud 1']);
  },
);

test.each(ofDeliveries)('killed at %s, of what the house pays: one transfer', async (point, name) => {
  expect(await diesAt(point, name, 'fund_account', 1)).toEqual(['alibaba_cloud 1']);
});

test(`seed ${seed()}: whole recharges while workers die one after the other`, async () => {
  const next = numbersOf(seed());
  const workers = ['submission-worker', 'webhook-worker', 'reconciliation-worker'] as const;
  const accounts = await Promise.all(Array.from({ length: 4 }, () => stage.newPayee()));
  const sent = accounts.map(async ({ accountId }) => {
    for (let n = 0; n < 4; n++) {
      const id = await stage.recharge(accountId, 'credit_card', 1 + next(100_000));
      await stage.succeeds(id, 2);
    }
  });
  let isDone = false;
  const all = Promise.all(sent).finally(() => {
    isDone = true;
  });
  for (let n = 0; n < 8 && !isDone; n++) {
    await new Promise((resolve) => setTimeout(resolve, next(1_500)));
    await killAndRevive(stage.fleet, workers[next(workers.length)]!);
  }
  await all;
  for (const { to } of accounts) expect(await stage.transfersTo(to)).toHaveLength(4);
});

test('the invariants hold', async () => {
  expect(await checkBooks(stage.fleet)).toEqual([]);
});
