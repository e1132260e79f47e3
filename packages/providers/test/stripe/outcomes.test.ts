import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CollectProvider } from '../../src/contract/provider.js';
import { stripeProvider } from '../../src/stripe/provider.js';
import { anOrder, soon } from '../support/builders.js';
import { openScriptedServer, type Script, type ScriptedServer, says } from '../support/scripted-server.js';

let server: ScriptedServer;
let provider: CollectProvider;

beforeAll(async () => {
  server = await openScriptedServer();
  provider = stripeProvider({ secretKey: 'sk_test_1', apiBase: server.url });
});
afterAll(async () => {
  await provider.close();
  await server.close();
});

const intent = (changes: object = {}) => ({
  ...{ id: 'pi_1', object: 'payment_intent', amount: 4_999, amount_received: 0, currency: 'usd' },
  created: 1_700_000_000,
  ...{
    status: 'requires_payment_method',
    metadata: { transaction_id: 'rcg-1' },
    client_secret: 'pi_1_secret',
  },
  ...changes,
});
const failure = (fields: object) => ({ error: { type: 'invalid_request_error', message: 'm', ...fields } });
const submit = async (script: Script, limitMs?: number) => {
  server.play(script);
  return provider.orders.submit(anOrder(), soon(limitMs));
};

test('a request carries our id as key and in the metadata, and nothing that changes', async () => {
  await submit(says(200, intent()));
  const [first] = server.requests;
  await submit(says(200, intent()));
  const [second] = server.requests;
  expect(first).toMatchObject({
    method: 'POST',
    url: '/v1/payment_intents',
    headers: { 'idempotency-key': 'rcg-1', authorization: 'Bearer sk_test_1' },
  });
  expect(Object.fromEntries(new URLSearchParams(first!.body))).toEqual({
    amount: '4999',
    currency: 'usd',
    'payment_method_types[0]': 'card',
    'metadata[transaction_id]': 'rcg-1',
  });
  expect(second!.body).toBe(first!.body);
  expect(second!.headers['idempotency-key']).toBe('rcg-1');
});

test('an amount that Stripe cannot charge is rejected before anything is sent', async () => {
  server.play(says(200, intent()));
  const order = anOrder({ currency: 'MGA', amountMinor: 501n });
  expect((await provider.orders.submit(order, soon())).outcome).toMatchObject({ kind: 'rejected' });
  expect(server.requests).toEqual([]);
});

const facts = { providerOrderId: 'pi_1', accountId: null, amountMinor: 4_999n, currency: 'USD' };
const action = { type: 'client_secret', value: 'pi_1_secret', expiresAt: new Date(1_700_086_400_000) };
const unreadable = { kind: 'unknown', cause: 'unreadable' };
const serverError = { kind: 'unknown', cause: 'server_error' };

// Only an answer that never comes runs into its limit. The first call also loads the SDK, which takes long on a busy
// machine.
const limitOf = (name: string) => (name === 'silence' ? 500 : 30_000);

