import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { alipayProvider, type CollectProvider } from '@replenish/providers';
import { newId } from '@replenish/runtime';
import type { AlipayDialect } from '../../src/alipay/dialect.js';
import {
  type ControlFace,
  dropFolder,
  newFolder,
  openAlipayFor,
  openMailbox,
  serveControl,
  soon,
} from '../support/dialects.js';
import { until } from '../support/rig.js';

let folder: string;
let dialect: AlipayDialect;
let control: ControlFace;
let provider: CollectProvider;
let mailbox: Awaited<ReturnType<typeof openMailbox>>;

beforeAll(async () => {
  folder = newFolder();
  mailbox = await openMailbox();
  dialect = await openAlipayFor(folder);
  control = await serveControl(dialect.control);
  provider = alipayProvider({ ...dialect, endpoint: dialect.url });
});
afterAll(async () => {
  await provider.close();
  await control.close();
  await dialect.close();
  await mailbox.close();
  dropFolder(folder);
});

let reference: string;
let number: string;
const renew = () => {
  reference = newId();
  number = reference.replaceAll('-', '');
};
beforeEach(renew);

const order = (metadata: Record<string, string> = {}) => ({
  reference,
  accountId: 'acct-1',
  amountMinor: 4_999n,
  currency: 'CNY',
  paymentMethod: 'alipay',
  notifyUrl: mailbox.url,
  metadata,
});
const sought = () => ({ ...order(), providerOrderId: number });
const submit = async (limitMs?: number) => (await provider.orders.submit(order(), soon(limitMs))).outcome;
const find = async (what: object = sought()) =>
  (await provider.orders.find({ ...order(), ...what }, soon())).outcome;
const cancel = async () => (await provider.cancels.cancel(sought(), soon())).outcome;
const trades = async () => (await control.get(`/trades?reference=${reference}`)).trades;
const scan = () => control.post('/scan', { out_trade_no: number });
const pay = (more: object = {}) => control.post('/pay', { out_trade_no: number, ...more });
const facts = () => ({ providerOrderId: number, accountId: null, amountMinor: 4_999n, currency: 'CNY' });

test('an order is accepted with a code, and settles when it is paid', async () => {
  expect(await submit()).toMatchObject({ kind: 'accepted', ...facts(), action: { type: 'qr_code' } });
  expect(await find()).toMatchObject({ kind: 'found', status: 'pending', code: 'TRADE_NOT_EXIST' });
  await pay();
  expect(await find()).toMatchObject({ kind: 'found', status: 'settled', ...facts() });
  expect(await trades()).toHaveLength(1);
});

test('an order that Alipay never accepted is absent, and can be sent again', async () => {
  expect(await find({ providerOrderId: null })).toEqual({ kind: 'absent' });
});

test('a code that nobody scanned ends with its time', async () => {
  await submit();
  const payableUntil = new Date(Date.now() - 600_000);
  expect(await find({ ...sought(), payableUntil })).toMatchObject({ status: 'canceled' });
  expect(await cancel()).toEqual({ kind: 'still_payable', until: null });
});

test('the pay page is a signed address', async () => {
  const { outcome } = await provider.orders.submit(order({ alipay: 'page' }), soon());
  expect(outcome).toMatchObject({ kind: 'accepted', action: { type: 'redirect' } });
  const url = outcome.kind === 'accepted' ? outcome.action!.value : '';
  expect(await (await fetch(url)).text()).toContain('CNY 49.99');
  await pay();
  expect(await find()).toMatchObject({ status: 'settled', ...facts() });
});

test.each([
  ['timeout_after_create', { kind: 'unknown', cause: 'timeout' }],
  ['reset_after_create', { kind: 'unknown', cause: 'disconnected' }],
  ['server_error_after_create', { kind: 'unknown', cause: 'server_error', code: 'unknow-error' }],
  ['html_answer', { kind: 'unknown', cause: 'server_error' }],
  ['unsigned_answer', { kind: 'unknown', cause: 'unreadable' }],
])('%s: the outcome is unknown, and the same number gives the same code', async (scenario, outcome) => {
  await control.post('/behave', { scenario, reference });
  expect(await submit(500)).toEqual(outcome);
  expect(await find({ providerOrderId: null })).toEqual({ kind: 'absent' });
  expect(await submit()).toMatchObject({ kind: 'accepted', action: { type: 'qr_code' } });
  expect(await trades()).toHaveLength(1);
});

