import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

const account = (provider: string, name: string, settings: Record<string, string>) => ({
  ...{ provider, name, settings },
  reread: () => settings,
});
const shop = (name: string) =>
  account('stripe', name, { STRIPE_SECRET_KEY: `sk_test_${name}`, STRIPE_WEBHOOK_SECRET: `whsec_${name}` });
const cloud = (name: string) =>
  account('alibaba_cloud', name, {
    ...{ ALIBABA_CLOUD_ACCESS_KEY_ID: name, ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' },
    ALIBABA_CLOUD_RAIL: 'reseller_quota',
  });

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress({
    providerSettings: { providerAccounts: [shop('shop'), shop('market'), cloud('cn'), cloud('intl')] },
  });
  key = await ingress.client();
});
afterAll(() => ingress.close());

const create = (changes: object, idempotencyKey: string = crypto.randomUUID()) =>
  ingress.call('POST', '/v1/recharges', {
    key,
    headers: { 'idempotency-key': idempotencyKey },
    body: { accountId: 'acct-1', amount: 500, currency: 'USD', paymentMethod: 'credit_card', ...changes },
  });
const accountOf = async (id: unknown) =>
  (await ingress.sql('select provider_account from recharge_transaction where id = $1', [id]))[0]
    ?.provider_account;

describe('a request', () => {
  test('is collected by the account that it names, and by the first one otherwise', async () => {
    const chosen = await create({ providerAccount: 'market' });
    expect(await accountOf(chosen.body.transactionId)).toBe('market');
    const left = await create({});
    expect(await accountOf(left.body.transactionId)).toBe('shop');
  });

  test('with another account under its key is another request', async () => {
    const first = await create({ providerAccount: 'shop' }, 'the-same-key');
    expect((await create({ providerAccount: 'shop' }, 'the-same-key')).body.transactionId).toBe(
      first.body.transactionId,
    );
    expectProblem(await create({ providerAccount: 'market' }, 'the-same-key'), 422, 'DUPLICATE_REQUEST');
  });

  test.each([
    ['an account that is not there', { providerAccount: 'main' }, 'there is shop, market'],
    [
      'an account for a delivery',
      { paymentMethod: 'fund_account', providerAccount: 'cn' },
      'the payee of the account says',
    ],
  ])('with %s is refused', async (_, changes, words) => {
    const refused = await create(changes);
    expectProblem(refused, 400, 'INVALID_ARGUMENT');
    expect(refused.body.errors).toEqual([
      { path: 'providerAccount', message: expect.stringContaining(words) },
    ]);
  });
});

describe('a payee', () => {
  const set = (accountId: string, changes: object) =>
    ingress.call('PUT', `/v1/accounts/${accountId}/payee`, {
      key,
      body: { provider: 'alibaba_cloud', to: '77', currency: 'CNY', ...changes },
    });

  test('is paid by the account that it names', async () => {
    expect((await set('acct-2', { providerAccount: 'intl' })).body).toMatchObject({
      providerAccount: 'intl',
    });
    const { body } = await create({ accountId: 'acct-2', currency: 'CNY', paymentMethod: 'fund_account' });
    expect(await accountOf(body.transactionId)).toBe('intl');
  });

  test.each([
    ['without an account', {}, 'is needed: there is cn, intl'],
    ['with an account that is not there', { providerAccount: 'main' }, 'is no account of ours'],
  ])('%s is refused', async (_, changes, words) => {
    const refused = await set('acct-3', changes);
    expectProblem(refused, 400, 'INVALID_ARGUMENT');
    expect(refused.body.errors).toEqual([
      { path: 'providerAccount', message: expect.stringContaining(words) },
    ]);
  });
});

test('a payee of a provider that is not configured is refused in words', async () => {
  const bare = await openIngress({ providerSettings: { ALIBABA_CLOUD_ACCESS_KEY_ID: undefined } });
  try {
    const refused = await bare.call('PUT', '/v1/accounts/acct-1/payee', {
      key: await bare.client(),
      body: { provider: 'alibaba_cloud', to: '77', currency: 'CNY' },
    });
    expectProblem(refused, 400, 'INVALID_ARGUMENT');
    expect(refused.body.errors).toEqual([
      { path: 'provider', message: expect.stringContaining('alibaba_cloud is not configured here') },
    ]);
  } finally {
    await bare.close();
  }
});
