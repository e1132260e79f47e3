import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import {
  type Answer,
  aRecharge,
  create,
  created,
  end,
  type Ingress,
  openIngress,
  storedRows,
} from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const balance = (query: Record<string, string>): Promise<Answer> =>
  ingress.call('GET', `/v1/account/balance?${new URLSearchParams(query)}`, { key });
const ledger = (accountId: string, query: Record<string, string> = {}, headers = {}): Promise<Answer> =>
  ingress.call('GET', `/v1/accounts/${accountId}/ledger?${new URLSearchParams(query)}`, { key, headers });

async function fund(accountId: string, amount: number, currency = 'USD'): Promise<string> {
  const recharge = await created(ingress, key, { accountId, amount, currency });
  await end(ingress, recharge, 'settled');
  return recharge.id;
}
const pay = (accountId: string, amount: number) =>
  created(ingress, key, { accountId, amount, paymentMethod: 'balance' });
const walletOf = (available: number, frozen: number, currency = 'USD') => ({
  currency,
  available,
  frozen,
  total: available + frozen,
});

test('an account that nothing was posted to has no rows', async () => {
  const { status, body, headers } = await balance({ accountId: 'acct-empty' });
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  expect(body).toEqual({ accountId: 'acct-empty', balances: [], history: [], asOf: expect.any(String) });
  expect((await ledger('acct-empty')).body).toEqual({ data: [], nextCursor: null });
});

test('a recharge counts once it has succeeded, and not before', async () => {
  const recharge = await created(ingress, key, { accountId: 'acct-in' });
  expect((await balance({ accountId: 'acct-in' })).body.balances).toEqual([]);
  await end(ingress, recharge, 'settled');
  const { body } = await balance({ accountId: 'acct-in' });
  expect(body.balances).toEqual([walletOf(4999, 0)]);
  expect(body.history).toEqual([
    {
      entryId: expect.stringMatching(/^\d+$/),
      at: expect.any(String),
      transactionId: recharge.id,
      slot: 'collect',
      amount: 4999,
      currency: 'USD',
      balance: 4999,
      counterparty: 'provider:sandbox:clearing',
    },
  ]);
});

test('each currency has a balance of its own', async () => {
  await fund('acct-two', 100, 'USD');
  await fund('acct-two', 7, 'JPY');
  const both = await balance({ accountId: 'acct-two' });
  expect(both.body.balances).toEqual([walletOf(7, 0, 'JPY'), walletOf(100, 0, 'USD')]);
  const one = await balance({ accountId: 'acct-two', currency: 'JPY' });
  expect([one.body.balances, one.body.history]).toEqual([
    [walletOf(7, 0, 'JPY')],
    [expect.objectContaining({ currency: 'JPY', amount: 7 })],
  ]);
});

test.each([
  ['settled', walletOf(700, 0)],
  ['declined', walletOf(1_000, 0)],
] as const)('what is paid from the balance is frozen until it is %s', async (news, left) => {
  const accountId = `acct-pays-${news}`;
  await fund(accountId, 1_000);
  const delivery = await pay(accountId, 300);
  expect((await balance({ accountId })).body.balances).toEqual([walletOf(700, 300)]);
  await end(ingress, delivery, news);
  expect((await balance({ accountId })).body.balances).toEqual([left]);
});

test('a canceled delivery releases its hold', async () => {
  await fund('acct-back', 1_000);
  const delivery = await pay('acct-back', 1_000);
  expect((await balance({ accountId: 'acct-back' })).body.balances).toEqual([walletOf(0, 1_000)]);
  await ingress.call('POST', `/v1/recharges/${delivery.id}/cancel`, { key });
  expect((await balance({ accountId: 'acct-back' })).body.balances).toEqual([walletOf(1_000, 0)]);
});

