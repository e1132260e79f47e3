import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import {
  type Answer,
  aRecharge,
  create,
  created,
  end,
  type Ingress,
  openIngress,
  type Row,
  storedRows,
} from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client({ accounts: ['acct-1*'] });
  await end(ingress, await created(ingress, key, { accountId: 'acct-1002', amount: 1_000 }), 'settled');
  const payee = { provider: 'alibaba_cloud', to: 'fa-7', currency: 'USD' };
  await ingress.call('PUT', '/v1/accounts/acct-1003/payee', { key, body: payee });
  await end(
    ingress,
    await created(ingress, key, { accountId: 'acct-1003', destination: 'wallet', amount: 1_000 }),
    'settled',
  );
});
afterAll(() => ingress.close());

const dry = (
  body: unknown,
  wishes: { key?: NewKey; headers?: Record<string, string> } = {},
): Promise<Answer> => ingress.call('POST', '/v1/recharges?dryRun=true', { key, body, ...wishes });

const failing = (answer: Answer) =>
  (answer.body.checks as { name: string; ok: boolean; detail: string }[]).filter(({ ok }) => !ok);

test('a collect says what its success books, without a key, and stores nothing', async () => {
  const before = await storedRows(ingress);
  const hints = ingress.hints.length;
  const answer = await dry(aRecharge());
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      wouldBe: 'accepted',
      checks: ['account', 'route', 'key_currency', 'largest_balance'].map((name) => ({
        name,
        ok: true,
        detail: expect.any(String),
      })),
      postings: [
        {
          slot: 'collect',
          debit: 'provider:sandbox:clearing',
          credit: 'wallet:acct-1001:available',
          amount: 4_999,
          currency: 'USD',
        },
      ],
      balancesAfter: [{ currency: 'USD', available: 4_999, frozen: 0, total: 4_999 }],
      approval: false,
    },
  ]);
  expect(await storedRows(ingress)).toBe(before);
  expect(ingress.hints.length).toBe(hints);
});

test('a sent idempotency key is not used, and one that was used is not looked at', async () => {
  const headers = { 'idempotency-key': 'dry-1' };
  expect((await dry(aRecharge(), { headers })).body.wouldBe).toBe('accepted');
  expect((await create(ingress, key, aRecharge({ amount: 7 }), headers)).status).toBe(202);
  expect((await dry(aRecharge(), { headers })).body.wouldBe).toBe('accepted');
});

test('dryRun=false is the request itself, also for a repeated key', async () => {
  const headers = { 'idempotency-key': 'dry-2' };
  const first = await create(ingress, key, aRecharge(), headers);
  const sent = { key, body: aRecharge(), headers };
  const again = await ingress.call('POST', '/v1/recharges?dryRun=false', sent);
  expect([again.status, again.headers.get('idempotent-replayed'), again.body.transactionId]).toEqual([
    200,
    'true',
    first.body.transactionId,
  ]);
});

test('a payee gets the delivery into the postings', async () => {
  const { body } = await dry(aRecharge({ accountId: 'acct-1003', amount: 300 }));
  expect((body.postings as Row[]).map(({ slot, debit, credit }) => [slot, debit, credit])).toEqual([
    ['collect', 'provider:sandbox:clearing', 'wallet:acct-1003:available'],
    ['hold', 'wallet:acct-1003:available', 'wallet:acct-1003:frozen'],
    ['settle', 'wallet:acct-1003:frozen', 'provider:alibaba_cloud:clearing'],
  ]);
  expect(body.balancesAfter).toEqual([{ currency: 'USD', available: 1_000, frozen: 0, total: 1_000 }]);
  const fromWallet = await dry(aRecharge({ accountId: 'acct-1003', amount: 300, paymentMethod: 'balance' }));
  expect(fromWallet.body.balancesAfter).toEqual([{ currency: 'USD', available: 700, frozen: 0, total: 700 }]);
});

