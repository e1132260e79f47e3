import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, expect, test } from '@jest/globals';
import { sandboxProvider } from '../src/sandbox/provider.js';
import { aSandboxOrder, aSettledOrder } from './builders.js';

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
  return provider.verifyWebhook(Buffer.from(body), headers, now);
};

test('a signed event is reduced to what the domain needs', () => {
  const read = {
    eventId: 'evt_1',
    reference: 'rcg-1',
    providerOrderId: 'sbx_1',
    accountId: 'acct-1',
    status: 'settled',
    amountMinor: 4_999n,
    currency: 'USD',
  };
  expect(verify(event())).toEqual({ ok: true, eventId: 'evt_1' });
  expect(provider.readEvent('evt_1', Buffer.from(event()))).toEqual(read);
});

test.each([
  ['no JSON', 'hello'],
  ['no event', '{}'],
  ['an unknown type', event({ type: 'order.vanished' })],
  ['a type that contradicts its order', event({ data: aSandboxOrder() })],
  ['settled without a charge', event({ data: aSettledOrder({ charges: [] }) })],
  ['an amount as text', event({ data: aSettledOrder({ amount: '4999' }) })],
])('signed, but %s: kept, and no event', (_name, body) => {
  expect(verify(body)).toEqual({ ok: true, eventId: 'evt_1' });
  expect(provider.readEvent('evt_1', Buffer.from(body))).toBeNull();
});

test('without a secret every webhook is refused', async () => {
  const keyless = sandboxProvider({ baseUrl });
  const headers = { 'webhook-id': 'a', 'webhook-timestamp': '1', 'webhook-signature': 'v1,' };
  expect(keyless.verifyWebhook(Buffer.from(event()), headers, now)).toEqual({
    ok: false,
    refusal: 'bad_signature',
  });
  await keyless.close();
});
