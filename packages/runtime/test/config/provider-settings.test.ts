import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { BadConfiguration, readConfig } from '../../src/config/read.js';
import { simulatorKeys } from '../../src/config/simulators.js';

const read = (env: Record<string, string>) => readConfig({ REPLENISH_DIR: '/nowhere', ...env });

function faultOf(env: Record<string, string>): string {
  try {
    read(env);
  } catch (error) {
    if (error instanceof BadConfiguration) return error.message;
    throw error;
  }
  return '';
}

const pairOf = (type: 'pkcs1' | 'pkcs8') => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    privateKey: privateKey.export({ type, format: 'der' }).toString('base64'),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
};
const app = pairOf('pkcs1');
const theirs = pairOf('pkcs8');
const alipay = {
  ALIPAY_APP_ID: '2021',
  ALIPAY_PRIVATE_KEY: app.privateKey,
  ALIPAY_PUBLIC_KEY: theirs.publicKey,
  ALIPAY_SELLER_ID: '2088',
};
const stripe = { STRIPE_SECRET_KEY: 'sk_live_1', STRIPE_WEBHOOK_SECRET: 'whsec_1' };
const cloudKey = { ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI1', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' };
const cloud = { ...cloudKey, ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-1' };
const production = { NODE_ENV: 'production' };

test('outside production, providers without keys are called at the simulators beside the sandbox', () => {
  const config = read({ SANDBOX_PORT: '9100', SANDBOX_WEBHOOK_SECRET: 'whsec_c2FuZGJveA==' });
  expect(config).toMatchObject({
    ...simulatorKeys,
    ALIBABA_CLOUD_ENDPOINT: 'http://127.0.0.1:9101',
    ALIPAY_ENDPOINT: 'http://127.0.0.1:9102',
    ALIPAY_GATEWAY: 'http://127.0.0.1:9102/gateway.do',
    STRIPE_API_BASE: 'http://127.0.0.1:9103',
    STRIPE_WEBHOOK_SECRET: 'whsec_c2FuZGJveA==',
  });
});

test('a provider with keys of its own is called at its real address, and the others at their simulators', () => {
  const config = read({ STRIPE_SECRET_KEY: 'sk_test_mine', STRIPE_WEBHOOK_SECRET: 'whsec_1' });
  expect(config).toMatchObject({ STRIPE_SECRET_KEY: 'sk_test_mine', STRIPE_WEBHOOK_SECRET: 'whsec_1' });
  expect(config.STRIPE_API_BASE).toBeUndefined();
  expect(config.ALIPAY_ENDPOINT).toBe('http://127.0.0.1:8092');
});

test.each([
  [{ SANDBOX_URL: 'http://sandbox:8090' }, 'http://sandbox:8093'],
  [{ SANDBOX_URL: 'http://sandbox:7000' }, 'http://sandbox:7003'],
  [{ SANDBOX_STRIPE_PORT: '9999' }, 'http://127.0.0.1:9999'],
  [{ STRIPE_API_BASE: 'http://127.0.0.1:7777' }, 'http://127.0.0.1:7777'],
])('with %j the simulated Stripe is at %s', (env, address) => {
  expect(read(env as Record<string, string>).STRIPE_API_BASE).toBe(address);
});

test('timing variables, rails and sites configure no provider', () => {
  const others = {
    ALIBABA_CLOUD_RAIL: 'agency',
    ALIBABA_CLOUD_SITE: 'international',
    ALIBABA_CLOUD_SCANS: '2',
  };
  expect(read(others).ALIBABA_CLOUD_ACCESS_KEY_ID).toBe(simulatorKeys.ALIBABA_CLOUD_ACCESS_KEY_ID);
  expect(read({ ...production, ...others }).ALIBABA_CLOUD_ACCESS_KEY_ID).toBeUndefined();
});

test('production accepts keys of real providers, and opens none without keys', () => {
  expect(read({ ...production, ...alipay, ...stripe, ...cloud })).toMatchObject({ ...alipay, ...stripe });
  expect(read(production).STRIPE_SECRET_KEY).toBeUndefined();
  expect(read(production).ALIPAY_APP_ID).toBeUndefined();
});

test('the secret of Stripe may be two while it is rotated', () => {
  const STRIPE_WEBHOOK_SECRET = 'whsec_old,whsec_new';
  expect(read({ ...stripe, STRIPE_WEBHOOK_SECRET })).toMatchObject({ STRIPE_WEBHOOK_SECRET });
  expect(faultOf({ ...stripe, STRIPE_WEBHOOK_SECRET: 'whsec_old,other' })).toContain('STRIPE_WEBHOOK_SECRET');
});

test.each<[string, Record<string, string>, string]>([
  [
    'a key of Stripe without the secret of its events',
    { STRIPE_SECRET_KEY: 'sk_test_1' },
    'STRIPE_WEBHOOK_SECRET',
  ],
  ['a secret of events without a key', { STRIPE_WEBHOOK_SECRET: 'whsec_1' }, 'STRIPE_SECRET_KEY'],
  ['a publishable key', { ...stripe, STRIPE_SECRET_KEY: 'pk_live_1' }, 'STRIPE_SECRET_KEY'],
  ['an app of Alipay without keys', { ALIPAY_APP_ID: '2021' }, 'ALIPAY_PRIVATE_KEY and ALIPAY_PUBLIC_KEY'],
  ['half a key of Alibaba Cloud', { ALIBABA_CLOUD_ACCESS_KEY_ID: 'a' }, 'ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
  ['a cloud without the account that pays', cloudKey, 'ALIBABA_CLOUD_FUND_ACCOUNT_ID'],
  [
    'a private key that is none',
    { ...alipay, ALIPAY_PRIVATE_KEY: 'bm9uZQ==' },
    'ALIPAY_PRIVATE_KEY is no RSA key',
  ],
  ["the app's own public key", { ...alipay, ALIPAY_PUBLIC_KEY: app.publicKey }, "the app's own key"],
  [
    'in production, a test key of Stripe',
    { ...production, ...stripe, STRIPE_SECRET_KEY: 'sk_test_1' },
    'live key',
  ],
  [
    'in production, a simulator of Stripe',
    { ...production, ...stripe, STRIPE_API_BASE: 'http://127.0.0.1:8093' },
    'STRIPE_API_BASE',
  ],
  [
    "in production, Alipay's sandbox",
    { ...production, ...alipay, ALIPAY_ENDPOINT: 'https://openapi-sandbox.dl.alipaydev.com' },
    'ALIPAY_ENDPOINT',
  ],
  [
    'in production, a simulator of Alibaba Cloud',
    { ...production, ...cloud, ALIBABA_CLOUD_ENDPOINT: 'http://127.0.0.1:8091' },
    'ALIBABA_CLOUD_ENDPOINT',
  ],
  [
    'in production, Alipay without a seller',
    { ...production, ...alipay, ALIPAY_SELLER_ID: '' },
    'ALIPAY_SELLER_ID',
  ],
  [
    "in production, the simulator's app of Alipay",
    { ...production, ...alipay, ALIPAY_APP_ID: simulatorKeys.ALIPAY_APP_ID },
    'ALIPAY_APP_ID is the simulator',
  ],
  [
    "in production, the simulator's key of Alibaba Cloud",
    { ...production, ...cloud, ALIBABA_CLOUD_ACCESS_KEY_ID: simulatorKeys.ALIBABA_CLOUD_ACCESS_KEY_ID },
    'ALIBABA_CLOUD_ACCESS_KEY_ID is the simulator',
  ],
])('refused: %s', (_name, env, words) => {
  expect(faultOf(env)).toContain(words);
});

test('the faults of all providers are named together, and no key is shown', () => {
  const fault = faultOf({
    LOG_LEVEL: 'loud',
    STRIPE_SECRET_KEY: 'sk_live_verysecret',
    ALIPAY_APP_ID: '2021',
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'alsosecret',
  });
  for (const words of [
    'LOG_LEVEL',
    'STRIPE_WEBHOOK_SECRET',
    'ALIPAY_PRIVATE_KEY',
    'ALIBABA_CLOUD_ACCESS_KEY_ID',
  ])
    expect(fault).toContain(words);
  expect(fault).not.toMatch(/verysecret|alsosecret/);
});
