import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Answer, type Ingress, openIngress, storedRows, webhookKey } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;

beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

const anEvent = (changes = {}): string =>
  JSON.stringify({
    type: 'order.settled',
    data: {
      id: 'sbx_1',
      reference: randomUUID(),
      accountId: 'acct-1',
      amount: 4999,
      currency: 'USD',
      status: 'settled',
      code: null,
      message: null,
      charges: [{ amount: 4999, status: 'captured' }],
      ...changes,
    },
  });

const nowSeconds = () => Math.floor(Date.now() / 1_000);
type Signing = Readonly<{ id?: string; timestamp?: number; key?: Buffer }>;

/** The headers of Standard Webhooks 1.0.0 for these bytes. */
function signed(
  body: string | Buffer,
  { id = `msg_${randomUUID()}`, timestamp = nowSeconds(), key }: Signing = {},
) {
  const signature = createHmac('sha256', key ?? webhookKey)
    .update(`${id}.${timestamp}.`)
    .update(body)
    .digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  };
}

const deliver = (body: string | Buffer, headers: Readonly<Record<string, string>>, provider = 'sandbox') =>
  ingress.call('POST', `/webhooks/${provider}`, { body, headers });
const storedAs = (eventId: string) =>
  ingress.sql('select * from webhook_event where event_id = $1', [eventId]);

function expectTaken({ status, headers, text }: Answer): void {
  expect([status, text]).toEqual([200, '{"received":true}']);
  expect(headers.get('content-type')).toBe('application/json');
}

async function expectRefused(sent: Promise<Answer>, status: number, code: string): Promise<void> {
  const hints = ingress.hints.length;
  expectProblem(await sent, status, code);
  expect(await storedRows(ingress)).toBe(rows);
  expect(ingress.hints).toHaveLength(hints);
}
let rows = 0;

test('a signed event is stored byte for byte, hinted and acknowledged', async () => {
  const body = `  ${anEvent({ message: 'caf\\u00e9 é' })}\n`;
  const headers = signed(body);
  const answer = await deliver(body, { ...headers, 'content-type': 'text/plain' });
  expectTaken(answer);
  const [row] = await storedAs(headers['webhook-id']);
  expect(row).toMatchObject({
    provider: 'sandbox',
    raw_body: Buffer.from(body),
    processed_at: null,
    due_at: expect.any(Date),
    correlation_id: answer.headers.get('x-correlation-id'),
  });
  expect(ingress.hints.at(-1)).toEqual({ queue: 'webhooks', ids: [row!.id] });
});

test('an event of an unknown order is stored, too', async () => {
  const body = anEvent({ reference: 'not-of-ours' });
  const headers = signed(body);
  expectTaken(await deliver(body, headers));
  expect(await storedAs(headers['webhook-id'])).toHaveLength(1);
});

test('a repeated event is acknowledged and hinted again, and stored once', async () => {
  const body = anEvent();
  const headers = signed(body);
  const answers = await Promise.all(Array.from({ length: 50 }, () => deliver(body, headers)));
  for (const answer of answers) expectTaken(answer);
  const later = signed(body, { id: headers['webhook-id'], timestamp: nowSeconds() - 60 });
  expectTaken(await deliver(body, later));
  const kept = await storedAs(headers['webhook-id']);
  expect(kept).toHaveLength(1);
  expect(ingress.hints.filter(({ ids }) => ids[0] === kept[0]!.id)).toHaveLength(51);
  expect(await ingress.sql('select from reconciliation_case')).toEqual([]);
});

test('the same event with another body changes nothing and opens a case', async () => {
  const first = anEvent();
  const headers = signed(first);
  expectTaken(await deliver(first, headers));
  const second = anEvent({ amount: 1, charges: [{ amount: 1, status: 'captured' }] });
  for (const _ of [1, 2]) expectTaken(await deliver(second, signed(second, { id: headers['webhook-id'] })));
  const kept = await storedAs(headers['webhook-id']);
  expect(kept.map(({ raw_body }) => String(raw_body))).toEqual([first]);
  const cases = await ingress.sql('select kind, subject, closed_at from reconciliation_case');
  expect(cases).toEqual([
    { kind: 'event_changed', subject: `sandbox:${headers['webhook-id']}`, closed_at: null },
  ]);
});

test.each([-299, 300])('an event whose timestamp is %d s from now is accepted', async (offset) => {
  const body = anEvent();
  expectTaken(await deliver(body, signed(body, { timestamp: nowSeconds() + offset })));
});

test.each([
  // A time 301 s ahead would be inside the window a second later.
  ['301 s old', -301],
  ['305 s ahead', 305],
  ['in milliseconds', nowSeconds() * 999],
])('an event whose timestamp is %s is refused', async (_what, offset) => {
  rows = await storedRows(ingress);
  const body = anEvent();
  const headers = signed(body, { timestamp: nowSeconds() + offset });
  await expectRefused(deliver(body, headers), 401, 'UNAUTHENTICATED');
});

