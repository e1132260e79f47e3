import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { afterAll, expect, test } from '@jest/globals';
import type { ProviderAccount } from '@replenish/runtime';
import { openProviders, type Providers } from '../src/registry.js';
import { receiveWebhook } from '../src/webhook-account.js';

const pair = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const [app, oldKey, newKey] = [pair(), pair(), pair()];

const account = (provider: string, name: string, settings: ProviderAccount['settings']): ProviderAccount => ({
  ...{ provider, name, settings },
  reread: () => settings,
});
const shop = (name: string, secrets: string) =>
  account('stripe', name, { STRIPE_SECRET_KEY: `sk_test_${name}`, STRIPE_WEBHOOK_SECRET: secrets });
const seller = (name: string, appId: string, publicKey: string) =>
  account('alipay', name, {
    ...{ ALIPAY_APP_ID: appId, ALIPAY_SELLER_ID: `seller-${name}` },
    ...{ ALIPAY_PRIVATE_KEY: app.privateKey, ALIPAY_PUBLIC_KEY: publicKey },
  });

const providers: Providers = openProviders({
  ...{ SANDBOX_URL: 'http://127.0.0.1:1', PROVIDER_TIMEOUT_MS: 1_000, NODE_ENV: 'production' },
  providerAccounts: [
    shop('shop', 'whsec_shop'),
    shop('market', 'whsec_old,whsec_new'),
    seller('east', '2021', `${oldKey.publicKey},${newKey.publicKey}`),
    seller('west', '2022', oldKey.publicKey),
  ],
});
afterAll(() => providers.close());

test('each account is a provider of its own, in the order of the file, and the first one is the default', () => {
  expect(providers.names).toEqual(['stripe', 'alipay']);
  expect(providers.accounts('stripe')).toEqual(['shop', 'market']);
  expect(providers.accounts('alibaba_cloud')).toEqual([]);
  expect(providers.route('credit_card')).toEqual({ provider: 'stripe', providerAccount: 'shop' });
  expect(providers.all().map(({ name, account: of }) => `${name} ${of}`)).toEqual([
    'stripe shop',
    'stripe market',
    'alipay east',
    'alipay west',
  ]);
  expect(providers.get('stripe', 'market')).toMatchObject({ name: 'stripe', account: 'market' });
  expect(providers.get('stripe', 'main')).toBeUndefined();
});

const NOW = new Date('2026-11-28T10:00:00Z');
const receive = (provider: string, rawBody: Buffer, headers: Record<string, string> = {}) =>
  receiveWebhook(providers, provider, { rawBody, headers, now: NOW });

function stripeEvent(secret: string, at: Date = NOW) {
  const body = '{"id":"evt_1","object":"event","type":"ping","data":{"object":{}}}';
  const seconds = Math.floor(at.getTime() / 1_000);
  const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return receive('stripe', Buffer.from(body), { 'stripe-signature': `t=${seconds},v1=${signature}` });
}

test.each([
  ['whsec_shop', 'shop'],
  ['whsec_old', 'market'],
  ['whsec_new', 'market'],
])('an event of Stripe with the secret %s is of the account %s', (secret, of) => {
  expect(stripeEvent(secret)).toMatchObject({ ok: true, account: of, eventId: 'evt_1' });
});

test('an event that fits no secret is refused, and an old one by its time', () => {
  expect(stripeEvent('whsec_other')).toEqual({ ok: false, refusal: 'bad_signature' });
  const early = new Date(NOW.getTime() - 301_000);
  expect(stripeEvent('whsec_shop', early)).toEqual({ ok: false, refusal: 'outside_window' });
  expect(receive('alibaba_cloud', Buffer.from('{}'))).toEqual({ ok: false, refusal: 'no_webhooks' });
});

function notification(appId: string, privateKey: string) {
  const fields: Record<string, string> = { app_id: appId, notify_id: 'n1', out_trade_no: '1' };
  const text = Object.keys(fields)
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join('&');
  const sign = createSign('RSA-SHA256').update(text).sign(privateKey, 'base64');
  const body = new URLSearchParams({ ...fields, sign_type: 'RSA2', sign }).toString();
  return receive('alipay', Buffer.from(body));
}

test.each([
  ['2021', 'the old key', oldKey, 'east'],
  ['2021', 'the new key', newKey, 'east'],
  ['2022', 'the key that both apps have', oldKey, 'west'],
])('a notification of the app %s signed by %s is of its account', (appId, _, { privateKey }, of) => {
  expect(notification(appId, privateKey)).toMatchObject({ ok: true, account: of });
});

test('a notification of a foreign app is taken by an account whose key fits, so that a person looks at it', () => {
  expect(notification('2099', oldKey.privateKey)).toMatchObject({ ok: true, account: 'east' });
  expect(notification('2022', newKey.privateKey)).toMatchObject({ ok: true, account: 'east' });
});
