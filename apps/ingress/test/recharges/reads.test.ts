import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type NewKey, type RechargeView, states } from '@replenish/domain';
import { untilFinal, waitMsFrom } from '../../src/recharges/waiting.js';
import { create, created, end, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  ingress.call('GET', `/v1/recharges/${path}`, { key, headers });
const cancel = (id: string) => ingress.call('POST', `/v1/recharges/${id}/cancel`, { key });

test('reading a recharge gives the body of its creation', async () => {
  const made = await create(ingress, key);
  const read = await get(made.body.transactionId);
  expect(read.status).toBe(200);
  expect(read.body).toEqual(made.body);
});

const report = { source: 'submission', reason: 'told' } as const;
const settling = (r: RechargeView) =>
  ({ ...report, news: 'settled', money: { amountMinor: r.amountMinor, currency: r.currency } }) as const;

test('state and status follow the reports', async () => {
  const recharge = await created(ingress, key);
  const seen: unknown[] = [];
  const look = async () => {
    const { body } = await get(recharge.id);
    seen.push([body.state, body.status]);
    return body;
  };
  await look();
  await ingress.domain.applyNews({ ...report, transactionId: recharge.id, news: 'submit' });
  expect((await look()).submittedAt).not.toBeNull();
  const accepted = { ...report, news: 'accepted', providerOrderId: 'sbx_7' } as const;
  await ingress.domain.applyNews({ ...accepted, transactionId: recharge.id });
  expect(await look()).toMatchObject({ providerOrderId: 'sbx_7', externalReference: 'sbx_7' });
  await ingress.domain.applyNews({ ...settling(recharge), transactionId: recharge.id });
  expect(await look()).toMatchObject({ succeededAt: expect.any(String), failure: null, failedAt: null });
  expect(seen).toEqual([
    ['CREATED', 'accepted'],
    ['SUBMITTED', 'in_progress'],
    ['PENDING_CONFIRMATION', 'in_progress'],
    ['SUCCEEDED', 'succeeded'],
  ]);
});

test.each([
  'x',
  '0',
  '01a200bf-1d7c-70e1-939e-475f23a4f58',
  '01A200BF-1D7C-70E1-939E-475F23A4F585',
  "'%20or%201=1",
])('there is no recharge with the id %s', async (id) => {
  expectProblem(await get(id), 404, 'NOT_FOUND');
  expectProblem(await get(`${id}/timeline`), 404, 'NOT_FOUND');
  expectProblem(await cancel(id), 404, 'NOT_FOUND');
});

test('a waiting call is answered when the state is final', async () => {
  const recharge = await created(ingress, key);
  const startedAt = performance.now();
  const waiting = get(recharge.id, { prefer: 'respond-async, wait=25' });
  await end(ingress, recharge, 'settled');
  expect((await waiting).body.state).toBe('SUCCEEDED');
  expect(performance.now() - startedAt).toBeLessThan(24_000);
});

test('a wait without a change ends with the current state', async () => {
  const recharge = await created(ingress, key);
  const startedAt = performance.now();
  expect((await get(recharge.id, { prefer: 'wait=1' })).body.state).toBe('CREATED');
  expect(performance.now() - startedAt).toBeGreaterThan(950);
});

test.each([
  'wait=0',
  'wait=-5',
  'wait=1e9',
  'wait=NaN',
  'wait=',
  'wait',
  'wait=9999999',
  'nowait=20',
  'wait=20s',
  '',
])('Prefer: %s does not wait', async (prefer) => {
  const recharge = await created(ingress, key);
  const startedAt = performance.now();
  expect((await get(recharge.id, { prefer })).status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(15_000);
});

test('a call waits at most 30 seconds, and not after its caller has left', async () => {
  expect(waitMsFrom('wait=10')).toBe(10_000);
  expect(waitMsFrom('handling=lenient; wait=30')).toBe(30_000);
  expect(waitMsFrom('wait=999999')).toBe(30_000);
  expect([waitMsFrom('WAIT=1'), waitMsFrom('wait="2"'), waitMsFrom('wait = 3')]).toEqual([
    1_000, 2_000, 3_000,
  ]);
  const recharge = await created(ingress, key);
  const gone = await untilFinal(ingress.domain.reads, recharge, 30_000, AbortSignal.abort());
  expect(gone.state).toBe('CREATED');
});

async function throughAllTables(recharge: RechargeView): Promise<void> {
  const { applyNews, inbox } = ingress.domain;
  const at = { ...report, transactionId: recharge.id };
  const claimed = await applyNews({ ...at, news: 'submit' });
  const call = { attempt: 1, providerCode: null, httpStatus: 200, endedAt: new Date() };
  const submit = { ...call, id: claimed.claim!.callId, operation: 'submit', outcome: 'accepted' } as const;
  await applyNews({ ...at, news: 'accepted', calls: [{ ...submit, startedAt: new Date() }] });
  const query = { ...call, id: recharge.id, operation: 'query', outcome: 'found' } as const;
  const polled = { ...query, startedAt: new Date() };
  await applyNews({ ...at, news: 'accepted', source: 'poll', calls: [polled] });
  const delivery = { provider: 'sandbox', eventId: 'msg_1', rawBody: Buffer.from('{}'), correlationId: 'c' };
  const { id: eventId } = await inbox.keep({ ...delivery, id: claimed.claim!.callId });
  await applyNews({ ...settling(recharge), transactionId: recharge.id, source: 'webhook', eventId });
  await applyNews({ ...at, news: 'declined', source: 'poll' });
}

test('the timeline lists everything that happened, in order', async () => {
  const recharge = await created(ingress, key);
  await throughAllTables(recharge);
  const { status, body } = await get(`${recharge.id}/timeline`);
  expect(status).toBe(200);
  expect(body.data.map(({ kind }) => kind)).toEqual([
    ...['request', 'transition', 'provider_call', 'transition', 'poll', 'webhook', 'transition', 'posting'],
    ...['transition', 'case'],
  ]);
  const times = body.data.map(({ at }) => String(at));
  expect(times).toEqual([...times].sort());
  expect(body.data[1]).toMatchObject({ seq: 1, from: 'CREATED', to: 'SUBMITTED', verdict: 'moved' });
  expect(body.data[2]).toMatchObject({
    operation: 'submit',
    attempt: 1,
    outcome: 'accepted',
    httpStatus: 200,
  });
  expect(body.data[4]).toMatchObject({ operation: 'query', outcome: 'found' });
  expect(body.data[5]).toMatchObject({ provider: 'sandbox', eventId: 'msg_1', verdict: 'moved' });
  expect(body.data[7]).toMatchObject({ slot: 'collect', amount: 4999, currency: 'USD' });
  expect(body.data[9]).toMatchObject({ caseKind: 'declined_after_success', closedAt: null });
});

test('a recharge that was not sent can be canceled and stays canceled', async () => {
  const recharge = await created(ingress, key);
  const first = await cancel(recharge.id);
  expect(first.status).toBe(200);
  expect(first.body).toMatchObject({ status: 'canceled', state: 'CANCELED', canceledAt: expect.any(String) });
  const second = await cancel(recharge.id);
  expect([second.status, second.body]).toEqual([200, first.body]);
});

test('many cancels at once all succeed, and one changes the state', async () => {
  const recharge = await created(ingress, key);
  const answers = await Promise.all(Array.from({ length: 10 }, () => cancel(recharge.id)));
  expect(answers.map(({ status, body }) => [status, body.state])).toEqual(Array(10).fill([200, 'CANCELED']));
  const moved = `select from transition where transaction_id = $1 and verdict = 'moved'`;
  expect(await ingress.sql(moved, [recharge.id])).toHaveLength(1);
});

const newsTo: Partial<
  Record<(typeof states)[number], readonly ('submit' | 'accepted' | 'settled' | 'declined')[]>
> = {
  SUBMITTED: ['submit'],
  PENDING_CONFIRMATION: ['submit', 'accepted'],
  SUCCEEDED: ['submit', 'settled'],
  FAILED: ['submit', 'declined'],
};

test.each(states.filter((state) => newsTo[state]))('%s is too late to cancel', async (state) => {
  const recharge = await created(ingress, key);
  for (const news of newsTo[state]!)
    await ingress.domain.applyNews({ ...report, transactionId: recharge.id, news });
  expectProblem(await cancel(recharge.id), 409, 'INVALID_STATE');
  expect((await get(recharge.id)).body.state).toBe(state);
  expect(
    await ingress.sql('select from reconciliation_case where transaction_id = $1', [recharge.id]),
  ).toEqual([]);
});
