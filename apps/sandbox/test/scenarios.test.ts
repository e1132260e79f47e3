import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ScenarioName, scenarioNames } from '../src/machine/scenarios.js';
import { openRig, type Rig, until } from './support/rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ lateWebhookMs: 600, retryFirstMs: 50 });
});
afterAll(() => rig.close());

type Expected = Readonly<{
  /** The statuses of the successive submits. `none` stands for no answer. */
  answers: readonly (number | 'none')[];
  status: 'pending' | 'settled' | 'declined' | 'absent';
  amount?: number;
  webhooks: readonly string[];
}>;

const settled = { status: 'settled', webhooks: ['order.settled'] } as const;

const expected: Record<ScenarioName, Expected> = {
  ok: { answers: [201], ...settled },
  ok_no_webhook: { answers: [201], status: 'settled', webhooks: [] },
  declined: { answers: [201], status: 'declined', webhooks: ['order.declined'] },
  rejected: { answers: [422, 422, 422], status: 'absent', webhooks: [] },
  timeout_after_charge: { answers: ['none', 200], status: 'settled', webhooks: [] },
  timeout_before_charge: { answers: ['none', 201, 200], ...settled },
  server_error_then_ok: { answers: [503, 503, 201, 200], ...settled },
  server_error_after_charge: { answers: [500, 200], status: 'settled', webhooks: [] },
  rate_limited_then_ok: { answers: [429, 429, 201], ...settled },
  webhook_first: { answers: [201], ...settled },
  webhook_twice: { answers: [201], status: 'settled', webhooks: ['order.settled', 'order.settled'] },
  webhook_late: { answers: [201], ...settled },
  webhook_out_of_order: { answers: [201], status: 'settled', webhooks: ['order.settled', 'order.pending'] },
  wrong_amount: { answers: [201], ...settled, amount: 5000 },
  success_after_failure: { answers: [201], status: 'settled', webhooks: ['order.declined', 'order.settled'] },
  never_settles: { answers: [201], status: 'pending', webhooks: [] },
};

test.each(scenarioNames)('%s', async (scenario) => {
  const { answers, status, amount = 4999, webhooks } = expected[scenario];
  const reference = rig.newReference();
  const statuses = [];
  for (const answer of answers) {
    const limitMs = answer === 'none' ? 300 : 5_000;
    statuses.push((await rig.submit(reference, { scenario }, limitMs)).status);
  }
  expect(statuses).toEqual(answers);

  await until(async () => rig.receiver.of(reference).length >= webhooks.length);
  await until(async () => ((await rig.inspect(reference))[0]?.status ?? 'absent') === status);
  // A webhook is scheduled in the transaction of its event. None is pending now, so no more will come for this order.
  await until(() => rig.sandbox.counters.webhooks.pending === 0);
  expect(rig.receiver.of(reference).map(({ type }) => type)).toEqual(webhooks);

  const charges = status === 'settled' ? [{ amount, status: 'captured' }] : [];
  const orders = status === 'absent' ? [] : [expect.objectContaining({ reference, status, amount, charges })];
  expect(await rig.inspect(reference)).toEqual(orders);
  expect((await rig.query(reference)).body.orders).toEqual(orders);
});

test('the answer and the webhook contain the whole order', async () => {
  const reference = rig.newReference();
  const { body, headers } = await rig.submit(reference);
  expect(headers.get('idempotent-replayed')).toBeNull();
  expect(body).toEqual({
    id: expect.stringMatching(/^sbx_[0-9a-f]{32}$/),
    reference,
    accountId: 'acct-1001',
    amount: 4999,
    currency: 'USD',
    status: 'pending',
    code: null,
    message: null,
    charges: [],
    createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  await until(() => rig.receiver.of(reference).length === 1);
  expect(rig.receiver.of(reference)[0]?.order).toEqual({
    ...body,
    status: 'settled',
    charges: [{ amount: 4999, status: 'captured' }],
  });
});

test('a declined order has a code and a message', async () => {
  const reference = rig.newReference();
  await rig.submit(reference, { scenario: 'declined' });
  await until(() => rig.receiver.of(reference).length === 1);
  expect((await rig.query(reference)).body.orders[0]).toMatchObject({
    code: 'insufficient_funds',
    message: expect.any(String),
  });
});

test('refusals carry their codes and Retry-After', async () => {
  const unavailable = await rig.submit(rig.newReference(), { scenario: 'server_error_then_ok' });
  expect(unavailable.body.code).toBe('unavailable');
  const limited = await rig.submit(rig.newReference(), { scenario: 'rate_limited_then_ok' });
  expect([limited.body.code, limited.headers.get('retry-after')]).toEqual(['rate_limited', '1']);
  const rejected = await rig.submit(rig.newReference(), { scenario: 'rejected' });
  expect(rejected.body.code).toBe('invalid_parameter');
  const broken = await rig.submit(rig.newReference(), { scenario: 'server_error_after_charge' });
  expect(broken.body.code).toBe('internal_error');
});

test('webhook_first: the webhook arrives before the answer', async () => {
  const reference = rig.newReference();
  await rig.submit(reference, { scenario: 'webhook_first' });
  expect(rig.receiver.of(reference)).toHaveLength(1);
});

test('webhook_twice: both copies have one id and the same bytes', async () => {
  const reference = rig.newReference();
  await rig.submit(reference, { scenario: 'webhook_twice' });
  await until(() => rig.receiver.of(reference).length === 2);
  const [first, second] = rig.receiver.of(reference);
  expect([second?.id, second?.body]).toEqual([first?.id, first?.body]);
});

test('webhook_out_of_order: the second webhook has the earlier timestamp', async () => {
  const reference = rig.newReference();
  await rig.submit(reference, { scenario: 'webhook_out_of_order' });
  await until(() => rig.receiver.of(reference).length === 2);
  const [first, second] = rig.receiver.of(reference);
  expect(Date.parse(second!.timestamp)).toBeLessThan(Date.parse(first!.timestamp));
  expect([second!.order.status, second!.id === first!.id]).toEqual(['pending', false]);
});

test('webhook_late: the webhook arrives long after the order has settled', async () => {
  const reference = rig.newReference();
  await rig.submit(reference, { scenario: 'webhook_late' });
  await until(async () => (await rig.inspect(reference))[0].status === 'settled');
  expect(rig.receiver.of(reference)).toEqual([]);
  await until(() => rig.receiver.of(reference).length === 1);
  const [late] = rig.receiver.of(reference);
  expect(late!.atMs - Date.parse(late!.timestamp)).toBeGreaterThanOrEqual(590);
});

test('wrong_amount of the largest amount stays an exact integer', async () => {
  const reference = rig.newReference();
  await rig.submit(reference, { scenario: 'wrong_amount', amount: Number.MAX_SAFE_INTEGER });
  await until(() => rig.receiver.of(reference).length === 1);
  expect(rig.receiver.of(reference)[0]?.order.amount).toBe(Number.MAX_SAFE_INTEGER - 1);
  expect((await rig.submit(reference, { amount: Number.MAX_SAFE_INTEGER })).status).toBe(200);
});
