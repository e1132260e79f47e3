import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { aRecharge, create, created, end, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const everyField = aRecharge({
  paymentMethod: 'credit_card',
  orderReference: 'PO-7',
  timestamp: '2026-11-21T22:00:00Z',
  productType: 'ecs',
  planId: 'p1',
  metadata: { any: 'string', constructor: 'too', '': undefined },
});

const acceptedBody = {
  transactionId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  kind: 'collect',
  status: 'accepted',
  state: 'CREATED',
  accountId: 'acct-1001',
  amount: 4999,
  currency: 'USD',
  paymentMethod: 'credit_card',
  destination: 'wallet',
  provider: 'sandbox',
  providerAccount: 'main',
  source: null,
  target: null,
  providerOrderId: null,
  externalReference: null,
  action: null,
  waiting: {
    reason: 'QUEUE',
    since: expect.stringMatching(isoTime),
    until: null,
    detail: expect.stringMatching(/./),
  },
  delivery: null,
  collectedBy: null,
  refundOf: null,
  refunded: 0,
  message: expect.stringMatching(/./),
  failure: null,
  metadata: { any: 'string', constructor: 'too' },
  createdAt: expect.stringMatching(isoTime),
  updatedAt: expect.stringMatching(isoTime),
  submittedAt: null,
  succeededAt: null,
  failedAt: null,
  canceledAt: null,
  orderReference: 'PO-7',
};

test.each(['/v1/recharges', '/recharge'])('POST %s answers 202 with the whole body', async (path) => {
  const sent = { key, body: everyField, headers: { 'idempotency-key': `whole${path}` } };
  const answer = await ingress.call('POST', path, sent);
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual(acceptedBody);
  expect(Object.keys(answer.body)).toEqual(Object.keys(acceptedBody));
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.headers.get('location')).toBe(`/v1/recharges/${answer.body.transactionId}`);
  expect(answer.headers.get('idempotent-replayed')).toBeNull();
  const stored = await ingress.sql(
    `select q.*, t.* from recharge_request q join recharge_transaction t on t.id = q.transaction_id
    where t.id = $1`,
    [answer.body.transactionId],
  );
  expect(stored).toEqual([
    expect.objectContaining({
      client_id: key.clientId,
      idempotency_key: `whole${path}`,
      kind: 'collect',
      amount_minor: '4999',
      product_type: 'ecs',
      plan_id: 'p1',
      requested_at: new Date('2026-11-21T22:00:00Z'),
      correlation_id: answer.headers.get('x-correlation-id'),
    }),
  ]);
});

test('optional fields may be left out', async () => {
  const { status, body } = await create(ingress, key);
  expect(status).toBe(202);
  expect(body).toMatchObject({ paymentMethod: 'sandbox', orderReference: null, metadata: {} });
});

test('a repeated request replays the answer, and only the first one hints the queue', async () => {
  const first = await create(ingress, key, everyField, { 'idempotency-key': 'again' });
  const second = await create(ingress, key, everyField, { 'idempotency-key': 'again' });
  expect(second.status).toBe(200);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(second.headers.get('location')).toBe(first.headers.get('location'));
  expect(second.body).toEqual(first.body);
  const hinted = ingress.hints.filter(({ ids }) => ids.includes(first.body.transactionId));
  expect(hinted).toEqual([{ queue: 'submission-sandbox', ids: [first.body.transactionId] }]);
});

test('a replay answers with the current state', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const { body } = await create(ingress, key, aRecharge(), headers);
  await end(ingress, (await ingress.domain.reads.recharge(body.transactionId))!, 'declined');
  const replay = await create(ingress, key, aRecharge(), headers);
  expect(replay.status).toBe(200);
  expect(replay.body).toMatchObject({
    transactionId: body.transactionId,
    status: 'failed',
    state: 'FAILED',
    failure: { code: 'PAYMENT_FAILED', message: 'insufficient funds' },
    failedAt: expect.stringMatching(isoTime),
  });
});

