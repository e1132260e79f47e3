import { createSign, generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openProviderMetrics } from '@replenish/assembly';
import type { NewKey } from '@replenish/domain';
import { openProviders, type Providers } from '@replenish/providers';
import { createLogger, openRegistry } from '@replenish/runtime';
import { Stripe } from 'stripe';
import { created, type Ingress, openIngress } from '../../../../apps/ingress/test/support/ingress.js';
import { openEventCounter, processor } from '../../../../apps/webhook-worker/src/processor.js';

const pair = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const [app, alipay] = [pair(), pair()];
const STRIPE_SECRET = 'whsec_of_this_test';
const settings = {
  ...{ STRIPE_SECRET_KEY: 'sk_test_1', STRIPE_WEBHOOK_SECRET: STRIPE_SECRET },
  ...{ ALIPAY_APP_ID: '2021', ALIPAY_SELLER_ID: '2088' },
  ...{ ALIPAY_PRIVATE_KEY: app.privateKey, ALIPAY_PUBLIC_KEY: alipay.publicKey },
};

let ingress: Ingress;
let providers: Providers;
let key: NewKey;
let process: (id: string) => Promise<undefined>;

beforeAll(async () => {
  ingress = await openIngress({ providerSettings: settings });
  key = await ingress.client();
  const sandbox = {
    NODE_ENV: 'test',
    SANDBOX_URL: 'http://127.0.0.1:9',
    PROVIDER_TIMEOUT_MS: 20_000,
  } as const;
  providers = openProviders({ ...sandbox, ...settings });
  const log = createLogger('webhook-worker', 'silent');
  const registry = openRegistry('webhook-worker');
  const metrics = openProviderMetrics({ registry, log });
  const events = openEventCounter(registry);
  process = processor({ domain: ingress.domain, providers, log, events, metrics, unmatchedAfterMs: 0 });
});
afterEach(async () => expect(await ingress.domain.verify()).toEqual([]));
afterAll(async () => {
  await providers.close();
  await ingress.close();
});

/** A recharge whose order the provider has taken. */
async function sent(paymentMethod: string, currency: string): Promise<string> {
  const { id } = await created(ingress, key, { paymentMethod, currency });
  const report = { transactionId: id, source: 'submission', reason: 'as tested' } as const;
  for (const news of ['submit', 'accepted'] as const) await ingress.domain.applyNews({ ...report, news });
  return id;
}

/** Sends a webhook. If it is stored, its event is processed. */
async function deliver(provider: string, body: string, headers: Readonly<Record<string, string>>) {
  const before = ingress.hints.length;
  const answer = await ingress.call('POST', `/webhooks/${provider}`, { body, headers });
  for (const { ids } of ingress.hints.slice(before)) for (const id of ids) await process(id);
  return [answer.status, answer.headers.get('content-type'), answer.text];
}

const stateOf = async (id: string) => {
  const { state, openCases } = (await ingress.domain.reads.recharge(id))!;
  return [state, openCases];
};
const openCases = () => ingress.sql('select kind from reconciliation_case where closed_at is null');

