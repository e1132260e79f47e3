import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type CollectProvider, stripeProvider } from '@replenish/providers';
import { newId } from '@replenish/runtime';
import type { StripeDialect } from '../../src/stripe/dialect.js';
import {
  type ControlFace,
  dropFolder,
  newFolder,
  openMailbox,
  openStripeFor,
  serveControl,
  soon,
  WEBHOOK_SECRET,
} from '../support/dialects.js';
import { until } from '../support/rig.js';

let folder: string;
let dialect: StripeDialect;
let control: ControlFace;
let provider: CollectProvider;
let mailbox: Awaited<ReturnType<typeof openMailbox>>;

beforeAll(async () => {
  folder = newFolder();
  mailbox = await openMailbox();
  dialect = await openStripeFor(folder, { webhookUrl: mailbox.url });
  control = await serveControl(dialect.control);
  const { url: apiBase, secretKey } = dialect;
  provider = stripeProvider({ apiBase, secretKey, webhookSecret: WEBHOOK_SECRET });
});
afterAll(async () => {
  await provider.close();
  await control.close();
  await dialect.close();
  await mailbox.close();
  dropFolder(folder);
});

let reference: string;
beforeEach(() => {
  reference = newId();
});

const order = () => ({
  reference,
  accountId: 'acct-1',
  amountMinor: 4_999n,
  currency: 'USD',
  paymentMethod: 'credit_card',
  notifyUrl: mailbox.url,
  metadata: {},
});
const submit = async (limitMs?: number) => (await provider.orders.submit(order(), soon(limitMs))).outcome;
const find = async (providerOrderId: string | null = null) =>
  (await provider.orders.find({ ...order(), providerOrderId }, soon())).outcome;
const cancel = async (providerOrderId: string | null = null) =>
  (await provider.cancels.cancel({ ...order(), providerOrderId }, soon())).outcome;
const intents = async () => (await control.get(`/payment_intents?reference=${reference}`)).payment_intents;
const pay = async (card: string) => control.post('/pay', { id: (await intents())[0].id, card });
const facts = { accountId: null, amountMinor: 4_999n, currency: 'USD' };

test('an order is accepted with what the payer needs, and settles when it is paid', async () => {
  const accepted = await submit();
  expect(accepted).toMatchObject({ kind: 'accepted', ...facts, action: { type: 'client_secret' } });
  expect(await submit()).toMatchObject({ kind: 'accepted', ...facts });
  expect(await find()).toMatchObject({ kind: 'found', status: 'pending', action: { type: 'client_secret' } });
  await pay('ok');
  const [{ id }] = await intents();
  expect(await find()).toEqual({ kind: 'found', status: 'settled', providerOrderId: id, ...facts });
  expect(await find(id)).toEqual({ kind: 'found', status: 'settled', providerOrderId: id, ...facts });
  expect(await intents()).toHaveLength(1);
});

test('an order that was never sent is absent', async () => {
  expect(await find()).toEqual({ kind: 'absent' });
});

test('a declined intent is canceled before it is called declined', async () => {
  await submit();
  await pay('declined');
  expect(await find()).toMatchObject({ kind: 'found', status: 'declined', code: 'insufficient_funds' });
  expect((await intents())[0]).toMatchObject({ status: 'canceled' });
  expect(await pay('ok')).toMatchObject({ code: 'payment_intent_unexpected_state' });
});

test('a payment that asks the payer stays pending', async () => {
  await submit();
  await pay('requires_action');
  expect(await find()).toMatchObject({ kind: 'found', status: 'pending', action: { type: 'client_secret' } });
});

test.each([
  ['timeout_after_create', { kind: 'unknown', cause: 'timeout' }],
  ['reset_after_create', { kind: 'unknown', cause: 'disconnected' }],
  ['server_error_after_create', { kind: 'unknown', cause: 'server_error' }],
  ['html_answer', { kind: 'unknown', cause: 'server_error' }],
])('%s: the outcome is unknown, the look-up finds the one intent', async (scenario, outcome) => {
  await control.post('/behave', { scenario, reference });
  expect(await submit(500)).toMatchObject(outcome);
  expect(await find()).toMatchObject({ kind: 'found', status: 'pending', ...facts });
  expect(await intents()).toHaveLength(1);
});

