import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type AgencyOptions, agencyRail, type Order } from '@replenish/providers';
import { Cloud, openProxy } from './support/cloud.js';

const cloud = new Cloud();
let nth = 0;
let uid: string;
let order: Order;
beforeAll(() => cloud.start());
beforeEach(async () => {
  // The id exceeds 2^53, as real ones may.
  uid = String(9_007_199_254_740_993n + BigInt(nth++));
  await cloud.post('/_control/alibaba/agency-customers', { uid, creditLine: 150_000, outstanding: 50_000 });
  await ahead(0);
  order = {
    ...{ reference: randomUUID(), accountId: 'acct-1', amountMinor: 30_000n, currency: 'USD' },
    ...{ paymentMethod: 'fund_account', notifyUrl: '', metadata: {}, destination: { from: null, to: uid } },
  };
});
afterAll(() => cloud.close());

const ahead = (aheadMs: number) => cloud.post('/_control/alibaba/clock', { aheadMs });
const customer = () => cloud.get(`/_control/alibaba/agency-customers/${uid}`);
const openRail = (more: Partial<AgencyOptions> = {}) => {
  const { url: endpoint, accessKeyId, accessKeySecret } = cloud.alibaba;
  const proof = { scans: 3, visibilityDelayMs: 1_800_000, resubmit: 'person' } as const;
  return agencyRail({
    endpoint,
    accessKeyId,
    accessKeySecret,
    timeoutMs: 2_000,
    by: 'deduct',
    proof,
    ...more,
  });
};
const soon = () => AbortSignal.timeout(5_000);
const submit = async (rail = openRail()) => (await rail.orders.submit(order, soon())).outcome;
const find = (startedAt = new Date(Date.now() - 3_000), rail = openRail()) =>
  rail.orders.find({ ...order, submits: { firstStartedAt: startedAt, lastEndedAt: new Date() } }, soon());
const faults = [
  ['timeout_after_transfer', 'timeout'],
  ['reset_after_transfer', 'disconnected'],
  ['server_error_after_transfer', 'server_error'],
  ['html_answer', 'unreadable'],
] as const;

describe('by deductions', () => {
  test('an order settles when the balance fell by its amount', async () => {
    expect(await submit()).toMatchObject({
      ...{ kind: 'settled', providerOrderId: order.reference, amountMinor: 30_000n, currency: 'USD' },
    });
    expect(await customer()).toMatchObject({ outstanding: 20_000, deductions: [{ amount: 30_000 }] });
  });

  test.each(faults)('%s is unknown, and the history shows the one deduction', async (scenario, cause) => {
    await cloud.behave(scenario, { to: uid });
    expect(await submit(openRail({ timeoutMs: 300 }))).toMatchObject({ kind: 'unknown', cause });
    await ahead(1_000);
    const { outcome, evidence } = await find();
    expect(outcome).toMatchObject({ kind: 'found', status: 'settled', amountMinor: 30_000n });
    expect(evidence).toMatchObject({ isComplete: true, suspects: [], rows: 1 });
    expect((await customer()).deductions).toHaveLength(1);
  });

  test('an order that was not executed is absent, and so is one whose row is not visible yet', async () => {
    await cloud.behave('timeout_before_transfer', { to: uid });
    expect(await submit(openRail({ timeoutMs: 300 }))).toEqual({ kind: 'unknown', cause: 'timeout' });
    await ahead(1_000);
    expect((await find()).outcome).toEqual({ kind: 'absent' });
    await cloud.behave('visible_late', { to: uid, delayMs: 600_000 });
    await submit();
    expect((await find()).outcome).toEqual({ kind: 'absent' });
    await ahead(700_000);
    expect((await find()).outcome).toMatchObject({ kind: 'found' });
  });

  test('another deduction of the same amount shortly before leaves the question to a person', async () => {
    await submit();
    await ahead(1_000);
    const { outcome, evidence } = await find(new Date(Date.now() + 60_000));
    expect(outcome).toEqual({ kind: 'unknown', cause: 'unproven', code: 'SuspectRow' });
    expect(evidence!.suspects).toHaveLength(1);
  });

  test('two deductions of the amount are several, and those of other amounts are none of ours', async () => {
    await submit();
    order = { ...order, amountMinor: 29_999n };
    await ahead(1_000);
    expect((await find()).outcome).toEqual({ kind: 'absent' });
    order = { ...order, amountMinor: 30_000n };
    await submit();
    await ahead(1_000);
    expect((await find()).outcome).toEqual({ kind: 'several', count: 2 });
  });

  test('every page of the history is read', async () => {
    await submit();
    for (const amountMinor of [1n, 2n, 3n, 4n])
      await openRail().orders.submit({ ...order, amountMinor, reference: randomUUID() }, soon());
    await ahead(1_000);
    const { outcome, evidence } = await find(undefined, openRail({ pageSize: 2 }));
    expect(outcome).toMatchObject({ kind: 'found', amountMinor: 30_000n });
    expect(evidence).toMatchObject({ pages: 3, rows: 5, isComplete: true });
  });

  test('the customer of another partner is refused for good, and a wrong key sends nothing', async () => {
    const proxy = await openProxy(cloud.alibaba.url, () => {});
    order = { ...order, destination: { from: null, to: '1' } };
    const rail = openRail({ endpoint: proxy.url });
    expect(await submit(rail)).toMatchObject({ kind: 'rejected', code: 'InvalidParam.Uid.NotYourEu' });
    const unsigned = openRail({ endpoint: proxy.url, accessKeySecret: 'wrong' });
    expect(await submit(unsigned)).toEqual({
      kind: 'not_executed',
      cause: 'unavailable',
      code: 'SignatureDoesNotMatch',
    });
    expect(proxy.count()).toBe(2);
    await proxy.close();
  });
});

describe('by the credit line', () => {
  const byLine = (more: Partial<AgencyOptions> = {}) => openRail({ by: 'credit_line', ...more });

  test('an order raises the line by its amount, once', async () => {
    expect(await submit(byLine())).toMatchObject({ kind: 'settled', amountMinor: 30_000n });
    expect(await customer()).toMatchObject({ creditLine: 180_000, outstanding: 50_000, deductions: [] });
  });

  test.each(faults.map(([scenario]) => scenario))(
    '%s: the line that is read again settles the order',
    async (scenario) => {
      await cloud.behave(scenario, { to: uid });
      expect(await submit(byLine({ timeoutMs: 300 }))).toMatchObject({ kind: 'settled' });
      expect(await customer()).toMatchObject({ creditLine: 180_000 });
    },
  );

  test('a line that did not change proves nothing: the order is unknown, and a person decides', async () => {
    await cloud.behave('timeout_before_transfer', { to: uid });
    expect(await submit(byLine({ timeoutMs: 300 }))).toEqual({ kind: 'unknown', cause: 'timeout' });
    const { outcome } = await find(undefined, byLine());
    expect(outcome).toEqual({ kind: 'unknown', cause: 'unproven', code: 'NoLookUp' });
  });
});