test('requests with one key at the same time make one recharge', async () => {
  const headers = { 'idempotency-key': 'crowd' };
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => create(ingress, key, everyField, headers)),
  );
  expect(new Set(answers.map(({ body }) => body.transactionId)).size).toBe(1);
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(39);
  const stored = await ingress.sql(`select from recharge_request where idempotency_key = 'crowd'`);
  expect(stored).toHaveLength(1);
});

test('the same key of two clients makes two recharges', async () => {
  const other = await ingress.client();
  const headers = { 'idempotency-key': 'shared' };
  const mine = await create(ingress, key, aRecharge(), headers);
  const theirs = await create(ingress, other, aRecharge({ amount: 1 }), headers);
  expect([mine.status, theirs.status]).toEqual([202, 202]);
  expect(theirs.body.transactionId).not.toBe(mine.body.transactionId);
});

test.each([
  ['amount', { amount: 5000 }],
  ['currency', { currency: 'EUR' }],
  ['account', { accountId: 'acct-1002' }],
  ['payment method', { paymentMethod: 'alipay' }],
  ['order reference', { orderReference: 'PO-8' }],
  ['product type', { productType: 'oss' }],
  ['plan', { planId: 'p2' }],
  ['metadata value', { metadata: { any: 'other' } }],
  ['metadata key', { metadata: { other: 'string' } }],
  ['left out field', { orderReference: undefined }],
])('a repeated idempotency key with another %s is refused', async (what, changes) => {
  const headers = { 'idempotency-key': `changed-${what.replaceAll(' ', '-')}` };
  await create(ingress, key, everyField, headers);
  const answer = await create(ingress, key, { ...everyField, ...changes }, headers);
  expectProblem(answer, 422, 'DUPLICATE_REQUEST');
  const [row] = await ingress.sql('select count(*) from recharge_request where idempotency_key = $1', [
    headers['idempotency-key'],
  ]);
  expect(row).toEqual({ count: '1' });
});

const written = '{"accountId":"acct-A","amount":7,"currency":"USD","metadata":{"a":"1","b":"A"}}';

test.each([
  ['order of keys', '{"currency":"USD","metadata":{"b":"A","a":"1"},"amount":7,"accountId":"acct-A"}'],
  ['spaces', written.replaceAll(':', ' :\n\t ').replaceAll(',', ' ,\r\n')],
  ['escapes', written.replaceAll('A', '\\u0041')],
  ['timestamp', written.replace('}}', '},"timestamp":"2026-01-01T00:00:00Z"}')],
  ['default written out', written.replace('}}', '},"paymentMethod":"sandbox"}')],
])('a repeated request with another %s is a replay', async (what, body) => {
  const headers = { 'idempotency-key': `same-${what.replaceAll(' ', '-')}` };
  const first = await create(ingress, key, written, headers);
  const second = await create(ingress, key, body, headers);
  expect([first.status, second.status]).toEqual([202, 200]);
  expect(second.body.transactionId).toBe(first.body.transactionId);
});

test('a refused request does not use up its idempotency key', async () => {
  const headers = { 'idempotency-key': 'refused-once' };
  expectProblem(await create(ingress, key, aRecharge({ amount: 0 }), headers), 400, 'INVALID_ARGUMENT');
  const unpaid = aRecharge({ paymentMethod: 'balance', accountId: 'acct-empty' });
  expectProblem(await create(ingress, key, unpaid, headers), 402, 'INSUFFICIENT_BALANCE');
  const answer = await create(ingress, key, aRecharge(), headers);
  expect([answer.status, answer.headers.get('idempotent-replayed')]).toEqual([202, null]);
});

test('a text that looks like SQL is stored unchanged', async () => {
  const text = `'; drop table recharge_request; -- %_\\ \u202e "x" é e\u0301 \u{1f4b0}`;
  const recharge = await created(ingress, key, {
    orderReference: text,
    metadata: { [text.slice(0, 40)]: text },
  });
  const { body } = await ingress.call('GET', `/v1/recharges/${recharge.id}`, { key });
  expect(body).toMatchObject({ orderReference: text, metadata: { [text.slice(0, 40)]: text } });
});