test('a stored 500 is told apart, and no new key is used', async () => {
  await control.post('/behave', { scenario: 'server_error_after_create', reference });
  await submit();
  expect(await submit()).toEqual({ kind: 'unknown', cause: 'server_error', code: 'stored_error' });
  expect(await intents()).toHaveLength(1);
});

test('a stored 500 that made nothing is absent, and is repeated under the one key', async () => {
  await control.post('/behave', { scenario: 'server_error_before_create', reference });
  expect(await submit()).toMatchObject({ kind: 'unknown', cause: 'server_error' });
  expect(await find()).toEqual({ kind: 'absent' });
  expect(await submit()).toEqual({ kind: 'unknown', cause: 'server_error', code: 'stored_error' });
  expect(await intents()).toEqual([]);
});

test('timeout_before_create: nothing is made, and the order is absent', async () => {
  await control.post('/behave', { scenario: 'timeout_before_create', reference });
  expect(await submit(300)).toEqual({ kind: 'unknown', cause: 'timeout' });
  expect(await find()).toEqual({ kind: 'absent' });
});

test('a rate limit executes nothing', async () => {
  await control.post('/behave', { scenario: 'throttled', reference });
  expect(await submit()).toEqual({ kind: 'not_executed', cause: 'rate_limited' });
  expect(await intents()).toHaveLength(0);
});

test('a cancel ends an open order, and tells when the payer was faster', async () => {
  await submit();
  expect(await cancel()).toEqual({ kind: 'canceled' });
  expect(await cancel()).toEqual({ kind: 'canceled' });
  expect(await find()).toMatchObject({ kind: 'found', status: 'canceled' });
  reference = newId();
  await submit();
  await pay('ok');
  expect(await cancel((await intents())[0].id)).toMatchObject({ kind: 'settled', ...facts });
});

test('a refund moves its amount once, whatever its repeats', async () => {
  await submit();
  await pay('ok');
  const [{ id }] = await intents();
  const refund = {
    reference: newId(),
    of: { reference, providerOrderId: id },
    amountMinor: 2_000n,
    currency: 'USD',
    ...{ accountId: 'acct-1', notifyUrl: '', metadata: {} },
  };
  expect((await provider.refunds.find(refund, soon())).outcome).toEqual({ kind: 'absent' });
  await control.post('/behave', { scenario: 'timeout_after_create', reference: refund.reference });
  expect((await provider.refunds.submit(refund, soon(300))).outcome).toMatchObject({ kind: 'unknown' });
  const found = { status: 'settled', amountMinor: 2_000n };
  expect((await provider.refunds.find(refund, soon())).outcome).toMatchObject({ kind: 'found', ...found });
  expect((await provider.refunds.submit(refund, soon())).outcome).toMatchObject({
    kind: 'settled',
    amountMinor: 2_000n,
  });
  const more = { ...refund, reference: newId(), amountMinor: 3_000n };
  expect((await provider.refunds.submit(more, soon())).outcome).toMatchObject({ kind: 'rejected' });
  expect((await intents())[0].refunds).toHaveLength(1);
});

test('events verify, and tell the order, its amount and its status', async () => {
  await submit();
  await pay('ok');
  const read = () =>
    mailbox.received.flatMap(({ body, headers }) => {
      const verified = provider.webhooks!.verify(body, headers, new Date());
      return verified.ok ? [provider.webhooks!.read(body)] : [];
    });
  const paid = () => read().filter((event) => event.kind === 'order' && event.reference === reference);
  await until(() => paid().length === 2);
  expect(paid()).toContainEqual(expect.objectContaining({ status: 'settled', ...facts }));
});