test.each<[string, Script, object]>([
  ['200', says(200, intent()), { kind: 'accepted', ...facts, action }],
  [
    '200 succeeded',
    says(200, intent({ status: 'succeeded', amount_received: 4_999 })),
    { kind: 'settled', ...facts },
  ],
  ['200 of another order', says(200, intent({ metadata: { transaction_id: 'rcg-2' } })), unreadable],
  ['200 with an unknown status', says(200, intent({ status: 'new' })), unreadable],
  ['200 that is no JSON', says(200, '<html>'), unreadable],
  [
    '400',
    says(400, failure({ code: 'amount_too_small' })),
    { kind: 'rejected', code: 'amount_too_small', message: 'm' },
  ],
  [
    '400 idempotency_error',
    says(400, failure({ type: 'idempotency_error' })),
    { ...unreadable, code: 'idempotency_error' },
  ],
  ['400 of a proxy', says(400, 'Bad Request'), unreadable],
  [
    '404',
    says(404, failure({ code: 'resource_missing' })),
    { kind: 'rejected', code: 'resource_missing', message: 'm' },
  ],
  ['401', says(401, failure({})), { kind: 'not_executed', cause: 'unavailable' }],
  ['403', says(403, failure({})), { kind: 'not_executed', cause: 'unavailable' }],
  [
    '402',
    says(402, failure({ type: 'card_error', code: 'card_declined' })),
    { ...unreadable, code: 'card_declined' },
  ],
  [
    '409',
    says(409, failure({ code: 'idempotency_key_in_use' })),
    { ...unreadable, code: 'idempotency_key_in_use' },
  ],
  [
    '429',
    says(429, failure({ code: 'rate_limit' }), { 'retry-after': '2' }),
    { kind: 'not_executed', cause: 'rate_limited', retryAfterMs: 2_000 },
  ],
  ['500', says(500, failure({ type: 'api_error' })), serverError],
  [
    '500 that asks for a retry',
    says(500, failure({ type: 'api_error' }), { 'stripe-should-retry': 'true' }),
    serverError,
  ],
  [
    '500 repeated under its key',
    says(500, failure({ type: 'api_error' }), { 'idempotent-replayed': 'true' }),
    { ...serverError, code: 'stored_error' },
  ],
  ['502 HTML', says(502, '<html>'), serverError],
  ['a reset', (response) => response.socket?.resetAndDestroy(), { kind: 'unknown', cause: 'disconnected' }],
  ['a closed connection', (response) => response.socket?.end(), { kind: 'unknown', cause: 'disconnected' }],
  ['silence', () => {}, { kind: 'unknown', cause: 'timeout' }],
])('%s: one request, and its outcome', async (name, script, outcome) => {
  expect((await submit(script, limitOf(name))).outcome).toEqual(outcome);
  expect(server.requests).toHaveLength(1);
});

test.each(['processing', 'requires_capture', 'requires_action', 'succeeded'])(
  'an intent that is %s is read and neither captured nor canceled: Stripe goes on by itself',
  async (status) => {
    server.play(says(200, intent({ status, amount_received: 4_999 })));
    const { outcome } = await provider.orders.find({ ...anOrder(), providerOrderId: 'pi_1' }, soon());
    expect(outcome).toMatchObject({ kind: 'found', status: status === 'succeeded' ? 'settled' : 'pending' });
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1/payment_intents/pi_1',
    ]);
  },
);

test('a cancel of a payment that succeeded is answered with the payment, and cancels nothing', async () => {
  server.play(says(200, intent({ status: 'succeeded', amount_received: 4_999 })));
  const { outcome } = await provider.cancels.cancel({ ...anOrder(), providerOrderId: 'pi_1' }, soon());
  expect(outcome).toMatchObject({ kind: 'settled', amountMinor: 4_999n });
  expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
});

test('a refund carries its own id as key and in the metadata, each time the same', async () => {
  const refund = {
    ...{ reference: 'rfd-1', accountId: 'acct-1', amountMinor: 2_000n, currency: 'USD' },
    ...{ of: { reference: 'rcg-1', providerOrderId: 'pi_1' }, notifyUrl: '', metadata: { scenario: 'x' } },
  };
  const sent = [];
  for (let repeat = 0; repeat < 2; repeat++) {
    server.play(says(500, failure({ type: 'api_error' })));
    await provider.refunds.submit(refund, soon());
    sent.push([server.requests[0]!.headers['idempotency-key'], server.requests[0]!.body]);
  }
  const body = 'payment_intent=pi_1&amount=2000&metadata[transaction_id]=rfd-1';
  expect(sent.map(([key, text]) => [key, decodeURIComponent(String(text))])).toEqual([
    ['rfd-1', body],
    ['rfd-1', body],
  ]);
});

test('a refund of a payment whose id is not known is never sent, so it is not pending', async () => {
  server.play(says(200, {}));
  const of = { reference: 'rcg-1', providerOrderId: null };
  const refund = { ...anOrder(), reference: 'rfd-1', of };
  expect((await provider.refunds.submit(refund, soon())).outcome).toMatchObject({ kind: 'rejected' });
  expect((await provider.refunds.find(refund, soon())).outcome).toEqual({ kind: 'absent' });
  expect(server.requests).toEqual([]);
});

test('a host that cannot be reached executes nothing', async () => {
  const closed = await openScriptedServer();
  const unreachable = stripeProvider({ secretKey: 'sk_test_1', apiBase: closed.url });
  await closed.close();
  const { outcome } = await unreachable.orders.submit(anOrder(), soon());
  expect(outcome).toEqual({ kind: 'not_executed', cause: 'unreachable' });
  await unreachable.close();
});