test('a number that was paid leads to a query', async () => {
  await submit();
  await pay();
  expect(await submit()).toEqual({ kind: 'unknown', cause: 'unreadable', code: 'TRADE_HAS_SUCCESS' });
  expect(await find()).toMatchObject({ status: 'settled' });
});

test('a rate limit executes nothing', async () => {
  await control.post('/behave', { scenario: 'throttled', reference });
  expect(await submit()).toEqual({ kind: 'not_executed', cause: 'rate_limited' });
  expect(await trades()).toHaveLength(0);
});

test('another amount that was paid is told exactly', async () => {
  await submit();
  await pay({ amount: 5_001 });
  expect(await find()).toMatchObject({ status: 'settled', amountMinor: 5_001n });
});

test('a cancel closes at Alipay first, and tells when the payer was faster', async () => {
  await submit();
  await scan();
  expect(await cancel()).toEqual({ kind: 'canceled' });
  expect(await cancel()).toEqual({ kind: 'canceled' });
  expect(await find()).toMatchObject({ status: 'canceled' });
  renew();
  await submit();
  await pay();
  expect(await cancel()).toMatchObject({ kind: 'settled', ...facts() });
});

const refundOf = (amountMinor: bigint) => ({
  reference: newId(),
  of: { reference, providerOrderId: number },
  amountMinor,
  currency: 'CNY',
  ...{ accountId: 'acct-1', notifyUrl: '', metadata: {} },
});

test('a refund moves its amount once, whatever its repeats', async () => {
  await submit();
  await pay();
  const refund = refundOf(2_000n);
  const findRefund = async () => (await provider.refunds.find(refund, soon())).outcome;
  const submitRefund = async () => (await provider.refunds.submit(refund, soon(500))).outcome;
  expect(await findRefund()).toEqual({ kind: 'absent' });
  await control.post('/behave', { scenario: 'timeout_after_create', reference });
  expect(await submitRefund()).toEqual({ kind: 'unknown', cause: 'timeout' });
  expect(await findRefund()).toMatchObject({ kind: 'found', status: 'settled', amountMinor: 2_000n });
  expect(await submitRefund()).toMatchObject({ kind: 'unknown', code: 'fund_change_N' });
  const more = refundOf(3_000n);
  expect((await provider.refunds.submit(more, soon())).outcome).toMatchObject({ kind: 'rejected' });
  expect((await trades())[0].refunds).toHaveLength(1);
});

test('a full refund does not read as canceled', async () => {
  await submit();
  await pay();
  expect((await provider.refunds.submit(refundOf(4_999n), soon())).outcome).toMatchObject({
    kind: 'settled',
  });
  expect(await find()).toMatchObject({ status: 'settled', isPartlyRead: true, code: 'TRADE_CLOSED' });
});

test('notifications verify, and tell the order, its amount and its status', async () => {
  // The mailbox may still get a notification of an earlier test.
  const ours = () => mailbox.received.filter(({ body }) => body.includes(number));
  const read = () =>
    ours().flatMap(({ body, headers }) => {
      const verified = provider.webhooks!.verify(body, headers, new Date());
      return verified.ok ? [provider.webhooks!.read(body)] : [];
    });
  await submit();
  await pay();
  await until(() => ours().length === 1);
  expect(read()).toEqual([{ kind: 'order', reference, status: 'settled', ...facts() }]);
  await provider.refunds.submit(refundOf(4_999n), soon());
  await until(() => ours().length === 2);
  expect(read()[1]).toEqual({ kind: 'ignored', type: 'refund' });
  expect(provider.webhooks!.reply.body).toBe('success');
});
