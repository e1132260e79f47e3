import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { paymentMethods } from '../src/definition.js';
import { openProviders } from '../src/registry.js';

const config = {
  SANDBOX_URL: 'http://127.0.0.1:1',
  SANDBOX_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
  PROVIDER_TIMEOUT_MS: 1_000,
} as const;

test.each(['development', 'test'] as const)(
  'in %s the sandbox serves every payment method but that of payees',
  async (env) => {
    const providers = openProviders({ ...config, NODE_ENV: env });
    expect(paymentMethods.map((method) => providers.route(method))).toEqual(
      paymentMethods.map((method) =>
        method === 'fund_account' ? null : { provider: 'sandbox', providerAccount: 'main' },
      ),
    );
    expect(providers.names).toEqual(['sandbox']);
    expect(providers.get('sandbox', 'main')?.name).toBe('sandbox');
    expect(providers.raw('sandbox', 'main')?.orders.promises.idempotentSubmit).toBe(true);
    await providers.close();
  },
);

test('in production the sandbox is not opened, and no provider serves a method', async () => {
  const providers = openProviders({ ...config, NODE_ENV: 'production' });
  expect(paymentMethods.map((method) => providers.route(method))).toEqual(paymentMethods.map(() => null));
  expect(providers.names).toEqual([]);
  expect(providers.get('sandbox', 'main')).toBeUndefined();
  expect(providers.raw('sandbox', 'main')).toBeUndefined();
  await providers.close();
});

test.each(['cash', '', 'SANDBOX', '__proto__', 'constructor'])(
  '%p is neither a method nor a provider',
  async (name) => {
    const providers = openProviders({ ...config, NODE_ENV: 'test' });
    expect(providers.route(name)).toBeNull();
    expect(providers.get(name, 'main')).toBeUndefined();
    expect(providers.raw(name, 'main')).toBeUndefined();
    await providers.close();
  },
);

test('an invalid webhook secret prevents the start', () => {
  const broken = { ...config, NODE_ENV: 'test', SANDBOX_WEBHOOK_SECRET: 'whsec_' } as const;
  expect(() => openProviders(broken)).toThrow('webhook secret');
});
