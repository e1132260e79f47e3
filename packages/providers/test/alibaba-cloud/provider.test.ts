import { expect, test } from '@jest/globals';
import type { ProvidersConfig } from '../../src/definition.js';
import { openProviders } from '../../src/registry.js';

const open = (changes: Partial<ProvidersConfig>) => {
  const providers = openProviders({
    ...{ SANDBOX_URL: 'http://127.0.0.1:1', PROVIDER_TIMEOUT_MS: 1_000, NODE_ENV: 'production' },
    ...{ ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI1', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' },
    ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-1',
    ...changes,
  });
  return providers.raw('alibaba_cloud', 'main')!;
};

test.each([
  ['fund_account', { idempotentSubmit: false, isProven: true, refunds: true, balance: true }],
  ['reseller_quota', { idempotentSubmit: true, isProven: false, refunds: true, balance: false }],
  ['agency', { idempotentSubmit: false, isProven: true, refunds: false, balance: false }],
])('the rail %s offers what its operations can do, and nothing else', (rail, offered) => {
  const { orders, refunds, balance, cancels, webhooks } = open({ ALIBABA_CLOUD_RAIL: rail });
  expect({
    idempotentSubmit: orders.promises.idempotentSubmit,
    isProven: orders.promises.proof !== undefined,
    refunds: refunds !== undefined,
    balance: balance !== undefined,
  }).toEqual(offered);
  expect([cancels, webhooks]).toEqual([undefined, undefined]);
});

test('no rail promises a look-up by reference, and the settings of a proof reach the rails that need one', () => {
  const proof = { ALIBABA_CLOUD_SCANS: '5', ALIBABA_CLOUD_VISIBILITY_DELAY_MS: 60_000 };
  for (const rail of ['fund_account', 'agency']) {
    const { promises } = open({ ALIBABA_CLOUD_RAIL: rail, ALIBABA_CLOUD_RESUBMIT: 'auto', ...proof }).orders;
    expect(promises).toMatchObject({
      ...{ queryByReference: false },
      proof: { scans: 5, visibilityDelayMs: 60_000, resubmit: 'auto' },
    });
  }
});

test('a rail that does not exist prevents the start', () => {
  expect(() => open({ ALIBABA_CLOUD_RAIL: 'wire' })).toThrow('ALIBABA_CLOUD_RAIL');
});
