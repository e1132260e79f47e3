import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { type Ingress, listen, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client({ accounts: ['acct-1*'] });
});
afterAll(() => ingress.close());

const path = '/v1/accounts/acct-1001/payee';
const payee = { provider: 'alibaba_cloud', to: 'fa-7', currency: 'CNY' };

test('a payee is set, set again, read and removed', async () => {
  expectProblem(await ingress.call('GET', path, { key }), 404, 'NOT_FOUND');
  const set = await ingress.call('PUT', path, { key, body: payee });
  expect([set.status, set.body]).toEqual([
    200,
    {
      ...{ ...payee, accountId: 'acct-1001', providerAccount: 'main', from: null },
      ...{ updatedAt: expect.any(String), approvalAbove: {} },
    },
  ]);
  const again = await ingress.call('PUT', path, { key, body: { ...payee, from: null } });
  expect([again.status, again.body]).toEqual([200, set.body]);
  const read = await ingress.call('GET', path, { key });
  expect([read.status, read.body]).toEqual([200, set.body]);
  const removed = await ingress.call('DELETE', path, { key });
  expect([removed.status, removed.text]).toEqual([204, '']);
  expectProblem(await ingress.call('DELETE', path, { key }), 404, 'NOT_FOUND');
  expectProblem(await ingress.call('GET', path, { key }), 404, 'NOT_FOUND');
});

test('XML in and out has the root payee', async () => {
  const body =
    '<payee><provider>alibaba_cloud</provider><to>fa-7</to><from>fa-main</from><currency>CNY</currency><approvalAbove><CNY>500</CNY></approvalAbove></payee>';
  const xml = 'application/xml';
  const set = await ingress.call('PUT', path, { key, body, headers: { 'content-type': xml, accept: xml } });
  expect(set.status).toBe(200);
  expect(set.text).toContain('<payee><accountId>acct-1001</accountId>');
  expect((await ingress.call('GET', path, { key })).body).toMatchObject({
    ...{ to: 'fa-7', from: 'fa-main', approvalAbove: { CNY: 500 } },
  });
});

test('the limit of approvals is kept, and a recharge of the account above it waits for a second person', async () => {
  const at = '/v1/accounts/acct-1002/payee';
  const approvalAbove = { CNY: 1_000 };
  const set = await ingress.call('PUT', at, { key, body: { ...payee, approvalAbove } });
  expect([set.status, set.body.approvalAbove]).toEqual([200, approvalAbove]);
  const send = (amount: number, path = '/v1/recharges') =>
    ingress.call('POST', path, {
      key,
      body: { accountId: 'acct-1002', amount, currency: 'CNY' },
      headers: { 'idempotency-key': `limit-${amount}` },
    });
  expect((await send(1_001, '/v1/recharges?dryRun=true')).body.approval).toBe(true);
  const hints = ingress.hints.length;
  const waits = await send(1_001);
  expect([waits.status, waits.body.status, waits.body.waiting]).toEqual([
    202,
    'accepted',
    expect.objectContaining({ reason: 'APPROVAL', until: expect.any(String) }),
  ]);
  expect(waits.body.message).toBe('Accepted; a second person has to approve it.');
  expect(ingress.hints.length).toBe(hints);
  expect((await send(1_000)).body.waiting).toMatchObject({ reason: 'QUEUE' });
  const canceled = await ingress.call('POST', `/v1/recharges/${waits.body.transactionId}/cancel`, { key });
  expect([canceled.status, canceled.body.state]).toEqual([200, 'CANCELED']);
});

