import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { until } from '@replenish/testing';
import { type Answer, end, type Ingress, openIngress, storedRows } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const charge = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  ingress.call('POST', '/api/charge', { key, body, headers });
const aCharge = (changes = {}) => ({ account_id: 'acct-1', amount: 100, currency: 'USD', ...changes });

/** Waits for a recharge of this account and returns its id. */
async function taken(accountId: string): Promise<string> {
  const [row] = await until(
    async () => {
      const rows = await ingress.sql(
        `select id::text from recharge_transaction where account_id = $1 and state = 'CREATED'`,
        [accountId],
      );
      return rows.length > 0 && rows;
    },
    { limitMs: 30_000 },
    `a recharge of ${accountId}`,
  );
  return String(row!.id);
}

/** Charges a new account and reports the outcome while the charge waits for it. */
async function chargeAndEnd(sent: (accountId: string) => string, news: 'settled' | 'declined', headers = {}) {
  const accountId = `acct-${randomUUID()}`;
  const waiting = charge(sent(accountId), headers);
  const recharge = (await ingress.domain.reads.recharge(await taken(accountId)))!;
  await end(ingress, recharge, news);
  return { recharge, answer: await waiting };
}
const text =
  (amount: string, currency = 'USD') =>
  (accountId: string) =>
    `{"account_id":"${accountId}","amount":${amount},"currency":"${currency}"}`;

test('a charge answers success when the money has arrived', async () => {
  const { recharge, answer } = await chargeAndEnd(text('100'), 'settled');
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    status: 'success',
    transaction_id: recharge.id,
    message: 'The recharge succeeded.',
  });
  expect(recharge).toMatchObject({ amountMinor: 10_000n, paymentMethod: 'sandbox' });
});

test('a charge answers failed with the reason', async () => {
  const { recharge, answer } = await chargeAndEnd(text('100'), 'declined');
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    status: 'failed',
    transaction_id: recharge.id,
    message: 'insufficient funds',
    code: 'PAYMENT_FAILED',
  });
});

test('a charge without an outcome in time answers processing; a repeat with the key tells the outcome', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const startedAt = performance.now();
  const first = await charge(aCharge(), headers);
  expect(performance.now() - startedAt).toBeGreaterThan(3_000);
  expect([first.status, first.body.status]).toEqual([200, 'processing']);
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  await end(ingress, (await ingress.domain.reads.recharge(first.body.transaction_id))!, 'settled');
  const second = await charge(aCharge({ idempotency_key: headers['idempotency-key'] }));
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(second.body).toMatchObject({ status: 'success', transaction_id: first.body.transaction_id });
  expectProblem(await charge(aCharge({ amount: 101 }), headers), 422, 'DUPLICATE_REQUEST');
});

test('without an idempotency key every charge is a new recharge', async () => {
  const before = await storedRows(ingress);
  const accountId = `acct-${randomUUID()}`;
  const waiting = [charge(aCharge({ account_id: accountId })), charge(aCharge({ account_id: accountId }))];
  for (let ended = 0; ended < waiting.length; ended++)
    await end(ingress, (await ingress.domain.reads.recharge(await taken(accountId)))!, 'settled');
  const ids = (await Promise.all(waiting)).map(({ body }) => body.transaction_id);
  expect(new Set(ids).size).toBe(2);
  expect(await storedRows(ingress)).toBe(before + 6);
});

test.each([
  ['USD', '100', 10_000n],
  ['USD', '100.5', 10_050n],
  ['USD', '100.50000', 10_050n],
  ['USD', '0.01', 1n],
  ['USD', '0.29', 29n],
  ['USD', '1.15', 115n],
  ['USD', '90071992547409.91', 9_007_199_254_740_991n],
  ['JPY', '100', 100n],
  ['JPY', '100.0', 100n],
  ['KWD', '1.234', 1_234n],
  ['KWD', '1.2', 1_200n],
  ['XCG', '1.25', 125n],
])('%s %s is %d minor units', async (currency, amount, amountMinor) => {
  const { recharge, answer } = await chargeAndEnd(text(amount, currency), 'settled');
  expect(answer.body.status).toBe('success');
  expect(recharge).toMatchObject({ amountMinor, currency });
});

test.each([
  ['USD', '100.005'],
  ['USD', '0.001'],
  ['USD', '0'],
  ['USD', '0.00'],
  ['USD', '-1'],
  ['USD', '-0.01'],
  ['USD', '1e2'],
  ['USD', '90071992547409.92'],
  ['USD', '9007199254740992'],
  ['USD', '"100"'],
  ['USD', 'null'],
  ['USD', '[100]'],
  ['JPY', '100.5'],
  ['KWD', '1.2345'],
])('%s %s is refused as an amount', async (currency, amount) => {
  const before = await storedRows(ingress);
  const answer = await charge(text(amount, currency)('acct-1'));
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors).toEqual([expect.objectContaining({ path: 'amount' })]);
  expect(await storedRows(ingress)).toBe(before);
});

test.each([
  ['currency', aCharge({ currency: 'usd' })],
  ['account_id', aCharge({ account_id: 'a b' })],
  ['payment_method', aCharge({ payment_method: 'cash' })],
  ['accountId', aCharge({ accountId: 'acct-2' })],
  ['idempotency_key', aCharge({ idempotency_key: '' })],
])('a wrong %s is refused', async (path, body) => {
  const answer = await charge(body);
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors).toEqual([expect.objectContaining({ path })]);
});

test('a charge that the balance does not cover is refused at once', async () => {
  const answer = await charge(aCharge({ payment_method: 'balance', account_id: 'acct-empty' }));
  expectProblem(answer, 402, 'INSUFFICIENT_BALANCE');
});
