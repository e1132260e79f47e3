import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const AMOUNT = 12_345;
const CNY = { amount: AMOUNT, currency: 'CNY' };

// The queues are on Postgres, and also on Redis where there is one.
const redis = process.env.REDIS_URL;
const queues = [['Postgres', null] as const, ...(redis ? [['Redis', redis] as const] : [])];

describe.each(queues)('with the queues on %s', (_name, redisUrl) => {
  let stage: WholeStage;

  beforeAll(async () => {
    stage = await WholeStage.open({ redisUrl });
  });
  afterAll(() => stage?.close());

  test('card in, cloud out: one charge and one transfer', async () => {
    const { accountId, to } = await stage.newPayee();
    const id = await stage.recharge(accountId, 'credit_card', AMOUNT);
    await stage.succeeds(id, 2);
    expect(await stage.moved(id)).toEqual([
      ['stripe', [CNY]],
      ['alibaba_cloud', [{ ...CNY, to }]],
    ]);
    expect(await stage.transfersTo(to)).toMatchObject([CNY]);
  });

  test('Alipay in, cloud out: one payment and one transfer', async () => {
    const { accountId, to } = await stage.newPayee();
    const id = await stage.recharge(accountId, 'alipay', AMOUNT);
    await stage.payByAlipay(id);
    await stage.succeeds(id, 2);
    expect(await stage.moved(id)).toEqual([
      ['alipay', [CNY]],
      ['alibaba_cloud', [{ ...CNY, to }]],
    ]);
    expect(await stage.transfersTo(to)).toMatchObject([CNY]);
  });

  test('fund_account: one transfer that the house pays', async () => {
    const { accountId, to } = await stage.newPayee();
    const id = await stage.recharge(accountId, 'fund_account', AMOUNT);
    await stage.succeeds(id, 1);
    expect(await stage.moved(id)).toEqual([['alibaba_cloud', [{ ...CNY, to }]]]);
    expect(await stage.transfersTo(to)).toMatchObject([CNY]);
  });

  test('money that was kept in the wallet is delivered from the balance later, once', async () => {
    const { accountId, to } = await stage.newPayee();
    await stage.succeeds(
      await stage.recharge(accountId, 'credit_card', AMOUNT, { destination: 'wallet' }),
      1,
    );
    expect(await stage.transfersTo(to)).toEqual([]);
    const id = await stage.recharge(accountId, 'balance', AMOUNT);
    await stage.succeeds(id, 1);
    expect(await stage.transfersTo(to)).toMatchObject([CNY]);
  });

  test.each(['timeout_after_transfer', 'timeout_before_transfer'])(
    '%s: one charge, and one transfer in the end',
    async (scenario) => {
      const { accountId, to } = await stage.newPayee();
      await stage.control('alibaba/behave', { scenario, to });
      const id = await stage.recharge(accountId, 'credit_card', AMOUNT);
      await stage.succeeds(id, 2);
      expect(await stage.moved(id)).toEqual([
        ['stripe', [CNY]],
        ['alibaba_cloud', [{ ...CNY, to }]],
      ]);
      expect(await stage.transfersTo(to)).toHaveLength(1);
    },
  );

  test('a webhook of a payment that comes twice delivers once', async () => {
    const { accountId, to } = await stage.newPayee();
    await stage.control('stripe/behave', { scenario: 'webhook_twice' });
    const id = await stage.recharge(accountId, 'credit_card', AMOUNT);
    await stage.succeeds(id, 2);
    expect(await stage.transfersTo(to)).toHaveLength(1);
  });

  test('the invariants hold', async () => {
    expect(await checkBooks(stage.fleet)).toEqual([]);
  });
});