const body = anEvent();
const good = signed(body, { id: 'msg_good' });
const hexOf = (headers: typeof good): string =>
  Buffer.from(headers['webhook-signature'].slice('v1,'.length), 'base64').toString('hex');
/** An event whose signature differs between base64 and base64url. */
const plus = Array.from({ length: 50 }, (_, n) => signed(body, { id: `msg_${n}` })).find((headers) =>
  /[+/]/.test(headers['webhook-signature']),
)!;
const other = signed(anEvent(), { id: 'msg_other' });

test.each([
  ['by nobody', {}],
  ['with another secret', signed(body, { key: Buffer.alloc(32, 8) })],
  ['for other bytes', { ...good, 'webhook-signature': other['webhook-signature'] }],
  ['for another id', { ...good, 'webhook-id': 'msg_evil' }],
  ['for another time', { ...good, 'webhook-timestamp': String(Number(good['webhook-timestamp']) - 1) }],
  ['with an empty signature', { ...good, 'webhook-signature': '' }],
  ['with no more than v1,', { ...good, 'webhook-signature': 'v1,' }],
  ['too short', { ...good, 'webhook-signature': good['webhook-signature'].slice(0, 20) }],
  ['too long', { ...good, 'webhook-signature': `${good['webhook-signature']}AAAA` }],
  ['in hex', { ...good, 'webhook-signature': `v1,${hexOf(good)}` }],
  ['in capital hex', { ...good, 'webhook-signature': `v1,${hexOf(good).toUpperCase()}` }],
  [
    'in base64url',
    { ...plus, 'webhook-signature': plus['webhook-signature'].replace(/\+/g, '-').replace(/\//g, '_') },
  ],
  ['a thousand times, always wrong', { ...good, 'webhook-signature': 'v1,AAAA '.repeat(1_000).trim() }],
  ['with a dot in its id', signed(body, { id: 'msg.dot' })],
  ['with a time that is none', { ...good, 'webhook-timestamp': 'now' }],
])('an event signed %s is refused and not stored', async (_how, headers) => {
  rows = await storedRows(ingress);
  await expectRefused(deliver(body, headers), 401, 'UNAUTHENTICATED');
});

test('during a rotation both secrets are accepted, afterwards only the new one', async () => {
  const old = Buffer.alloc(32, 6);
  const rotating = await openIngress({ webhookKeys: [webhookKey, old] });
  const post = (at: Ingress, id: string) =>
    at.call('POST', '/webhooks/sandbox', { body, headers: signed(body, { id, key: old }) });
  expectTaken(await post(rotating, 'msg_old'));
  expectProblem(await post(ingress, 'msg_old'), 401, 'UNAUTHENTICATED');
  await rotating.close();
});

test('an event with a changed byte is refused', async () => {
  rows = await storedRows(ingress);
  await expectRefused(deliver(body.replace('4999', '4998'), good), 401, 'UNAUTHENTICATED');
});

test.each([
  '',
  'null',
  '{}',
  '[',
  'not JSON',
  '{"type":"order.settled"}',
  body.replace('order.settled', 'order.pending'),
])('a signed body that is not an event is stored, too: %s', async (text) => {
  rows = await storedRows(ingress);
  expectTaken(await deliver(text, signed(text)));
  expect(await storedRows(ingress)).not.toEqual(rows);
});

test.each(['stripe', 'Sandbox', '__proto__', 'constructor', 'sandbox%00', 'sandbox%2F'])(
  'the unknown provider %s is 404',
  async (provider) => {
    rows = await storedRows(ingress);
    await expectRefused(deliver(body, good, provider), 404, 'NOT_FOUND');
  },
);

test('a body of 256 kB is read, a longer or compressed one is refused', async () => {
  rows = await storedRows(ingress);
  const filled = (size: number) => body.padEnd(size, ' ');
  await expectRefused(deliver(filled(262_145), signed(filled(262_145))), 413, 'INVALID_ARGUMENT');
  await expectRefused(deliver('x'.repeat(10_000_000), good), 413, 'INVALID_ARGUMENT');
  await expectRefused(deliver(body, { ...good, 'content-encoding': 'gzip' }), 415, 'INVALID_ARGUMENT');
  expectTaken(await deliver(filled(262_144), signed(filled(262_144))));
});

test('webhooks accept POST only', async () => {
  for (const method of ['GET', 'PUT', 'DELETE'])
    expectProblem(
      await ingress.call(method, '/webhooks/sandbox', { headers: good }),
      405,
      'INVALID_ARGUMENT',
    );
});

test('a refused event is logged without its signature and its body', () => {
  const refused = ingress.logged.filter(({ message }) => message === 'webhook refused');
  expect(new Set(refused.map(({ refusal }) => refusal))).toEqual(
    new Set(['bad_signature', 'outside_window']),
  );
  expect(JSON.stringify(ingress.logged)).not.toMatch(/v1,|acct-1|sbx_1/);
});