test('more than the available balance is refused: in another currency, beside a hold, by one unit', async () => {
  await fund('acct-poor', 1_000);
  await pay('acct-poor', 400);
  const before = await storedRows(ingress);
  for (const changes of [{ amount: 601 }, { amount: 1, currency: 'EUR' }, { amount: 2 ** 53 - 1 }]) {
    const body = aRecharge({ accountId: 'acct-poor', paymentMethod: 'balance', ...changes });
    expectProblem(await create(ingress, key, body), 402, 'INSUFFICIENT_BALANCE');
  }
  expect(await storedRows(ingress)).toBe(before);
  await pay('acct-poor', 600);
  expect((await balance({ accountId: 'acct-poor' })).body.balances).toEqual([walletOf(0, 1_000)]);
});

test('payments at the same time never take more than the balance', async () => {
  await fund('acct-rush', 500);
  const body = aRecharge({ accountId: 'acct-rush', amount: 100, paymentMethod: 'balance' });
  const answers = await Promise.all(Array.from({ length: 20 }, () => create(ingress, key, body)));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toEqual([...Array(5).fill(202), ...Array(15).fill(402)]);
  expect((await balance({ accountId: 'acct-rush' })).body.balances).toEqual([walletOf(0, 500)]);
});

type Entry = { at: string; balance: number };

test('a balance in the past is that of all entries up to the time asked for', async () => {
  const delivery = (await threePayments('acct-past'))[0]!;
  const { asOf, balances, history } = (await balance({ accountId: 'acct-past' })).body;
  const now = { asOf, balances, history: history as Entry[] };
  expect(now.balances).toEqual([walletOf(679, 321)]);
  await ingress.call('POST', `/v1/recharges/${delivery}/cancel`, { key });
  const at = String(now.asOf);
  const past = await balance({ accountId: 'acct-past', at });
  expect(past.body).toEqual({ accountId: 'acct-past', ...now });
  for (const entry of now.history) {
    const then = (await balance({ accountId: 'acct-past', at: entry.at })).body;
    const earlier = now.history.filter((other) => other.at <= entry.at);
    expect(then.history).toEqual(earlier);
    const newest = earlier.slice(0, 1).map(({ balance }) => walletOf(balance, 1_000 - balance));
    expect(then.balances).toEqual(newest);
  }
  const future = await balance({ accountId: 'acct-past', at: '9999-01-01T00:00:00Z' });
  expectProblem(future, 400, 'INVALID_ARGUMENT');
});

async function threePayments(accountId: string): Promise<string[]> {
  const ids = [await fund(accountId, 1_000)];
  for (const amount of [1, 20, 300]) ids.push((await pay(accountId, amount)).id);
  return ids.reverse();
}

test('the ledger is read in pages, newest first, with the balance after each entry', async () => {
  const ids = await threePayments('acct-pages');
  const first = await ledger('acct-pages', { limit: '3' });
  expect(first.body.data.map((e) => [e.slot, e.amount, e.balance, e.counterparty])).toEqual([
    ['hold', -300, 679, 'wallet:acct-pages:frozen'],
    ['hold', -20, 979, 'wallet:acct-pages:frozen'],
    ['hold', -1, 999, 'wallet:acct-pages:frozen'],
  ]);
  const second = await ledger('acct-pages', { limit: '3', cursor: first.body.nextCursor! });
  expect(second.body.nextCursor).toBeNull();
  const walked = [...first.body.data, ...second.body.data];
  expect(walked.map(({ transactionId }) => transactionId)).toEqual(ids);
  expect((await ledger('acct-pages', { limit: '4' })).body).toEqual({ data: walked, nextCursor: null });
  const from = String(walked[2]!.at);
  const to = String(walked[0]!.at);
  const between = await ledger('acct-pages', { from, to, currency: 'USD' });
  expect(between.body.data).toEqual(walked.slice(1, 3));
  expect((await ledger('acct-pages', { currency: 'EUR' })).body.data).toEqual([]);
});

