import { afterAll, beforeAll, expect, test } from '@jest/globals';
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
} from '../support/dialects.js';
import { until } from '../support/rig.js';

const names = ['main', 'eu', 'us'] as const;
type Name = (typeof names)[number];

let folder: string;
let dialect: StripeDialect;
let control: ControlFace;
let mailbox: Awaited<ReturnType<typeof openMailbox>>;
const stripes = {} as Record<Name, Stripe>;

const secretsOf = (name: Name) => dialect.accounts.find((one) => one.name === name) ?? dialect;
const faceOf = (name: Name) => (name === 'main' ? '' : `/accounts/${name}`);

async function open() {
  dialect = await openStripeFor(folder, { webhookUrl: mailbox.url, accounts: ['eu', 'us'] });
  control = await serveControl(dialect.control);
  const { hostname, port } = new URL(dialect.url);
  for (const name of names)
    stripes[name] = new Stripe(secretsOf(name).secretKey, {
      ...{ host: hostname, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false },
    });
}
const close = async () => {
  await control.close();
  await dialect.close();
};
beforeAll(async () => {
  folder = newFolder();
  mailbox = await openMailbox();
  await open();
});
afterAll(async () => {
  await close();
  await mailbox.close();
  dropFolder(folder);
});

/** A payment of an account. Its reference is its idempotency key, too. */
async function paid(name: Name, reference = newId()): Promise<Stripe.PaymentIntent> {
  const params = { amount: 4_999, currency: 'usd', metadata: { transaction_id: reference } };
  return stripes[name].paymentIntents.create(
    { ...params, confirm: true, payment_method: 'pm_card_visa' },
    { idempotencyKey: reference },
  );
}

test('the same key and reference make one order at each account', async () => {
  const reference = newId();
  const ids = await Promise.all(names.map(async (name) => (await paid(name, reference)).id));
  expect(new Set(ids).size).toBe(names.length);
  for (const [n, name] of names.entries()) {
    const { payment_intents } = await control.get(`${faceOf(name)}/payment_intents?reference=${reference}`);
    expect(payment_intents).toMatchObject([{ id: ids[n] }]);
  }
});

test('a key does not see what another one has', async () => {
  const { id } = await paid('eu');
  const refund = await stripes.eu.refunds.create({ payment_intent: id });
  await expect(stripes.eu.paymentIntents.retrieve(id)).resolves.toMatchObject({ id });
  for (const name of ['main', 'us'] as const) {
    const stripe = stripes[name];
    const missing = { code: 'resource_missing' };
    await expect(stripe.paymentIntents.retrieve(id)).rejects.toMatchObject(missing);
    await expect(stripe.paymentIntents.cancel(id)).rejects.toMatchObject(missing);
    await expect(stripe.refunds.create({ payment_intent: id })).rejects.toMatchObject(missing);
    await expect(stripe.refunds.retrieve(refund.id)).rejects.toMatchObject(missing);
    const lists = [
      await stripe.paymentIntents.list(),
      await stripe.balanceTransactions.list({ expand: ['data.source'] }),
    ];
    expect(JSON.stringify(lists)).not.toContain(id);
  }
  const { data } = await stripes.eu.balanceTransactions.list({ limit: 2 });
  expect(data.map(({ type, amount }) => [type, amount])).toEqual([
    ['refund', -4_999],
    ['charge', 4_999],
  ]);
});

test("an event has the secret of its account, and another account's key cannot read it", async () => {
  const { id } = await paid('us');
  const events = () => mailbox.received.filter(({ body }) => body.includes(id) && body.includes('succeeded'));
  await until(async () => events().length > 0);
  const [{ headers, body }] = events() as [(typeof mailbox.received)[number]];
  const opened = (name: Name) =>
    Stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), secretsOf(name).webhookSecret);
  const event = opened('us');
  for (const name of ['main', 'eu'] as const) {
    expect(() => opened(name)).toThrow('signature');
    await expect(stripes[name].events.retrieve(event.id)).rejects.toMatchObject({ code: 'resource_missing' });
  }
  expect((await stripes.us.events.retrieve(event.id)).id).toBe(event.id);
});

test('a fault of one account does not reach another', async () => {
  await control.post('/accounts/eu/behave', { scenario: 'throttled' });
  await expect(paid('us')).resolves.toMatchObject({ status: 'succeeded' });
  await expect(paid('main')).resolves.toMatchObject({ status: 'succeeded' });
  await expect(paid('eu')).rejects.toMatchObject({ statusCode: 429 });
});

test('an unknown key is refused, and a restart keeps what each account has', async () => {
  const { id } = await paid('eu');
  const { hostname, port } = new URL(dialect.url);
  const stranger = new Stripe('sk_test_simulator_asia', { host: hostname, port, protocol: 'http' });
  await expect(stranger.balance.retrieve()).rejects.toMatchObject({ statusCode: 401 });
  await close();
  await open();
  await expect(stripes.eu.paymentIntents.retrieve(id)).resolves.toMatchObject({ status: 'succeeded' });
  await expect(stripes.us.paymentIntents.retrieve(id)).rejects.toMatchObject({ code: 'resource_missing' });
});
