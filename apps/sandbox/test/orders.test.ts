import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openRig, type Rig, until } from './support/rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

function counted(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

test('a hundred parallel submits of one reference create one order and one charge', async () => {
  const reference = rig.newReference();
  const answers = await Promise.all(Array.from({ length: 100 }, () => rig.submit(reference, {}, 60_000)));
  expect(counted(answers.map(({ status }) => status))).toEqual({ 200: 99, 201: 1 });
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(99);
  await until(() => rig.receiver.of(reference).length > 0);
  const orders = await rig.inspect(reference);
  expect([orders.length, orders[0].charges.length]).toEqual([1, 1]);
});

test('parallel submits get exactly the refusals of the scenario', async () => {
  const reference = rig.newReference();
  const submits = Array.from({ length: 40 }, () =>
    rig.submit(reference, { scenario: 'server_error_then_ok' }),
  );
  const answers = await Promise.all(submits);
  expect(counted(answers.map(({ status }) => status))).toEqual({ 503: 2, 201: 1, 200: 37 });
});

test('parallel submits create one order, even if the first caller gets no answer', async () => {
  const reference = rig.newReference();
  const submits = Array.from({ length: 20 }, () =>
    rig.submit(reference, { scenario: 'timeout_after_charge' }, 1_500),
  );
  expect(counted((await Promise.all(submits)).map(({ status }) => status))).toEqual({ none: 1, 200: 19 });
  expect((await rig.inspect(reference))[0].charges).toHaveLength(1);
});

test.each([{ amount: 5000 }, { currency: 'EUR' }, { accountId: 'acct-2' }])(
  'a repeated reference with %j is refused',
  async (other) => {
    const reference = rig.newReference();
    await rig.submit(reference);
    const { status, body } = await rig.submit(reference, other);
    expect([status, body.code]).toEqual([409, 'reference_reused']);
  },
);

test('after wrong_amount has settled, a repeat with the ordered amount is still a replay', async () => {
  const reference = rig.newReference();
  await rig.submit(reference, { scenario: 'wrong_amount' });
  await until(async () => (await rig.inspect(reference))[0].status === 'settled');
  const { status, body } = await rig.submit(reference, { scenario: 'wrong_amount' });
  expect([status, body.amount]).toEqual([200, 5000]);
});

test.each([
  { amount: 0 },
  { amount: -1 },
  { amount: 1.5 },
  { amount: '4999' },
  { amount: 2 ** 53 },
  { amount: null },
  { currency: 'usd' },
  { currency: undefined },
  { accountId: '' },
  { scenario: 'no_such_thing' },
  { scenario: 'toString' },
  { notifyUrl: 'file:///etc/passwd' },
  { reference: 'another-one' },
  { reference: 'with space' },
  { reference: 'x'.repeat(129) },
])('%j is refused and creates no order', async (wrong) => {
  const reference = rig.newReference();
  const { status, body } = await rig.submit(reference, wrong);
  expect([status, body.code, typeof body.message]).toEqual([422, 'invalid_parameter', 'string']);
  expect(await rig.inspect(reference)).toEqual([]);
});

test('a missing key, a malformed body, a large body and an unknown path have different errors', async () => {
  const reference = rig.newReference();
  const json = rig.body(reference);
  expect((await rig.call('POST', '/v1/orders', { json })).status).toBe(422);
  expect((await rig.call('POST', '/v1/orders', { text: '{"reference":' })).body.code).toBe('malformed_body');
  const large = await rig.call('POST', '/v1/orders', { json: { ...json, note: 'x'.repeat(70_000) } });
  expect([large.status, large.body.code]).toEqual([413, 'too_large']);
  expect((await rig.call('GET', '/v1/refunds')).status).toBe(404);
  expect((await rig.call('GET', '/v1/orders')).status).toBe(422);
  expect(await rig.inspect(reference)).toEqual([]);
});

test('an absent order is an empty list', async () => {
  const { status, body } = await rig.query('nobody-ever-sent-this');
  expect([status, body]).toEqual([200, { orders: [] }]);
});

test('without a notify URL no webhook is sent', async () => {
  const reference = rig.newReference();
  await rig.submit(reference, { notifyUrl: undefined });
  await until(async () => (await rig.inspect(reference))[0].status === 'settled');
  expect([rig.receiver.of(reference), rig.sandbox.counters.webhooks.abandoned]).toEqual([[], 0]);
});
