import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type FundAccountOptions, fundAccountRail, type Order, type RefundOrder } from '@replenish/providers';
import { Cloud } from './support/cloud.js';

const cloud = new Cloud();
const key = randomBytes(32);
let nth = 0;
let to: string;
let order: Order;
let recall: RefundOrder;
beforeAll(() => cloud.start());
beforeEach(async () => {
  to = `fa-to-${nth++}`;
  await cloud.fund('fa-main', 100_000_000);
  await cloud.fund(to, 0);
  await ahead(0);
  const account = { accountId: 'acct-1', currency: 'CNY', destination: { from: null, to } };
  const call = { notifyUrl: '', metadata: {} };
  order = {
    ...{ ...account, ...call, reference: randomUUID(), amountMinor: 123_456n },
    paymentMethod: 'fund_account',
  };
  const of = { reference: order.reference, providerOrderId: null };
  recall = { ...account, ...call, of, reference: randomUUID(), amountMinor: 23_456n };
  await openRail().orders.submit(order, soon());
});
afterAll(() => cloud.close());

const ahead = (aheadMs: number) => cloud.post('/_control/alibaba/clock', { aheadMs });
const openRail = (more: Partial<FundAccountOptions> = {}) =>
  fundAccountRail({
    ...{ accessKeyId: cloud.alibaba.accessKeyId, accessKeySecret: cloud.alibaba.accessKeySecret },
    ...{ endpoint: cloud.alibaba.url, timeoutMs: 2_000, fundAccountId: 'fa-main', remarkKeys: [key] },
    ...more,
  });
const soon = (limitMs = 5_000) => AbortSignal.timeout(limitMs);
const submit = async (rail = openRail()) => (await rail.refunds!.submit(recall, soon())).outcome;
const submits = () => ({ firstStartedAt: new Date(Date.now() - 5_000), lastEndedAt: new Date() });
const find = (rail = openRail()) => rail.refunds!.find({ ...recall, submits: submits() }, soon());
const recalled = async () =>
  (await cloud.get(`/_control/alibaba/transfers?from=${to}`)).transfers as Record<string, unknown>[];

test('a recall takes granted money back, and is found in the list of our account', async () => {
  expect(await submit()).toMatchObject({ kind: 'accepted', providerOrderId: null, amountMinor: 23_456n });
  expect(await cloud.cashOf(to)).toBe(100_000);
  expect(await recalled()).toMatchObject([{ kind: 'recycle', to: 'fa-main', amount: 23_456 }]);
  await ahead(1_000);
  const { outcome, evidence } = await find();
  expect(outcome).toMatchObject({ kind: 'found', status: 'settled', amountMinor: 23_456n, currency: 'CNY' });
  expect(evidence).toMatchObject({ isComplete: true, sides: 'source', suspects: [] });
  expect(await find(openRail({ readsBothSides: true }))).toMatchObject({
    ...{ outcome: { kind: 'found' }, evidence: { sides: 'both' } },
  });
});

test('a delivery and its recall of the same money are told apart, whichever of them exists', async () => {
  recall = { ...recall, amountMinor: order.amountMinor };
  await ahead(1_000);
  expect((await find()).outcome).toEqual({ kind: 'absent' });
  await submit();
  const found = await find();
  const delivery = await openRail().orders.find({ ...order, submits: submits() }, soon());
  expect(found.outcome).toMatchObject({ kind: 'found', amountMinor: order.amountMinor });
  expect(delivery.outcome).toMatchObject({ kind: 'found', amountMinor: order.amountMinor });
  expect(Object(found.outcome).providerOrderId).not.toBe(Object(delivery.outcome).providerOrderId);
  expect(Object(delivery.outcome)).not.toHaveProperty('isPartlyRead');
});

test.each([
  ['timeout_after_transfer', 'timeout'],
  ['reset_after_transfer', 'disconnected'],
  ['server_error_after_transfer', 'server_error'],
  ['html_answer', 'unreadable'],
])('%s of a recall is unknown, one transfer exists, and the scan finds it', async (scenario, cause) => {
  await cloud.behave(scenario, { to: 'fa-main' });
  expect(await submit(openRail({ timeoutMs: 300 }))).toMatchObject({ kind: 'unknown', cause });
  await ahead(1_000);
  expect((await find()).outcome).toMatchObject({ kind: 'found', amountMinor: 23_456n });
  expect(await recalled()).toHaveLength(1);
});

test('timeout_before_transfer of a recall is unknown, and the scan says absent', async () => {
  await cloud.behave('timeout_before_transfer', { to: 'fa-main' });
  expect(await submit(openRail({ timeoutMs: 300 }))).toEqual({ kind: 'unknown', cause: 'timeout' });
  await ahead(1_000);
  expect((await find()).outcome).toEqual({ kind: 'absent' });
});

test('a recall of more than the cloud account holds is refused for good', async () => {
  recall = { ...recall, amountMinor: 123_457n };
  expect(await submit()).toEqual({
    ...{ kind: 'rejected', code: 'AvailableTransferAmountNotEnough' },
    message: 'the cloud account no longer holds what was to be recalled',
  });
  expect(await recalled()).toEqual([]);
});

test('money that a person sent to us without a remark keeps a recall of the same amount from being absent', async () => {
  await cloud.fund('fa-person', 50_000);
  const form = { FromFundAccountId: 'fa-person', ToFundAccountId: 'fa-main', Amount: '234.56' };
  await cloud.call({
    action: 'CreateFundAccountTransfer',
    form: { ...form, Currency: 'CNY', FinanceType: 'cash', TransferType: 'grant', Remark: ' ' },
  });
  await ahead(1_000);
  expect((await find()).outcome).toEqual({ kind: 'unknown', cause: 'unproven', code: 'SuspectRow' });
});