describe('it says of a request what the intake says', () => {
  const ceilings = { USD: { requestMinor: 5_000n, dayMinor: 6_000n } };
  test.each<[string, Row, string | null]>([
    ['a collect', { accountId: 'acct-1001', amount: 1 }, null],
    ['another account', { accountId: 'acct-9001' }, 'account'],
    [
      'a wallet that holds too little',
      { paymentMethod: 'balance', accountId: 'acct-1002', amount: 1_001 },
      'balance',
    ],
    ['a wallet that holds nothing', { paymentMethod: 'balance', accountId: 'acct-1009' }, 'balance'],
    ['a wallet that holds enough', { paymentMethod: 'balance', accountId: 'acct-1002', amount: 1_000 }, null],
    ['a cloud without a payee', { destination: 'cloud', accountId: 'acct-1002' }, 'payee'],
    ['a fund account without a payee', { paymentMethod: 'fund_account', accountId: 'acct-1002' }, 'payee'],
    ['a fund account', { paymentMethod: 'fund_account', accountId: 'acct-1003' }, null],
    ['another currency than the payee takes', { accountId: 'acct-1003', currency: 'EUR' }, 'payee_currency'],
    ['a balance to a wallet', { paymentMethod: 'balance', destination: 'wallet' }, 'route'],
  ])('%s', async (_, over, name) => {
    const body = aRecharge(over);
    const tried = await dry(body);
    const real = await create(ingress, key, body);
    expect(tried.status).toBe(200);
    expect(failing(tried).map((check) => check.name)).toEqual(name === null ? [] : [name]);
    expect(real.status === 202).toBe(tried.body.wouldBe === 'accepted');
    if (name !== null) expect(failing(tried)[0]!.detail).toBe(real.body.detail);
    if (name !== null) expect(tried.body.postings).toEqual([]);
  });

  test.each<[string, Row, string | null]>([
    ['within the ceilings', { amount: 1 }, null],
    ['above the ceiling of a request', { amount: 5_001 }, 'ceiling'],
    ['above what is left of the day', { amount: 2_001 }, 'ceiling'],
    ['a currency without a ceiling', { currency: 'EUR' }, 'key_currency'],
  ])('%s', async (_, over, name) => {
    const bounded = await ingress.client({ ceilings });
    if (name !== null) await create(ingress, bounded, aRecharge({ amount: 4_000 }));
    const tried = await dry(aRecharge(over), { key: bounded });
    const real = await create(ingress, bounded, aRecharge(over));
    expect(failing(tried).map((check) => check.name)).toEqual(name === null ? [] : [name]);
    expect(real.status === 202).toBe(tried.body.wouldBe === 'accepted');
  });
});

test.each(['', 'TRUE', '1', 'yes', 'true&dryRun=true'])('dryRun=%s is refused', async (value) => {
  const before = await storedRows(ingress);
  const sent = { key, body: aRecharge(), headers: { 'idempotency-key': `dry-${value}x` } };
  expectProblem(await ingress.call('POST', `/v1/recharges?dryRun=${value}`, sent), 400, 'INVALID_ARGUMENT');
  expect(await storedRows(ingress)).toBe(before);
});

test('a malformed request, another query and a key without the scope are refused as ever', async () => {
  expectProblem(await dry(aRecharge({ amount: 0 })), 400, 'INVALID_ARGUMENT');
  const other = { key, body: aRecharge() };
  expectProblem(await ingress.call('POST', '/v1/recharges?dryrun=true', other), 400, 'INVALID_ARGUMENT');
  const charge = { key, body: { account_id: 'acct-1001', amount: 1, currency: 'USD' } };
  expectProblem(await ingress.call('POST', '/api/charge?dryRun=true', charge), 400, 'INVALID_ARGUMENT');
  const reader = await ingress.client({ scopes: ['recharges:read'] });
  expectProblem(await dry(aRecharge(), { key: reader }), 403, 'UNAUTHORIZED');
});

test('XML has the root dryRun', async () => {
  const answer = await dry(aRecharge(), { headers: { accept: 'application/xml' } });
  expect(answer.text).toContain('<dryRun><wouldBe>accepted</wouldBe><checks><item><name>account</name>');
});
