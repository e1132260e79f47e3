import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newId } from '@replenish/runtime';
import Stripe from 'stripe';
import type { StripeDialect } from '../../src/stripe/dialect.js';
import {
  type ControlFace,
  dropFolder,
  newFolder,
  openMailbox,
  openStripeFor,
  serveControl,
  WEBHOOK_SECRET,
} from '../support/dialects.js';
import { until } from '../support/rig.js';

let folder: string;
let dialect: StripeDialect;
let control: ControlFace;
let stripe: Stripe;
let mailbox: Awaited<ReturnType<typeof openMailbox>>;

const clientOf = ({ url, secretKey }: StripeDialect, key = secretKey) => {
  const { hostname, port } = new URL(url);
  return new Stripe(key, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
};

beforeAll(async () => {
  folder = newFolder();
  mailbox = await openMailbox();
  dialect = await openStripeFor(folder, { webhookUrl: mailbox.url });
  control = await serveControl(dialect.control);
  stripe = clientOf(dialect);
});
afterAll(async () => {
  await control.close();
  await dialect.close();
  await mailbox.close();
  dropFolder(folder);
});

let reference: string;
beforeEach(() => {
  reference = newId();
});
afterEach(() => {
  mailbox.received.length = 0;
});

const params = (changes: Partial<Stripe.PaymentIntentCreateParams> = {}) => ({
  amount: 4_999,
  currency: 'usd',
  metadata: { transaction_id: reference },
  ...changes,
});
const create = (changes: Partial<Stripe.PaymentIntentCreateParams> = {}, idempotencyKey = reference) =>
  stripe.paymentIntents.create(params(changes), { idempotencyKey });
const listed = async () => (await control.get(`/payment_intents?reference=${reference}`)).payment_intents;
const behave = (scenario: string, more: object = {}) =>
  control.post('/behave', { scenario, reference, ...more });

test('the same key and parameters repeat the first answer', async () => {
  const first = await create();
  const second = await create();
  expect(first).toMatchObject({ status: 'requires_payment_method', amount: 4_999, livemode: false });
  expect(second.id).toBe(first.id);
  expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
  expect(await listed()).toHaveLength(1);
});

test('the same key with other parameters is an error, and nothing is made', async () => {
  await create();
  await expect(create({ amount: 5_000 })).rejects.toMatchObject({ type: 'StripeIdempotencyError' });
  expect(await listed()).toHaveLength(1);
});

test('a key whose first request is still running is a conflict, and works afterwards', async () => {
  await behave('slow_create');
  const first = create();
  await expect(create()).rejects.toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
  const { id } = await first;
  expect((await create()).id).toBe(id);
});

test('a 500 is kept under its key and repeated, although the intent exists', async () => {
  await behave('server_error_after_create');
  await expect(create()).rejects.toMatchObject({ statusCode: 500 });
  await expect(create()).rejects.toMatchObject({
    statusCode: 500,
    headers: { 'idempotent-replayed': 'true' },
  });
  expect(await listed()).toHaveLength(1);
});

test('refused parameters and a rate limit do not use up the key', async () => {
  await expect(create({ amount: 1 })).rejects.toMatchObject({ statusCode: 400, code: 'amount_too_small' });
  await behave('throttled');
  await expect(create()).rejects.toMatchObject({ type: 'StripeRateLimitError' });
  expect(await create()).toMatchObject({ status: 'requires_payment_method' });
});

test('a wrong key and an unknown intent are refused', async () => {
  await expect(clientOf(dialect, 'sk_test_wrong').balance.retrieve()).rejects.toMatchObject({
    type: 'StripeAuthenticationError',
  });
  await expect(stripe.paymentIntents.retrieve('pi_none')).rejects.toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
  });
});

test('the card decides what a confirm does', async () => {
  const { id } = await create();
  await expect(
    stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_chargeDeclined' }),
  ).rejects.toMatchObject({ type: 'StripeCardError', code: 'card_declined' });
  expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
    status: 'requires_payment_method',
    last_payment_error: { decline_code: 'insufficient_funds' },
  });
  expect(
    await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_authenticationRequired' }),
  ).toMatchObject({ status: 'requires_action', next_action: { type: 'use_stripe_sdk' } });
  expect(await control.post('/pay', { id, card: 'ok' })).toMatchObject({ status: 'succeeded' });
  expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
    status: 'succeeded',
    amount_received: 4_999,
  });
  await expect(stripe.paymentIntents.cancel(id)).rejects.toMatchObject({
    code: 'payment_intent_unexpected_state',
  });
});