describe('Alipay', () => {
  const numberOf = (id: string) => id.replaceAll('-', '');
  const fields = (id: string, changes: object = {}): Record<string, string> => ({
    ...{ notify_type: 'trade_status_sync', notify_id: `n-${id}`, app_id: '2021', seller_id: '2088' },
    ...{ out_trade_no: numberOf(id), trade_no: '2026', trade_status: 'TRADE_SUCCESS', total_amount: '49.99' },
    ...{ subject: '账户充值', sign_type: 'RSA2' },
    ...changes,
  });
  const signed = (given: Record<string, string>, hash = 'RSA-SHA256'): string => {
    const text = Object.keys(given)
      .filter((name) => name !== 'sign_type')
      .sort()
      .map((name) => `${name}=${given[name]}`)
      .join('&');
    const sign = createSign(hash).update(text, 'utf8').sign(alipay.privateKey, 'base64');
    return new URLSearchParams({ ...given, sign }).toString();
  };
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const notify = (body: string) => deliver('alipay', body, form);
  const taken = [200, 'text/plain', 'success'];

  test('a paid trade settles its recharge, the form is stored as it came, and the answer is the word success', async () => {
    const id = await sent('alipay', 'CNY');
    const body = signed(fields(id));
    expect(await notify(body)).toEqual(taken);
    const [row] = await ingress.sql('select raw_body from webhook_event where event_id = $1', [`n-${id}`]);
    expect(String(row!.raw_body)).toBe(body);
    expect(await stateOf(id)).toEqual(['SUCCEEDED', []]);
    expect(await notify(body)).toEqual(taken);
    expect(await stateOf(id)).toEqual(['SUCCEEDED', []]);
  });

  test.each([
    ['signed with SHA-1', (id: string) => signed(fields(id, { sign_type: 'RSA' }), 'RSA-SHA1')],
    ['altered', (id: string) => signed(fields(id)).replace('49.99', '4999.00')],
    ['without a signature', (id: string) => new URLSearchParams(fields(id)).toString()],
  ])('a notification that is %s is refused', async (_what, bodyOf) => {
    const id = await sent('alipay', 'CNY');
    const [status, , text] = await notify(bodyOf(id));
    expect([status, String(text).includes('success')]).toEqual([401, false]);
    expect(await stateOf(id)).toEqual(['PENDING_CONFIRMATION', []]);
  });

  test('another amount does not settle the recharge, and a person is called', async () => {
    const id = await sent('alipay', 'CNY');
    expect(await notify(signed(fields(id, { total_amount: '49.98' })))).toEqual(taken);
    expect(await stateOf(id)).toEqual(['PENDING_CONFIRMATION', ['wrong_amount']]);
  });

  test.each([
    ['of another app', { app_id: '2022' }],
    ['of another seller', { seller_id: '2089' }],
    ['of an unknown number', { out_trade_no: 'not-of-ours' }],
  ])('a notification %s is taken, settles nothing, and a person is called', async (_what, changes) => {
    const id = await sent('alipay', 'CNY');
    const before = (await openCases()).length;
    expect(await notify(signed(fields(id, changes)))).toEqual(taken);
    expect([(await stateOf(id))[0], (await openCases()).length]).toEqual([
      'PENDING_CONFIRMATION',
      before + 1,
    ]);
  });
});

describe('Stripe', () => {
  const stripe = new Stripe('sk_test_1');
  const event = (id: string, changes: object = {}, type = 'payment_intent.succeeded') =>
    JSON.stringify({
      ...{ id: `evt_${id}`, object: 'event', type },
      data: {
        object: {
          ...{ id: `pi_${id}`, object: 'payment_intent', status: 'succeeded', currency: 'usd' },
          ...{ amount: 4_999, amount_received: 4_999, metadata: { transaction_id: id } },
          ...changes,
        },
      },
    });
  const nowSeconds = () => Math.floor(Date.now() / 1_000);
  const send = (payload: string, aheadSeconds = 0, secret = STRIPE_SECRET) =>
    deliver('stripe', payload, {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': stripe.webhooks.generateTestHeaderString({
        ...{ payload, secret, timestamp: nowSeconds() + aheadSeconds },
      }),
    });
  const taken = [200, 'application/json', '{"received":true}'];

  test('a paid intent settles its recharge, and its event counts once', async () => {
    const id = await sent('credit_card', 'USD');
    for (const _ of [1, 2]) expect(await send(event(id))).toEqual(taken);
    expect(await stateOf(id)).toEqual(['SUCCEEDED', []]);
  });

  test.each([
    ['301 s old', -301, STRIPE_SECRET],
    ['305 s ahead', 305, STRIPE_SECRET],
    ['signed with another secret', 0, 'whsec_other'],
  ])('an event that is %s is refused', async (_what, aheadSeconds, secret) => {
    const id = await sent('credit_card', 'USD');
    expect((await send(event(id), aheadSeconds, secret))[0]).toBe(401);
    expect(await stateOf(id)).toEqual(['PENDING_CONFIRMATION', []]);
  });

  test('another amount does not settle the recharge, and a person is called', async () => {
    const id = await sent('credit_card', 'USD');
    expect(await send(event(id, { amount: 4_998, amount_received: 4_998 }))).toEqual(taken);
    expect(await stateOf(id)).toEqual(['PENDING_CONFIRMATION', ['wrong_amount']]);
  });

  test('an event that repeats another one is ignored, and an event of an unknown type is for a person', async () => {
    const id = await sent('credit_card', 'USD');
    const before = (await openCases()).length;
    expect(await send(event(id, {}, 'charge.succeeded'))).toEqual(taken);
    expect((await openCases()).length).toBe(before);
    expect(await send(event(id, {}, 'invoice.paid').replace('evt_', 'evt_2'))).toEqual(taken);
    expect((await stateOf(id))[0]).toBe('PENDING_CONFIRMATION');
    expect((await openCases()).length).toBe(before + 1);
  });
});
