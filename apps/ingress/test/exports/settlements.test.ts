import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import {
  type Answer,
  create,
  created,
  end,
  type Ingress,
  openIngress,
  type Row,
} from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let shop: NewKey;
let bank: NewKey;
let finance: NewKey;
let ids: string[];

const TODAY = new Date().toISOString().slice(0, 10);

beforeAll(async () => {
  ingress = await openIngress();
  shop = await ingress.client({ name: '=shop' });
  bank = await ingress.client({ name: 'bank' });
  finance = await ingress.client({ name: 'finance', scopes: ['finance:read'] });
  ids = [];
  const settle = async (key: NewKey, changes: Row) => {
    const recharge = await created(ingress, key, changes);
    await end(ingress, recharge, 'settled');
    ids.push(recharge.id);
  };
  await settle(shop, { accountId: 'acct-s', amount: 4_999, orderReference: '0012' });
  await settle(bank, { accountId: 'acct-b', amount: 70, currency: 'JPY' });
  await settle(shop, { accountId: 'acct-s', amount: 300, paymentMethod: 'balance' });
  await end(ingress, await created(ingress, bank, { accountId: 'acct-b', amount: 9 }), 'declined');
  await created(ingress, bank, { accountId: 'acct-b', amount: 8 });
});
afterAll(() => ingress.close());

const settlements = (query: string, key = finance, headers = {}): Promise<Answer> =>
  ingress.call('GET', `/v1/exports/settlements?${query}`, { key, headers });

const rowsOf = ({ text }: Answer): Record<string, string>[] => {
  const [names, ...rows] = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((cells) => Object.fromEntries(cells.map((cell, nth) => [names![nth]!, cell])));
};

