import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, expect, test } from '@jest/globals';
import { sandboxProvider } from '../../src/sandbox/provider.js';
import { aSandboxOrder, aSettledOrder } from '../support/builders.js';

const now = new Date('2026-11-22T12:00:00Z');
const key = randomBytes(32);
const baseUrl = 'http://127.0.0.1:1';
const provider = sandboxProvider({ baseUrl, webhookSecret: `whsec_${key.toString('base64')}` });

afterAll(() => provider.close());

const event = (changes: Record<string, unknown> = {}) =>
  JSON.stringify({
    type: 'order.settled',
    timestamp: now.toISOString(),
    data: aSettledOrder(),
    ...changes,
  });
const verify = (body: string) => {
  const timestamp = String(now.getTime() / 1_000);
  const signature = createHmac('sha256', key).update(`evt_1.${timestamp}.${body}`).digest('base64');
  const headers = {
    'webhook-id': 'evt_1',
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
  return provider.webhooks!.verify(Buffer.from(body), headers, now);
};

const read = (body: string) => provider.webhooks!.read(Buffer.from(body));

test('a signed event is reduced to the fields that the domain needs', () => {
  const order = {
    kind: 'order',
    reference: 'rcg-1',
    providerOrderId: 'sbx_1',
    accountId: 'acct-1',
    status: 'settled',
    amountMinor: 4_999n,
    currency: 'USD',
    saidAt: now,
  };
  expect(verify(event())).toEqual({ ok: true, eventId: 'evt_1' });
  expect(read(event())).toEqual(order);
});

const unread = (changes: object = {}) => ({
  kind: 'unread',
  type: 'order.settled',
  reference: 'rcg-1',
  providerOrderId: 'sbx_1',
  ...changes,
});
const aFuture = (type: string, data: unknown) => JSON.stringify({ id: 'evt_1', type, data });

test.each([
  ['an unknown type', event({ type: 'order.vanished' }), unread({ type: 'order.vanished' })],
  ['a type that contradicts its order', event({ data: aSandboxOrder() }), unread()],
  ['a settled order without a charge', event({ data: aSettledOrder({ charges: [] }) }), unread()],
  ['an amount as text', event({ data: aSettledOrder({ amount: '4999' }) }), unread()],
  ['missing charges', event({ data: aSettledOrder({ charges: undefined }) }), unread()],
  ['an account of 300 characters', event({ data: aSettledOrder({ accountId: 'a'.repeat(300) }) }), unread()],
  [
    'an order id with a NUL character',
    event({ data: aSettledOrder({ id: 'a\0' }) }),
    unread({ providerOrderId: null }),
  ],
  [
    'a nested order',
    aFuture('refund.made', { id: 're_1', order: aSandboxOrder() }),
    unread({ type: 'refund.made', providerOrderId: 're_1' }),
  ],
  [
    'orders of one reference',
    aFuture('x', { orders: [{ reference: 'a' }, { reference: 'a' }] }),
    unread({ type: 'x', reference: 'a', providerOrderId: null }),
  ],
  [
    'orders of several references',
    aFuture('x', [{ reference: 'a' }, { reference: 'b' }]),
    unread({ type: 'x', reference: null, providerOrderId: null }),
  ],
  [
    'a reference that is not text',
    aFuture('x', { reference: {} }),
    unread({ type: 'x', reference: null, providerOrderId: null }),
  ],
  ['no type', JSON.stringify({ data: aSettledOrder() }), unread({ type: null })],
  [
    'a declined order with money',
    event({ type: 'order.declined', data: aSettledOrder({ status: 'declined' }) }),
    unread({ type: 'order.declined' }),
  ],
  [
    'a fully refunded order',
    event({
      data: aSettledOrder({
        charges: [
          { amount: 4_999, status: 'captured' },
          { amount: 4_999, status: 'refunded' },
        ],
      }),
    }),
    unread(),
  ],
])('a signed event with %s is verified, and its ids are read', (_name, body, expected) => {
  expect(verify(body)).toEqual({ ok: true, eventId: 'evt_1' });
  expect(read(body)).toEqual(expected);
});

test('a ping is ignored', () => {
  expect(read(aFuture('ping', { reference: 'rcg-1' }))).toEqual({ kind: 'ignored', type: 'ping' });
});

const charge = (amount: number, status = 'captured') => ({ amount, status });

test.each([
  ['one charge', [charge(4_999)], 4_999n, false],
  ['a charge and a refund', [charge(4_999), charge(1_000, 'refunded')], 3_999n, true],
  ['two charges of the whole amount', [charge(4_999), charge(4_999)], 9_998n, true],
  ['two charges of a part', [charge(2_000), charge(2_999)], 4_999n, true],
  ['a charge of an unknown kind', [charge(4_999), charge(4_999, 'disputed')], 4_999n, true],
])(
  'the amount of a settled order is its captures less its refunds: %s',
  (_what, charges, amountMinor, isPartlyRead) => {
    const { isPartlyRead: partly = false, ...order } = Object(
      read(event({ data: aSettledOrder({ charges }) })),
    );
    expect(order).toMatchObject({ kind: 'order', status: 'settled', amountMinor });
    expect(partly).toBe(isPartlyRead);
  },
);

test('a pending order with a charge is partly read', () => {
  const data = aSandboxOrder({ charges: [charge(10)] });
  expect(read(event({ type: 'order.pending', data }))).toMatchObject({
    isPartlyRead: true,
    amountMinor: 4_999n,
  });
});

test('without a secret every webhook is refused', async () => {
  const keyless = sandboxProvider({ baseUrl });
  const headers = { 'webhook-id': 'a', 'webhook-timestamp': '1', 'webhook-signature': 'v1,' };
  expect(keyless.webhooks!.verify(Buffer.from(event()), headers, now)).toEqual({
    ok: false,
    refusal: 'bad_signature',
  });
  await keyless.close();
});
