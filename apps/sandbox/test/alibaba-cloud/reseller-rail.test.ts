import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Order, resellerQuotaRail } from '@replenish/providers';
import { Cloud } from './support/cloud.js';

// The id exceeds 2^53, as real ones may. A number would name another customer.
const owner = '9007199254740993';
const cloud = new Cloud();
let order: Order;
beforeAll(() => cloud.start());
beforeEach(async () => {
  await cloud.post('/_control/alibaba/reseller-customers', { owner, consumed: 100_000 });
  order = {
    ...{ reference: randomUUID(), accountId: 'acct-1', amountMinor: 4_999n, currency: 'CNY' },
    ...{ paymentMethod: 'balance', notifyUrl: '', metadata: {}, destination: { from: null, to: owner } },
  };
});
afterAll(() => cloud.close());

const openRail = (timeoutMs = 2_000) => {
  const { url: endpoint, accessKeyId, accessKeySecret } = cloud.alibaba;
  return resellerQuotaRail({ endpoint, accessKeyId, accessKeySecret, timeoutMs });
};
const submit = async (timeoutMs?: number) =>
  (await openRail(timeoutMs).orders.submit(order, AbortSignal.timeout(5_000))).outcome;
const consumed = async () => (await cloud.get(`/_control/alibaba/reseller-customers/${owner}`)).consumed;
const settled = () => ({ kind: 'settled', providerOrderId: order.reference, amountMinor: 4_999n });

test.each([
  'timeout_after_transfer',
  'timeout_before_transfer',
  'reset_after_transfer',
  'server_error_after_transfer',
  'html_answer',
])('%s is unknown, and sending again settles one change', async (scenario) => {
  await cloud.behave(scenario, { to: owner });
  expect(await submit(300)).toMatchObject({ kind: 'unknown' });
  expect(await submit()).toMatchObject(settled());
  expect(await submit()).toMatchObject(settled());
  expect(await consumed()).toBe(95_001);
});

test('an unknown customer and another currency are refused for good', async () => {
  order = { ...order, destination: { from: null, to: '17' } };
  expect(await submit()).toMatchObject({ kind: 'rejected', code: '-304' });
  order = { ...order, currency: 'USD' };
  expect(await submit()).toMatchObject({ kind: 'rejected' });
});

test('a recall raises the quota under a number of its own, once', async () => {
  await submit();
  const recall = {
    ...order,
    ...{ reference: randomUUID(), amountMinor: 999n },
    of: { reference: order.reference, providerOrderId: order.reference },
  };
  const submitRecall = async (timeoutMs?: number) =>
    (await openRail(timeoutMs).refunds!.submit(recall, AbortSignal.timeout(5_000))).outcome;
  await cloud.behave('timeout_after_transfer', { to: owner });
  expect(await submitRecall(300)).toMatchObject({ kind: 'unknown' });
  const settledRecall = { kind: 'settled', providerOrderId: recall.reference, amountMinor: 999n };
  expect(await submitRecall()).toMatchObject(settledRecall);
  expect(await submitRecall()).toMatchObject(settledRecall);
  expect(await consumed()).toBe(96_000);
});
