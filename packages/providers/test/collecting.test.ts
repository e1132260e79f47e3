import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { ProvidersConfig } from '../src/definition.js';
import { openProviders } from '../src/registry.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const base = {
  SANDBOX_URL: 'http://127.0.0.1:1',
  PROVIDER_TIMEOUT_MS: 1_000,
  NODE_ENV: 'production',
} as const;
const alipay = { ALIPAY_APP_ID: '2021', ALIPAY_PRIVATE_KEY: privateKey, ALIPAY_PUBLIC_KEY: publicKey };
const open = (changes: Partial<ProvidersConfig>) => openProviders({ ...base, ...changes });

test('a provider is open where its own keys are set, and serves its method', async () => {
  const providers = open({ ...alipay, ALIPAY_SELLER_ID: '2088', STRIPE_SECRET_KEY: 'sk_live_1' });
  expect(providers.names).toEqual(['stripe', 'alipay']);
  expect(providers.route('credit_card')).toEqual({ provider: 'stripe', providerAccount: 'main' });
  expect(providers.route('alipay')).toEqual({ provider: 'alipay', providerAccount: 'main' });
  expect(providers.route('wechat_pay')).toBeNull();
  await providers.close();
});

test('an address or a secret of webhooks alone configures nothing', () => {
  const changes = {
    STRIPE_API_BASE: 'https://api.stripe.com',
    STRIPE_WEBHOOK_SECRET: 'whsec_1',
    ALIPAY_SELLER_ID: '1',
  };
  expect(open(changes).names).toEqual([]);
});

test('outside production, every provider is open, and each method has one of them', async () => {
  const providers = open({ NODE_ENV: 'test', ...alipay, STRIPE_SECRET_KEY: 'sk_test_1' });
  expect(
    ['sandbox', 'credit_card', 'alipay', 'wechat_pay'].map((method) => providers.route(method)?.provider),
  ).toEqual(['sandbox', 'stripe', 'alipay', 'sandbox']);
  await providers.close();
});

test('an app of Alipay without its keys prevents the start', () => {
  expect(() => open({ ALIPAY_APP_ID: '2021' })).toThrow('ALIPAY_PRIVATE_KEY');
});
