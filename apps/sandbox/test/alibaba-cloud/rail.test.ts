import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type FundAccountOptions, fundAccountRail, type Order } from '@replenish/providers';
import { Cloud, openProxy } from './support/cloud.js';

const cloud = new Cloud();
const key = randomBytes(32);
let nth = 0;
let order: Order;
beforeAll(() => cloud.start());
beforeEach(async () => {
  const to = `fa-to-${nth++}`;
  await cloud.fund('fa-main', 100_000_000);
  await cloud.fund(to, 0);
  await ahead(0);
  order = {
    ...{ reference: randomUUID(), accountId: 'acct-1', amountMinor: 123_456n, currency: 'CNY' },
    ...{ paymentMethod: 'fund_account', notifyUrl: '', metadata: {}, destination: { from: null, to } },
  };
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
const submit = async (rail = openRail(), limitMs?: number) =>
  (await rail.orders.submit(order, soon(limitMs))).outcome;
const submits = () => ({ firstStartedAt: new Date(Date.now() - 5_000), lastEndedAt: new Date() });
const find = (rail = openRail()) => rail.orders.find({ ...order, submits: submits() }, soon());
const arrived = () => cloud.cashOf(order.destination!.to);

test('a transfer is accepted without an id, and found by its remark once it is visible', async () => {
  expect(await submit()).toMatchObject({ kind: 'accepted', providerOrderId: null });
  expect(await arrived()).toBe(123_456);
  await ahead(1_000);
  const { outcome, evidence } = await find();
  expect(outcome).toMatchObject({ kind: 'found', status: 'settled', amountMinor: 123_456n, currency: 'CNY' });
  expect(BigInt(Object(outcome).providerOrderId)).toBeGreaterThan(2n ** 53n);
  expect(evidence).toMatchObject({ isComplete: true, sides: 'source', suspects: [] });
});

test.each([
  ['timeout_after_transfer', 'timeout'],
  ['reset_after_transfer', 'disconnected'],
  ['server_error_after_transfer', 'server_error'],
  ['html_answer', 'unreadable'],
])('%s is unknown, one transfer exists, and the scan finds it', async (scenario, cause) => {
  await cloud.behave(scenario, { to: order.destination!.to });
  expect(await submit(openRail({ timeoutMs: 300 }))).toMatchObject({ kind: 'unknown', cause });
  await ahead(1_000);
  expect((await find()).outcome).toMatchObject({ kind: 'found', amountMinor: 123_456n });
  expect(await cloud.transfersTo(order.destination!.to)).toHaveLength(1);
});

test('timeout_before_transfer is unknown, and the scan says absent', async () => {
  await cloud.behave('timeout_before_transfer', { to: order.destination!.to });
  expect(await submit(openRail({ timeoutMs: 300 }))).toEqual({ kind: 'unknown', cause: 'timeout' });
  await ahead(1_000);
  expect((await find()).outcome).toEqual({ kind: 'absent' });
  expect(await arrived()).toBe(0);
});

test('a transfer that is visible late is absent before and found after', async () => {
  await cloud.behave('visible_late', { to: order.destination!.to, delayMs: 1_200_000 });
  await submit();
  await ahead(60_000);
  expect((await find()).outcome).toEqual({ kind: 'absent' });
  await ahead(1_300_000);
  expect((await find()).outcome).toMatchObject({ kind: 'found' });
});

test.each([
  ['throttled', { kind: 'not_executed', cause: 'rate_limited', retryAfterMs: 1_000 }],
  ['not_enough', { kind: 'not_executed', cause: 'source_funds', retryAfterMs: 30_000 }],
])('%s executes nothing', async (scenario, outcome) => {
  await cloud.behave(scenario, { to: order.destination!.to });
  expect(await submit()).toEqual(outcome);
  expect(await arrived()).toBe(0);
});

test('an unknown receiver is refused for good', async () => {
  order = { ...order, destination: { from: null, to: 'fa-nowhere' } };
  expect(await submit()).toMatchObject({ kind: 'rejected', code: 'AccountNotExist' });
});

test('a wrong key executes nothing, and the order waits', async () => {
  const outcome = await submit(openRail({ accessKeySecret: 'wrong' }));
  expect(outcome).toEqual({
    kind: 'not_executed',
    cause: 'unavailable',
    code: 'SignatureDoesNotMatch',
  });
});

test('the SDK calls once, whatever comes back', async () => {
  const proxy = await openProxy(cloud.alibaba.url, () => {});
  for (const scenario of [
    'reset_after_transfer',
    'server_error_after_transfer',
    'throttled',
    'html_answer',
  ]) {
    await cloud.behave(scenario, { to: order.destination!.to });
    await submit(openRail({ endpoint: proxy.url }));
  }
  expect(proxy.count()).toBe(4);
  await proxy.close();
});

test('all pages are read while rows move', async () => {
  await submit();
  for (let other = 0; other < 7; other++) {
    const more = { ...order, reference: randomUUID() };
    await openRail().orders.submit(more, soon());
  }
  await ahead(1_000);
  await cloud.behave('list_moves', { times: 5 });
  const { outcome, evidence } = await find(openRail({ pageSize: 3 }));
  expect(outcome).toMatchObject({ kind: 'found' });
  expect(evidence!.isComplete).toBe(true);
  expect(evidence!.pages).toBeGreaterThan(2);
});

test('both sides are read where the key has the right, and one where it has not', async () => {
  await submit();
  await ahead(1_000);
  const rail = openRail({ readsBothSides: true });
  expect(await find(rail)).toMatchObject({ outcome: { kind: 'found' }, evidence: { sides: 'both' } });
  await cloud.fund(order.destination!.to, 0, { isReadable: false });
  expect(await find(rail)).toMatchObject({ outcome: { kind: 'found' }, evidence: { sides: 'source' } });
});

test('two transfers with one proof are several', async () => {
  await submit();
  await submit();
  await ahead(1_000);
  expect((await find()).outcome).toEqual({ kind: 'several', count: 2 });
});

test('a remark that another key made proves nothing, and keeps the order from being absent', async () => {
  await submit(openRail({ remarkKeys: [randomBytes(32)] }));
  await ahead(1_000);
  const { outcome, evidence } = await find();
  expect(outcome).toEqual({ kind: 'unknown', cause: 'unproven', code: 'SuspectRow' });
  expect(evidence!.suspects).toHaveLength(1);
});

test('a throttled scan says nothing about the order', async () => {
  await submit();
  await ahead(1_000);
  await cloud.behave('list_throttled');
  expect((await find()).outcome).toMatchObject({ kind: 'not_executed', cause: 'rate_limited' });
});

test('the reads understand thousands separators', async () => {
  const { reads } = openRail();
  await cloud.fund('fa-main', 123_456_789);
  const read = { kind: 'read', amountMinor: 123_456_789n, currency: 'CNY' };
  expect(await reads.transferable({ from: null, currency: 'CNY' }, soon())).toEqual(read);
  const withCash = { ...read, cashMinor: 123_456_789n };
  expect(await reads.available('fa-main', soon())).toEqual(withCash);
  expect(await reads.balance()).toEqual(withCash);
  expect(await reads.available('fa-nowhere', soon())).toMatchObject({
    kind: 'refused',
    code: 'AccountNotExist',
  });
});

test('credit is available and is no cash, and cannot be transferred', async () => {
  const { reads, balance, orders } = openRail();
  await cloud.fund('fa-main', 100_000, { credit: 2_500_000 });
  const read = { kind: 'read', amountMinor: 2_600_000n, cashMinor: 100_000n, currency: 'CNY' };
  expect(await reads.available('fa-main', soon())).toEqual(read);
  expect(await reads.balance()).toEqual(read);
  expect(balance?.tellsCash).toBe(true);
  expect((await balance!.readTarget!('fa-main', soon())).outcome).toEqual(read);
  expect(await reads.transferable({ from: null, currency: 'CNY' }, soon())).toMatchObject({
    amountMinor: 100_000n,
  });
  await orders.submit({ ...order, amountMinor: 40_000n }, soon());
  expect(await reads.available('fa-main', soon())).toMatchObject({
    ...{ amountMinor: 2_560_000n, cashMinor: 60_000n },
  });
  await cloud.fund('fa-main', 100_000, { credit: 0 });
});
