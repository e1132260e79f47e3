import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { BadConfiguration, readConfig } from '../../src/config/read.js';
import { simulatorKeys } from '../../src/config/simulators.js';

const dir = mkdtempSync(join(tmpdir(), 'providers-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const put = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

const read = (text: string, env: Record<string, string> = {}) =>
  readConfig({ REPLENISH_DIR: '/nowhere', PROVIDERS_FILE: put('providers.yaml', text), ...env });

function faultOf(text: string, env: Record<string, string> = {}): string {
  try {
    read(text, env);
  } catch (error) {
    if (error instanceof BadConfiguration) return error.message;
    throw error;
  }
  return '';
}

const TWO_SHOPS = `
stripe:
  shop:
    secret_key: \${SHOP_KEY}
    webhook_secret: file:shop.secret
  market:
    secret_key: sk_test_market
    webhook_secret: whsec_market
`;

test('the accounts of a file are in its order, with values of variables and of files', () => {
  put('shop.secret', '  whsec_shop\n');
  const config = read(TWO_SHOPS, { SHOP_KEY: 'sk_test_shop' });
  expect(config.providerAccounts).toMatchObject([
    {
      ...{ provider: 'stripe', name: 'shop' },
      settings: { STRIPE_SECRET_KEY: 'sk_test_shop', STRIPE_WEBHOOK_SECRET: 'whsec_shop' },
    },
    { provider: 'stripe', name: 'market', settings: { STRIPE_SECRET_KEY: 'sk_test_market' } },
  ]);
});

test('a provider in the file is configured by it alone, and the others stay as they are', () => {
  put('shop.secret', 'whsec_shop');
  const config = read(TWO_SHOPS, { SHOP_KEY: 'sk_test_shop' });
  expect(config).not.toHaveProperty('STRIPE_SECRET_KEY');
  expect(config).not.toHaveProperty('STRIPE_API_BASE');
  expect(config.ALIPAY_APP_ID).toBe(simulatorKeys.ALIPAY_APP_ID);
});

test('a value of digits keeps its zeros, and defaults are those of the environment', () => {
  const [account] = read(`
alibaba_cloud:
  cn: { access_key_id: a, access_key_secret: b, fund_account_id: 0012345678901234567890 }
`).providerAccounts;
  expect(account!.settings).toMatchObject({
    ALIBABA_CLOUD_FUND_ACCOUNT_ID: '0012345678901234567890',
    ALIBABA_CLOUD_SITE: 'china',
    ALIBABA_CLOUD_RESUBMIT: 'person',
  });
});

test('a secret in a file is read again, and a file that is gone leaves its last value', () => {
  const secret = put('shop.secret', 'whsec_first');
  const [shop] = read(TWO_SHOPS, { SHOP_KEY: 'sk_test_shop' }).providerAccounts;
  writeFileSync(secret, 'whsec_second\n');
  expect(shop!.reread()).toMatchObject({
    STRIPE_SECRET_KEY: 'sk_test_shop',
    STRIPE_WEBHOOK_SECRET: 'whsec_second',
  });
  rmSync(secret);
  expect(shop!.reread().STRIPE_WEBHOOK_SECRET).toBe('whsec_first');
});

test('every fault of the file is named together with its path and its line, and no value is shown', () => {
  const fault = faultOf(
    `
stripe:
  shop:
    secret_key: pk_live_verysecret
    webhook_secret: \${NOT_SET}
    wehbook_secret: whsec_alsosecret
paypal:
  main: { secret: hushhush }
alibaba_cloud:
  "CN!":
    access_key_id: LTAIhidden
    access_key_secret: file:/nowhere/secret
`,
    { LOG_LEVEL: 'loud' },
  );
  expect(fault.split('\n').filter((line) => line.startsWith('providers.yaml:'))).toEqual([
    'providers.yaml:4: stripe.shop.secret_key is no secret or restricted key of Stripe',
    'providers.yaml:5: stripe.shop.webhook_secret names the variable NOT_SET, which is not set',
    'providers.yaml:6: stripe.shop.wehbook_secret is no setting of this provider',
    'providers.yaml:7: paypal is no provider: there are alibaba_cloud, alipay, stripe',
    'providers.yaml:10: alibaba_cloud.CN! must be named by 1 to 32 of a-z 0-9 _ -',
    'providers.yaml:12: alibaba_cloud.CN!.access_key_secret names the file /nowhere/secret, which cannot be read',
  ]);
  expect(fault).toContain('LOG_LEVEL');
  expect(fault).not.toMatch(/verysecret|alsosecret|hushhush|LTAIhidden/);
});

test.each([
  ['a file that is none', '', 'must hold names with values'],
  ['a key twice', 'stripe: {a: {secret_key: sk_test_hidden1, secret_key: x}}', 'is no YAML (duplicate key)'],
  ['an account without settings', 'stripe:\n  shop:\n', 'stripe.shop must hold names with values'],
  [
    'a setting without a value',
    'stripe: {a: {secret_key: }}',
    'stripe.a.secret_key needs a text or a number',
  ],
  ['an alias', 'stripe: {a: {secret_key: *other}}', 'stripe.a.secret_key needs a text or a number'],
  [
    'half the keys',
    'stripe:\n  shop:\n    secret_key: sk_test_1\n',
    'providers.yaml:3: stripe.shop: secret_key needs webhook_secret',
  ],
  [
    'an account without keys',
    'alibaba_cloud:\n  cn: {site: international}',
    'alibaba_cloud.cn: it needs access_key_id',
  ],
  [
    'temporary keys that would prove remarks',
    'alibaba_cloud: {cn: {access_key_id: a, access_key_secret: b, security_token: c, fund_account_id: d}}',
    'security_token needs remark_keys',
  ],
  [
    'two accounts with one secret of events',
    'stripe: {a: {secret_key: sk_test_1, webhook_secret: "whsec_1,whsec_2"}, b: {secret_key: sk_test_2, webhook_secret: whsec_2}}',
    'stripe.b has the webhook_secret of a',
  ],
  [
    'two accounts that pay from one fund account',
    'alibaba_cloud: {a: {access_key_id: a, access_key_secret: b, fund_account_id: d}, b: {access_key_id: x, access_key_secret: y, fund_account_id: d}}',
    'alibaba_cloud.b has the fund_account_id of a',
  ],
])('refused: %s', (_, text, words) => {
  const fault = faultOf(text);
  expect(fault).toContain(words);
  expect(fault).not.toMatch(/sk_test_hidden1/);
});

test('a file that cannot be read is refused', () => {
  expect(() => readConfig({ REPLENISH_DIR: '/nowhere', PROVIDERS_FILE: '/nowhere/at/all.yaml' })).toThrow(
    'PROVIDERS_FILE: /nowhere/at/all.yaml cannot be read',
  );
});

test('a variable of a provider in the file is refused, unless the file takes it', () => {
  const text = `stripe: {a: {secret_key: "\${STRIPE_SECRET_KEY}", webhook_secret: whsec_1}}`;
  const env = { STRIPE_SECRET_KEY: 'sk_test_1' };
  expect(faultOf(text, env)).toBe('');
  expect(faultOf(text, { ...env, STRIPE_WEBHOOK_SECRET: 'whsec_2' })).toContain(
    'STRIPE_WEBHOOK_SECRET has no effect: PROVIDERS_FILE configures stripe',
  );
});

const keyText = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const bare = (der: Buffer) => der.toString('base64');

test('production refuses test keys, simulator keys and local addresses in the file, too', () => {
  const fault = faultOf(
    `
stripe:
  a:
    secret_key: sk_test_1
    webhook_secret: whsec_1
    api_base: http://127.0.0.1:8093
alibaba_cloud:
  cn:
    access_key_id: ${simulatorKeys.ALIBABA_CLOUD_ACCESS_KEY_ID}
    access_key_secret: b
    fund_account_id: d
`,
    { NODE_ENV: 'production', DATABASE_URL: 'postgres://u:p@db.example.com/replenish' },
  );
  expect(fault).toContain('providers.yaml:4: stripe.a: secret_key is a test key');
  expect(fault).toContain('providers.yaml:6: stripe.a: api_base: production needs the https address');
  expect(fault).toContain("providers.yaml:9: alibaba_cloud.cn: access_key_id is the simulator's");
});

test('two public keys of Alipay are read while the key changes, and each must be readable', () => {
  const app = bare(keyText().privateKey.export({ type: 'pkcs8', format: 'der' }));
  const [old, next] = [keyText(), keyText()].map((pair) =>
    bare(pair.publicKey.export({ type: 'spki', format: 'der' })),
  );
  const text = (keys: string) =>
    `alipay: {shop: {app_id: "2021", private_key: ${app}, public_key: "${keys}"}}`;
  expect(read(text(`${old},${next}`)).providerAccounts[0]!.settings.ALIPAY_PUBLIC_KEY).toBe(`${old},${next}`);
  expect(faultOf(text(`${old},bm9uZQ==`))).toContain('public_key is no RSA public key');
});