test('our own source is shown, and kept as no name, so that its transfers are counted in its pool', async () => {
  const configured = await openIngress({
    providerSettings: {
      ...{ ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI-test', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' },
      ...{ ALIBABA_CLOUD_ENDPOINT: 'http://127.0.0.1:9', ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-main' },
      ALIBABA_CLOUD_RAIL: 'fund_account',
    },
  });
  const own = await configured.client({ accounts: ['acct-1*'] });
  const fromOf = async (from?: string) => {
    const set = await configured.call('PUT', path, { key: own, body: { ...payee, from } });
    const read = await configured.call('GET', path, { key: own });
    return [set.body.from, read.body.from, (await configured.domain.payees.of('acct-1001'))?.from];
  };
  expect(await fromOf('fa-main')).toEqual(['fa-main', 'fa-main', null]);
  expect(await fromOf()).toEqual(['fa-main', 'fa-main', null]);
  expect(await fromOf('fa-other')).toEqual(['fa-other', 'fa-other', 'fa-other']);
  await configured.close();
});

test('a receiver that the provider does not know is refused, and one that cannot be read is taken', async () => {
  const codes: Readonly<Record<string, string>> = {
    'fa-none': 'AccountNotExist',
    'fa-hidden': 'NoFundAccountPermission',
  };
  const cloud = createServer(async (request, response) => {
    const sent = decodeURIComponent(`${request.url} ${await text(request)}`);
    const asked = Object.keys(codes).find((id) => sent.includes(id)) ?? '';
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ RequestId: 'r-1', Code: codes[asked] ?? 'Unasked', Message: 'no' }));
  });
  const configured = await openIngress({
    providerSettings: {
      ...{ ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI-test', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' },
      ...{ ALIBABA_CLOUD_ENDPOINT: await listen(cloud), ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-main' },
      ALIBABA_CLOUD_RAIL: 'fund_account',
    },
  });
  const own = await configured.client();
  const set = (to: string) => configured.call('PUT', path, { key: own, body: { ...payee, to } });
  const refused = await set('fa-none');
  expectProblem(refused, 400, 'INVALID_ARGUMENT');
  expect(refused.body.errors).toEqual([{ path: 'to', message: 'the provider has no such account' }]);
  expectProblem(await configured.call('GET', path, { key: own }), 404, 'NOT_FOUND');
  expect((await set('fa-hidden')).status).toBe(200);
  await configured.close();
  cloud.close();
});

describe('refused with the field at fault', () => {
  test.each([
    ['an unknown provider', { provider: 'sandbox' }, 'provider'],
    ['an unknown provider account', { providerAccount: 'second' }, 'providerAccount'],
    ['a number for an id', { to: 7 }, 'to'],
    ['an id that is too long', { to: 'x'.repeat(65) }, 'to'],
    ['an id with a space', { from: 'a b' }, 'from'],
    ['no currency', { currency: undefined }, 'currency'],
    ['a currency that is none', { currency: 'cny' }, 'currency'],
    ['an unknown field', { note: 'x' }, 'note'],
    ['a limit of approvals that is no amount', { approvalAbove: { CNY: '1' } }, 'approvalAbove.CNY'],
    ['a limit of approvals of zero', { approvalAbove: { CNY: 0 } }, 'approvalAbove.CNY'],
    ['a limit of approvals in no currency', { approvalAbove: { cny: 1 } }, 'approvalAbove.cny'],
  ])('%s', async (_, over, field) => {
    const answer = await ingress.call('PUT', path, { key, body: { ...payee, ...over } });
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    expect(answer.body.errors.map((one) => one.path)).toEqual([field]);
  });

  test('a query, a body of DELETE, and a path that is no account', async () => {
    expectProblem(await ingress.call('PUT', `${path}?x=1`, { key, body: payee }), 400, 'INVALID_ARGUMENT');
    expectProblem(await ingress.call('DELETE', path, { key, body: payee }), 400, 'INVALID_ARGUMENT');
    expectProblem(await ingress.call('DELETE', `${path}?x=1`, { key }), 400, 'INVALID_ARGUMENT');
    const strange = await ingress.call('GET', '/v1/accounts/a%20b/payee', { key });
    expectProblem(strange, 400, 'INVALID_ARGUMENT');
  });
});

test('scopes and account patterns bound who may', async () => {
  const reader = await ingress.client({ scopes: ['payees:read', 'recharges:write'], accounts: ['*'] });
  const writer = await ingress.client({ scopes: ['payees:write'], accounts: ['*'] });
  expectProblem(await ingress.call('PUT', path, { key: reader, body: payee }), 403, 'UNAUTHORIZED');
  expectProblem(await ingress.call('DELETE', path, { key: reader }), 403, 'UNAUTHORIZED');
  expectProblem(await ingress.call('GET', path, { key: writer }), 403, 'UNAUTHORIZED');
  const other = '/v1/accounts/acct-2001/payee';
  expectProblem(await ingress.call('PUT', other, { key, body: payee }), 403, 'UNAUTHORIZED');
  expectProblem(await ingress.call('GET', other, { key }), 403, 'UNAUTHORIZED');
  expectProblem(await ingress.call('DELETE', other, { key }), 403, 'UNAUTHORIZED');
});