test('in CSV the numbers of the ledger stay numbers', async () => {
  const ids = await threePayments('acct-csv');
  const answer = await ledger('acct-csv', { limit: '3' }, { accept: 'text/csv' });
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="ledger-acct-csv.csv"');
  expect(answer.headers.get('x-next-cursor')).toBe(
    (await ledger('acct-csv', { limit: '3' })).body.nextCursor,
  );
  const rows = answer.text.trimEnd().split('\n');
  expect(rows[0]).toBe('entryId,at,transactionId,slot,amount,currency,balance,counterparty');
  expect(rows[1]).toMatch(/^\d+,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,/);
  expect(rows[1]).toContain(`,${ids[0]},hold,-300,USD,679,wallet:acct-csv:frozen`);
  expect(rows).toHaveLength(4);
});

test('balances beyond 2^53 are written with all digits', async () => {
  const [journal, transaction] = [randomUUID(), randomUUID()];
  const [most, beside] = ['9223372036854775807', '9007199254740993'];
  await ingress.sql(`insert into ledger_account values ('wallet:acct-rich:available', 'USD', ${beside}),
    ('wallet:acct-rich:frozen', 'USD', 2), ('wallet:acct-rich:available', 'KWD', ${most})`);
  await ingress.sql('insert into ledger_journal (id, transaction_id, slot) values ($1, $2, $3)', [
    journal,
    transaction,
    'collect',
  ]);
  await ingress.sql(
    `insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency,
      credit_balance_minor)
    values ($1, $2, 'provider:sandbox:clearing', 'wallet:acct-rich:available', ${beside}, 'USD', ${most})`,
    [journal, transaction],
  );
  const { text } = await balance({ accountId: 'acct-rich' });
  expect(text).toContain(`{"currency":"KWD","available":${most},"frozen":0,"total":${most}}`);
  expect(text).toContain(`{"currency":"USD","available":${beside},"frozen":2,"total":9007199254740995}`);
  expect((await ledger('acct-rich')).text).toContain(
    `"amount":${beside},"currency":"USD","balance":${most},"counterparty":"provider:sandbox:clearing"`,
  );
  const csv = await ledger('acct-rich', {}, { accept: 'text/csv' });
  expect(csv.text).toContain(`,${beside},USD,${most},`);
});

test('a recharge that would exceed the largest balance is refused, a smaller one is not', async () => {
  await ingress.sql(`insert into ledger_account (name, currency, balance_minor)
    values ('wallet:acct-brim:available', 'USD', 9223372036854775707)`);
  const answer = await create(ingress, key, aRecharge({ accountId: 'acct-brim', amount: 101 }));
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors).toEqual([{ path: 'amount', message: expect.stringContaining('balance') }]);
  await created(ingress, key, { accountId: 'acct-brim', amount: 100 });
});

test.each([
  ['accountId', '/v1/account/balance'],
  ['accountId', '/v1/account/balance?accountId='],
  ['accountId', '/v1/account/balance?accountId=a%00'],
  ['accountId', '/v1/account/balance?accountId=%25'],
  ['accountId', '/v1/account/balance?accountId=a&accountId=b'],
  ['currency', '/v1/account/balance?accountId=a&currency=usd'],
  ['limit', '/v1/account/balance?accountId=a&limit=5'],
  ['accountId', '/v1/accounts/a%2Fb/ledger'],
  ['accountId', '/v1/accounts/a%00/ledger'],
  ['limit', '/v1/accounts/a/ledger?limit=0'],
  ['limit', '/v1/accounts/a/ledger?limit=101'],
  ['limit', '/v1/accounts/a/ledger?limit=-1'],
  ['cursor', '/v1/accounts/a/ledger?cursor=0'],
  ['cursor', '/v1/accounts/a/ledger?cursor=9999999999999999999'],
  ['cursor', '/v1/accounts/a/ledger?cursor=1%20or%201=1'],
  ['from', '/v1/accounts/a/ledger?from=0000-01-01T00:00:00Z'],
  ['to', '/v1/accounts/a/ledger?to=now'],
  ['until', '/v1/accounts/a/ledger?until=2026-01-01T00:00:00Z'],
])('a wrong %s is refused: %s', async (path, url) => {
  const answer = await ingress.call('GET', url, { key });
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors).toEqual([expect.objectContaining({ path })]);
});
