import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run as runCommand } from '../../../../apps/cli/src/run.js';
import { Cloud } from '../../../../apps/sandbox/test/alibaba-cloud/support/cloud.js';

const cloud = new Cloud();
let env: Record<string, string>;
beforeAll(async () => {
  await cloud.start();
  await cloud.fund('fa-main', 123_456);
  const { alibaba, alipay, stripe } = await cloud.get('/_control/endpoints');
  env = {
    ...{ NODE_ENV: 'test', REPLENISH_DIR: '/nowhere', PROVIDER_TIMEOUT_MS: '20000' },
    ALIBABA_CLOUD_ACCESS_KEY_ID: alibaba.accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: alibaba.accessKeySecret,
    ...{ ALIBABA_CLOUD_ENDPOINT: alibaba.url, ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-main' },
    ...{ ALIPAY_APP_ID: alipay.appId, ALIPAY_PRIVATE_KEY: alipay.privateKey },
    ...{ ALIPAY_PUBLIC_KEY: alipay.alipayPublicKey, ALIPAY_ENDPOINT: alipay.url },
    ...{ STRIPE_SECRET_KEY: stripe.secretKey, STRIPE_WEBHOOK_SECRET: stripe.webhookSecret },
    ...{ STRIPE_API_BASE: stripe.url, ALIPAY_SELLER_ID: alipay.sellerId },
  };
});
afterAll(() => cloud.close());

/** Runs a command in these surroundings. Returns its exit code and its text. */
async function run(args: readonly string[], changes: Record<string, string> = {}) {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const exitCode = await runCommand(args, { env: { ...env, ...changes }, say, complain: say });
  return { exitCode, text: lines.join('\n') };
}
const checked = async (name: string, changes: Record<string, string> = {}) => {
  const { exitCode, text } = await run(['provider', 'check', name, '--json'], changes);
  const { ok, accounts } = JSON.parse(text);
  return { exitCode, allOk: ok, ...accounts[0] };
};

test('the list names each configured provider with what it serves and offers', async () => {
  const { exitCode, text } = await run(['provider', 'list', '--json']);
  expect([exitCode, JSON.parse(text)]).toEqual([
    0,
    expect.arrayContaining([
      {
        ...{ provider: 'stripe', account: 'main', isDefault: true, methods: ['credit_card'] },
        offers: ['webhooks', 'cancels', 'refunds', 'statement'],
      },
      {
        ...{ provider: 'alibaba_cloud', account: 'main', isDefault: true, methods: [] },
        offers: ['refunds', 'balance', 'statement'],
      },
    ]),
  ]);
  expect((await run(['provider', 'list'])).text).toMatch(
    /alipay +main \(default\) +alipay +webhooks, cancels, refunds/,
  );
});

describe('a check of an account that can be used', () => {
  test('tells the money that Alibaba Cloud can transfer', async () => {
    const { exitCode, text } = await run(['provider', 'check', 'alibaba_cloud']);
    expect([exitCode, text]).toEqual([
      0,
      expect.stringMatching(/^alibaba_cloud main {2}usable {2}the account can transfer 123456 CNY/),
    ]);
  });

  test.each(['stripe', 'alipay'])('asks %s about an order that was never sent', async (name) => {
    expect(await checked(name)).toMatchObject({ exitCode: 0, ok: true, provider: name });
  });
});

describe('a check of an account that cannot be used ends with 1 and says what to mend', () => {
  const NO_KEY = 'check the key, its permissions and the clock';
  test.each([
    ['alibaba_cloud', { ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'another' }, NO_KEY],
    ['alibaba_cloud', { ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-of-nobody' }, 'refused with'],
    ['stripe', { STRIPE_SECRET_KEY: 'sk_test_another' }, NO_KEY],
    ['alipay', { ALIPAY_APP_ID: '2099' }, NO_KEY],
    ['stripe', { STRIPE_API_BASE: 'http://127.0.0.1:9' }, 'check the address'],
  ] as const)('%s %j', async (name, changes, words) => {
    const { exitCode, ok, reads } = await checked(name, changes);
    expect([exitCode, ok, reads[0].words]).toEqual([1, false, expect.stringContaining(words)]);
  });

  test('an unknown provider', async () => {
    const { exitCode, text } = await run(['provider', 'check', 'paypal']);
    expect([exitCode, text]).toEqual([1, expect.stringContaining('no provider paypal is configured')]);
  });
});

test('without a name every account is checked, and one that cannot be used ends it with 1', async () => {
  const { exitCode, text } = await run(['provider', 'check'], { STRIPE_SECRET_KEY: 'sk_test_another' });
  const usable = text.split('\n').filter((line) => line.includes('  usable  '));
  expect([exitCode, usable.map((line) => line.split(' ')[0]).toSorted()]).toEqual([
    1,
    ['alibaba_cloud', 'alipay'],
  ]);
  expect(text).toMatch(/^stripe main {2}NOT USABLE/m);
});
