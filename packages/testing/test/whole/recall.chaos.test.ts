import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import { until } from '../../src/until.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const AMOUNT = 12_345;
const BACK = { amount: 2_345, currency: 'CNY', kind: 'recycle' };
// The account that the fleet's transfers start from, and that its recalls go to.
const SOURCE = 'fa-main';

let stage: WholeStage;
beforeAll(async () => {
  stage = await WholeStage.open({ redisUrl: null });
});
afterAll(() => stage?.close());

/** A delivery that the house paid. */
async function fundedByHouse() {
  const payee = await stage.newPayee();
  const id = await stage.recharge(payee.accountId, 'fund_account', AMOUNT);
  await stage.succeeds(id, 1);
  return { ...payee, id };
}

test('a delivery that the house paid is recalled once, and the wallet sees nothing of it', async () => {
  const { id, accountId, to } = await fundedByHouse();
  const recall = await stage.refund(id, BACK.amount);
  await stage.succeeds(recall, 1);
  expect(await stage.transfersFrom(to)).toMatchObject([BACK]);
  expect(await stage.balance(accountId)).toBe(0);
  expect(await stage.read(id)).toMatchObject({ refunded: BACK.amount });
});

test('a delivery of collected money is recalled to the wallet', async () => {
  const { accountId, to } = await stage.newPayee();
  const id = await stage.recharge(accountId, 'credit_card', AMOUNT);
  const [, delivery] = await stage.succeeds(id, 2);
  await stage.succeeds(await stage.refund(delivery!.id, BACK.amount), 1);
  expect(await stage.transfersFrom(to)).toMatchObject([BACK]);
  expect(await stage.balance(accountId)).toBe(BACK.amount);
});

test.each(['timeout_after_transfer', 'timeout_before_transfer', 'reset_after_transfer', 'html_answer'])(
  '%s of a recall: one transfer back in the end',
  async (scenario) => {
    const { id, to } = await fundedByHouse();
    await stage.control('alibaba/behave', { scenario, to: SOURCE });
    await stage.succeeds(await stage.refund(id), 1);
    expect(await stage.transfersFrom(to)).toMatchObject([{ amount: AMOUNT, kind: 'recycle' }]);
  },
);

test('money that the cloud account has spent cannot be recalled: the refund fails and says so', async () => {
  const { id, to } = await fundedByHouse();
  await stage.control('alibaba/fund-accounts', { id: to, currency: 'CNY', cash: 100 });
  const recall = await stage.refund(id);
  let body: Record<string, unknown> = {};
  const isFailed = async () => {
    body = await stage.read(recall);
    return body.state === 'FAILED';
  };
  await until(isFailed, { limitMs: TEST_LIMIT_MS / 4 }, 'a failed recall');
  expect(body.failure).toMatchObject({ message: expect.stringContaining('no longer holds') });
  expect(await stage.transfersFrom(to)).toEqual([]);
  expect(await stage.read(id)).toMatchObject({ refunded: 0 });
});

test('the invariants hold', async () => {
  expect(await checkBooks(stage.fleet)).toEqual([]);
});