test('a day has what was settled for all clients, in order, with signed amounts and exponents', async () => {
  const answer = await settlements(`day=${TODAY}`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
  expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="settlements-${TODAY}.csv"`);
  const rows = rowsOf(answer);
  expect(
    rows.map((row) => [row.transactionId, row.kind, row.clientName, row.amount, row.currency, row.exponent]),
  ).toEqual([
    [ids[0], 'collect', "'=shop", '4999', 'USD', '2'],
    [ids[1], 'collect', 'bank', '70', 'JPY', '0'],
    [ids[2], 'deliver', "'=shop", '-300', 'USD', '2'],
  ]);
  expect(rows[0]).toMatchObject({ orderReference: '0012', provider: 'sandbox', accountId: 'acct-s' });
  expect(rows.map(({ settledAt }) => settledAt)).toEqual(rows.map(({ settledAt }) => settledAt).toSorted());
});

test('days are cut at midnight of the time zone, and each settlement belongs to one day', async () => {
  await ingress.sql('alter table recharge_transaction disable trigger user');
  const at = (id: string, time: string) =>
    ingress.sql('update recharge_transaction set succeeded_at = $2 where id = $1', [id, time]);
  await at(ids[0]!, '2026-03-28T23:00:00Z');
  await at(ids[1]!, '2026-03-29T21:59:59.999Z');
  await at(ids[2]!, '2026-03-29T22:00:00Z');
  const of = async (day: string, timeZone: string) =>
    rowsOf(await settlements(`day=${day}&timeZone=${timeZone}`)).map(({ transactionId }) =>
      ids.indexOf(transactionId!),
    );
  // The day has 23 hours.
  expect(await of('2026-03-29', 'Europe/Berlin')).toEqual([0, 1]);
  expect(await of('2026-03-30', 'Europe/Berlin')).toEqual([2]);
  expect(await of('2026-03-28', 'UTC')).toEqual([0]);
  expect(await of('2026-03-29', 'UTC')).toEqual([1, 2]);
  expect(await of('2026-03-30', 'Asia/Shanghai')).toEqual([1, 2]);
  await ingress.sql('update recharge_transaction set succeeded_at = now() where succeeded_at is not null');
  await ingress.sql('alter table recharge_transaction enable trigger user');
});

test('people get a byte order mark, and machines get none', async () => {
  const marks = await Promise.all(
    [
      ['', {}],
      ['&bom=true', {}],
      ['&bom=false', { accept: 'text/csv; bom=present' }],
      ['', { accept: 'text/csv; bom=present' }],
    ].map(async ([query, headers]) => {
      const response = await fetch(`${ingress.url}/v1/exports/settlements?day=${TODAY}${query}`, {
        headers: { authorization: `Bearer ${finance.keyId}.${finance.secret}`, ...(headers as object) },
      });
      return new Uint8Array(await response.arrayBuffer())[0] === 0xef;
    }),
  );
  expect(marks).toEqual([false, true, false, true]);
});

test('a key sees the accounts of its patterns, and needs the scope', async () => {
  const narrow = await ingress.client({ scopes: ['finance:read'], accounts: ['acct-b*'] });
  expect(rowsOf(await settlements(`day=${TODAY}`, narrow)).map(({ accountId }) => accountId)).toEqual([
    'acct-b',
  ]);
  expectProblem(await settlements(`day=${TODAY}`, shop), 403, 'UNAUTHORIZED');
});

test.each([
  '',
  'day=2026-02-30',
  'day=2999-01-01',
  `day=${TODAY}&timeZone=Mars/Base`,
  `day=${TODAY}&timeZone=%2B08:00`,
])('the query %p is refused', async (query) => {
  expectProblem(await settlements(query), 400, 'INVALID_ARGUMENT');
});

test('a long day is sent in pieces, each settlement once', async () => {
  await ingress.sql('alter table recharge_transaction disable trigger user');
  await ingress.sql(
    `insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
        provider, next_step, due_at, created_at, succeeded_at)
      select gen_random_uuid(), (select id from client where name = 'bank'), 'acct-l', 'collect', 'SUCCEEDED', 1, 'USD', 'sandbox',
        'sandbox', null, null, '2025-05-31T00:00:00Z', '2025-06-01T00:00:00Z'::timestamptz + (n / 3) * interval '1 second'
      from generate_series(1, 1000) n`,
  );
  await ingress.sql('alter table recharge_transaction enable trigger user');
  const answer = await settlements('day=2025-06-01');
  expect(answer.headers.get('content-length')).toBeNull();
  expect(new Set(rowsOf(answer).map(({ transactionId }) => transactionId)).size).toBe(1_000);
});

test('finance reads recharges, cases, balances and statements of all clients, and changes nothing', async () => {
  const read = (path: string) => ingress.call('GET', path, { key: finance });
  const listed = (await read('/v1/recharges?limit=100&createdFrom=2026-01-01T00:00:00Z')).body.data;
  expect(ids.filter((id) => !listed.some(({ transactionId }) => transactionId === id))).toEqual([]);
  const ofAccount = (await read('/v1/recharges?accountId=acct-b')).body.data;
  expect(ofAccount.map(({ amount }) => amount)).toEqual([8, 9, 70]);
  const ofReference = (await read('/v1/recharges?orderReference=0012')).body.data;
  expect(ofReference.map(({ transactionId }) => transactionId)).toEqual([ids[0]]);
  for (const path of [
    `/v1/recharges/${ids[0]}`,
    `/v1/recharges/${ids[0]}/timeline`,
    `/v1/recharges/${ids[0]}/refunds`,
  ])
    expect((await read(path)).status).toBe(200);
  expect((await read('/v1/account/balance?accountId=acct-s')).body.balances).toEqual([
    { currency: 'USD', available: 4_699, frozen: 0, total: 4_699 },
  ]);
  expect((await read('/v1/accounts/acct-b/ledger')).body.data).toHaveLength(1);
  expect((await read(`/v1/accounts/acct-b/statements/${TODAY.slice(0, 7)}`)).body.closing).toBe(70);
  expect((await read('/v1/cases')).status).toBe(200);
  expect((await read('/v1/ledger/proof')).status).toBe(200);
  expect((await read(`/v1/recharges/${ids[0]}/evidence`)).body).toMatchObject({ transactionId: ids[0] });
  expect((await read('/v1/reconciliations')).status).toBe(200);
  expectProblem(
    await ingress.call('POST', '/v1/reconciliations', {
      ...{
        key: finance,
        body: { provider: 'sandbox', from: `${TODAY}T00:00:00Z`, to: `${TODAY}T01:00:00Z` },
      },
    }),
    403,
    'UNAUTHORIZED',
  );
  expectProblem(await read('/v1/audit'), 403, 'UNAUTHORIZED');
  expectProblem(await create(ingress, finance), 403, 'UNAUTHORIZED');
});

test('a key that may read all clients changes those of its own only', async () => {
  const both = await ingress.client({
    name: 'both',
    scopes: ['finance:read', 'recharges:write', 'refunds:write'],
  });
  const waiting = await created(ingress, bank, { accountId: 'acct-b', amount: 5 });
  expectProblem(
    await ingress.call('POST', `/v1/recharges/${waiting.id}/cancel`, { key: both }),
    404,
    'NOT_FOUND',
  );
  const refund = await ingress.call('POST', `/v1/recharges/${ids[0]}/refunds`, {
    ...{ key: both, body: { reason: 'mine' } },
    headers: { 'idempotency-key': 'refund-1' },
  });
  expectProblem(refund, 404, 'NOT_FOUND');
});
