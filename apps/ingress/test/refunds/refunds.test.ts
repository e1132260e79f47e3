import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { created, end, type Ingress, openIngress, type Row } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(async () => {
  expect(await ingress.domain.verify()).toEqual([]);
  await ingress.close();
});

/** A recharge of 4,999 USD cents that succeeded. Returns its id. */
async function succeeded(changes: Row = {}): Promise<string> {
  const recharge = await created(ingress, key, changes);
  await end(ingress, recharge, 'settled');
  return recharge.id;
}

let keys = 0;
const refund = (id: string, body: unknown, headers: Record<string, string> = {}, as = key) =>
  ingress.call('POST', `/v1/recharges/${id}/refunds`, {
    key: as,
    body,
    headers: { 'idempotency-key': `refund-${++keys}`, ...headers },
  });

test('a refund is stored, hinted and answered as a transaction of its own', async () => {
  const id = await succeeded();
  const { status, body, headers } = await refund(id, { amount: 1_000, reason: 'ordered twice' });
  expect([status, headers.get('location')]).toEqual([202, `/v1/recharges/${body.transactionId}`]);
  expect(body).toMatchObject({
    ...{ kind: 'refund', refundOf: id, reason: 'ordered twice', amount: 1_000, currency: 'USD' },
    ...{ state: 'CREATED', status: 'accepted', accountId: 'acct-1001', provider: 'sandbox' },
  });
  expect(ingress.hints.at(-1)).toEqual({ queue: 'submission-sandbox', ids: [body.transactionId] });
  expect((await ingress.call('GET', `/v1/recharges/${body.transactionId}`, { key })).status).toBe(200);
});

test('without an amount the rest is refunded, and the list shows the refunds, newest first', async () => {
  const id = await succeeded();
  const first = await refund(id, { amount: 1_000, reason: 'a' });
  const rest = await refund(id, { reason: 'b' });
  expect(rest.body).toMatchObject({ amount: 3_999 });
  const { status, body } = await ingress.call('GET', `/v1/recharges/${id}/refunds`, { key });
  expect(status).toBe(200);
  const ids = body.data.map(({ transactionId }) => transactionId);
  expect(ids).toEqual([rest.body.transactionId, first.body.transactionId]);
});

test('the timeline of a recharge holds the rows of its refunds, each with its transaction', async () => {
  const id = await succeeded();
  const before = await ingress.call('GET', `/v1/recharges/${id}/timeline`, { key });
  expect(before.body.data.some((row) => 'transactionId' in row)).toBe(false);
  const { body } = await refund(id, { amount: 1_000, reason: 'a' });
  const after = await ingress.call('GET', `/v1/recharges/${id}/timeline`, { key });
  const own = after.body.data.filter(({ transactionId }) => transactionId === id);
  const ofRefund = after.body.data.filter(({ transactionId }) => transactionId === body.transactionId);
  expect(own.map(({ transactionId: _, ...row }) => row)).toEqual(before.body.data);
  expect(ofRefund.map(({ kind, slot }) => slot ?? kind)).toEqual(['request', 'hold']);
  expect(own.length + ofRefund.length).toBe(after.body.data.length);
});

test('the same key and body replay the refund, and another body is refused', async () => {
  const id = await succeeded();
  const idempotency = { 'idempotency-key': 'replayed' };
  const first = await refund(id, { amount: 4_999, reason: 'a' }, idempotency);
  const again = await refund(id, { reason: 'a', amount: 4_999 }, idempotency);
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
  expect(again.body.transactionId).toBe(first.body.transactionId);
  expectProblem(await refund(id, { amount: 4_998, reason: 'a' }, idempotency), 422, 'DUPLICATE_REQUEST');
});

test('a refund in XML is taken and answered', async () => {
  const id = await succeeded();
  const xml = { 'content-type': 'application/xml', accept: 'application/xml' };
  const body = '<refund><amount>10</amount><reason>a</reason></refund>';
  const { status, text } = await refund(id, body, xml);
  expect(status).toBe(202);
  expect(text).toContain('<refund><transactionId>');
  const list = await ingress.call('GET', `/v1/recharges/${id}/refunds`, { key, headers: xml });
  expect(list.text).toContain(`<refundOf>${id}</refundOf>`);
});

test('more than what is left is an invalid argument, and nothing left an invalid state', async () => {
  const id = await succeeded();
  expectProblem(await refund(id, { amount: 5_000, reason: 'a' }), 400, 'INVALID_ARGUMENT');
  await refund(id, { reason: 'a' });
  expectProblem(await refund(id, { amount: 1, reason: 'a' }), 400, 'INVALID_ARGUMENT');
  expectProblem(await refund(id, { reason: 'a' }), 409, 'INVALID_STATE');
});

test('a recharge that has not succeeded, and a refund, cannot be refunded', async () => {
  const { id } = await created(ingress, key);
  expectProblem(await refund(id, { reason: 'a' }), 409, 'INVALID_STATE');
  const { body } = await refund(await succeeded(), { reason: 'a' });
  expectProblem(await refund(body.transactionId, { reason: 'a' }), 409, 'INVALID_STATE');
});

test('a refund that the wallet does not hold is refused', async () => {
  const id = await succeeded({ accountId: 'acct-spent' });
  await created(ingress, key, { accountId: 'acct-spent', paymentMethod: 'balance', amount: 4_000 });
  expectProblem(await refund(id, { amount: 1_000, reason: 'a' }), 402, 'INSUFFICIENT_BALANCE');
});

test('a refund of a provider that offers none is refused in words', async () => {
  const id = await succeeded();
  await ingress.sql(`alter table recharge_transaction disable trigger recharge_transaction_same_terms`);
  await ingress.sql(`update recharge_transaction set provider = 'elsewhere' where id = $1`, [id]);
  const answer = await refund(id, { reason: 'a' });
  expectProblem(answer, 409, 'INVALID_STATE');
  expect(answer.text).toContain('elsewhere does not offer refunds');
  await ingress.sql(`update recharge_transaction set provider = 'sandbox' where id = $1`, [id]);
});

test('a refund needs its key, its reason and its scope, and an account that the key covers', async () => {
  const id = await succeeded();
  const path = `/v1/recharges/${id}/refunds`;
  expectProblem(await ingress.call('POST', path, { key, body: { reason: 'a' } }), 400, 'INVALID_ARGUMENT');
  for (const body of [
    {},
    { reason: '' },
    { reason: 'a', amount: 0 },
    { reason: 'a', amount: '1' },
    { reason: 'a', x: 1 },
  ])
    expectProblem(await refund(id, body), 400, 'INVALID_ARGUMENT');
  const unscoped = await ingress.client({ scopes: ['recharges:write', 'recharges:read'] });
  expectProblem(await refund(id, { reason: 'a' }, {}, unscoped), 403, 'UNAUTHORIZED');
  expectProblem(await refund(id, { reason: 'a' }, {}, await ingress.client()), 404, 'NOT_FOUND');
});