test('a canceled intent cannot be paid', async () => {
  const { id } = await create();
  expect(
    await stripe.paymentIntents.cancel(id, { cancellation_reason: 'requested_by_customer' }),
  ).toMatchObject({ status: 'canceled' });
  expect(await control.post('/pay', { id, card: 'ok' })).toMatchObject({
    code: 'payment_intent_unexpected_state',
  });
});

test('refunds are never above what is left', async () => {
  const { id } = await create();
  await control.post('/pay', { id, card: 'ok' });
  const refund = { payment_intent: id, amount: 2_000, metadata: { transaction_id: 'refund-1' } };
  const first = await stripe.refunds.create(refund, { idempotencyKey: `${reference}-1` });
  expect((await stripe.refunds.create(refund, { idempotencyKey: `${reference}-1` })).id).toBe(first.id);
  await expect(stripe.refunds.create({ payment_intent: id, amount: 3_000 })).rejects.toMatchObject({
    statusCode: 400,
  });
  expect(await stripe.refunds.create({ payment_intent: id })).toMatchObject({ amount: 2_999 });
  const { data } = await stripe.refunds.list({ payment_intent: id });
  expect(data.map(({ amount }) => amount)).toEqual([2_999, 2_000]);
});

test('an intent is found by its metadata', async () => {
  const { id } = await create();
  const query = `metadata['transaction_id']:'${reference}'`;
  expect((await stripe.paymentIntents.search({ query })).data.map((one) => one.id)).toEqual([id]);
});

const eventsOf = (id: string) =>
  mailbox.received
    .map(({ body, headers }) =>
      stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), WEBHOOK_SECRET),
    )
    .filter((event) => (event.data.object as { id?: string }).id === id);

test('events are signed as Stripe signs, and repeated until they are accepted', async () => {
  mailbox.answers.push({ of: reference, status: 500, body: '' });
  const { id } = await create();
  await control.post('/pay', { id, card: 'ok' });
  await until(() => new Set(eventsOf(id).map((event) => event.id)).size === 2 && eventsOf(id).length === 3);
  expect(new Set(eventsOf(id).map(({ type }) => type))).toEqual(
    new Set(['payment_intent.created', 'payment_intent.succeeded']),
  );
});

test('an event is lost, doubled or late on request', async () => {
  await behave('webhook_twice');
  const { id } = await create();
  await control.post('/pay', { id, card: 'declined' });
  await until(() => eventsOf(id).filter(({ type }) => type === 'payment_intent.payment_failed').length === 2);
  await behave('webhook_lost');
  await control.post('/pay', { id, card: 'ok' });
  const refund = await stripe.refunds.create({ payment_intent: id });
  await until(() => eventsOf(refund.id).length === 1);
  expect(eventsOf(id).map(({ type }) => type)).not.toContain('payment_intent.succeeded');
});

test('everything survives a restart, kept answers included', async () => {
  const own = newFolder();
  let one = await openStripeFor(own);
  const before = await clientOf(one).paymentIntents.create(params(), { idempotencyKey: reference });
  await one.close();
  one = await openStripeFor(own);
  const after = await clientOf(one).paymentIntents.create(params(), { idempotencyKey: reference });
  expect(after.id).toBe(before.id);
  await one.close();
  dropFolder(own);
});

test('the payer acts by the scenario of the request, where nobody else does', async () => {
  const own = newFolder();
  const one = await openStripeFor(own, { paysAfterMs: 1 });
  const client = clientOf(one);
  const statusOf = async (scenario?: string) => {
    const metadata = scenario === undefined ? {} : { scenario };
    const { id } = await client.paymentIntents.create(params({ metadata }));
    return async () => (await client.paymentIntents.retrieve(id)).status;
  };
  const paid = await statusOf();
  const absent = await statusOf('payer_absent');
  const asked = await statusOf('requires_action');
  await until(async () => (await paid()) === 'succeeded' && (await asked()) === 'requires_action');
  expect(await absent()).toBe('requires_payment_method');
  await one.close();
  dropFolder(own);
});
