import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Order, Provider } from '@replenish/providers';
import { Cloud } from '../alibaba-cloud/support/cloud.js';
import { until } from '../support/rig.js';
import { type Bench, benches } from './benches.js';
import { type Answer, openScript, type ScriptedProvider, says } from './script.js';

const cloud = new Cloud();
let server: ScriptedProvider;
let elsewhere: ScriptedProvider;
beforeAll(async () => {
  await cloud.start();
  server = await openScript();
  elsewhere = await openScript();
});
afterAll(async () => {
  await Promise.all([cloud.close(), server.close(), elsewhere.close()]);
});

const FOREVER_S = '99999999999';
const redirect =
  (status: number): Answer =>
  (response) =>
    says(status, '{"RequestId":"R"}', { location: elsewhere.url })(response);

/** Answers that say nothing about an order. */
const malformed: readonly (readonly [what: string, answer: Answer])[] = [
  ['200 with HTML', says(200, '<html><body>Welcome</body></html>', { 'content-type': 'text/html' })],
  ['200 with nothing', says(200, '')],
  ['200 with truncated JSON', says(200, '{"RequestId":"R","id":"pi_1","Data":[{"am')],
  ...['{}', '[]', 'null', '"text"', '7', '{"data":null}', '{"orders":{}}', '{"Success":"maybe"}'].map(
    (body) => [`200 with ${body}`, says(200, body)] as const,
  ),
  ['200 with bytes that are no text', (response) => response.writeHead(200).end(Buffer.from([0xff, 0xfe]))],
  [
    '200 that breaks off',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"RequestId"', () => response.socket?.destroy());
    },
  ],
  ['201 with nothing', says(201, '')],
  ['204', (response) => response.writeHead(204).end()],
  ...[301, 302, 307, 308].map((status) => [`${status} to another host`, redirect(status)] as const),
  [
    '500 with JSON',
    says(500, '{"Code":"InternalError","Message":"m","code":"internal_error","error":{"type":"api_error"}}'),
  ],
  ['500 with HTML', says(500, '<html>', { 'content-type': 'text/html' })],
  ['502 with nothing', says(502, '')],
  ['503 with a huge Retry-After', says(503, '{}', { 'retry-after': FOREVER_S })],
  ['a reset connection', (response) => response.socket?.resetAndDestroy()],
  ['a closed connection', (response) => response.socket?.end()],
];

/** Answers that say to come back later. A provider may read them as executing nothing. */
const busy: readonly (readonly [what: string, answer: Answer])[] = [
  ['429 without Retry-After', says(429, '{}')],
  ['429 with HTML', says(429, '<html>', { 'content-type': 'text/html' })],
  [
    '429 with a huge Retry-After',
    says(429, '{}', { 'retry-after': FOREVER_S, 'x-acs-retry-after': FOREVER_S }),
  ],
  ['429 with a Retry-After that is no number', says(429, '{}', { 'retry-after': 'soon' })],
];

// The longest wait that a provider may ask for.
const RETRY_AFTER_MAX_MS = 60_000;

// The time limit of a call. No answer of these tests takes long.
const LIMIT_MS = 30_000;

const submits = () => ({ firstStartedAt: new Date(), lastEndedAt: new Date() });

type Calls = Readonly<Record<string, (signal: AbortSignal) => Promise<{ outcome: { kind: string } }>>>;

/** Every call that a provider offers, each of an order or a refund that exists. */
function callsOf({ orders, cancels, refunds }: Provider, order: Order, looksUp: boolean): Calls {
  const sought = { ...order, providerOrderId: 'pi_1', submits: submits() };
  const refund = { ...sought, of: { reference: 'rcg-1', providerOrderId: 'pi_1' } };
  return {
    submit: (signal) => orders.submit(order, signal),
    ...(looksUp && {
      find: (signal) => orders.find(sought, signal),
      'find without an id': (signal) => orders.find({ ...sought, providerOrderId: null }, signal),
    }),
    ...(cancels && { cancel: (signal) => cancels.cancel(sought, signal) }),
    ...(refunds && { refund: (signal) => refunds.submit(refund, signal) }),
    ...(refunds && looksUp && { 'find a refund': (signal) => refunds.find(refund, signal) }),
  };
}

describe.each(benches)('$name', (bench: Bench) => {
  let provider: Provider;
  let calls: Calls;
  beforeAll(async () => {
    provider = bench.open(cloud, server.url);
    calls = callsOf(provider, await bench.order(cloud), bench.looksUp);
  });
  beforeEach(() => elsewhere.play(says(200, '{}')));
  afterAll(() => provider.close());

  /** The outcome of every call, with the number of its requests. */
  async function outcomesOf(answer: Answer) {
    const outcomes: Record<string, unknown> = {};
    for (const [name, call] of Object.entries(calls)) {
      server.play(answer);
      const { outcome } = await call(AbortSignal.timeout(LIMIT_MS));
      outcomes[name] = { ...outcome, requests: server.requests.length };
    }
    return outcomes;
  }
  const isRead = (bench.requestsPerSubmit ?? 1) > 1;
  /** A submit that reads first is not sent after a malformed answer to that read. */
  const each = (unknown: object, unsent: object) =>
    Object.fromEntries(
      Object.keys(calls).map((name) => [name, name === 'submit' && isRead ? unsent : unknown]),
    );

  test.each(malformed)('%s: every call is one request, and unknown', async (_what, answer) => {
    const one = (kind: string) => expect.objectContaining({ kind, requests: 1 });
    expect(await outcomesOf(answer)).toEqual(each(one('unknown'), one('not_executed')));
    expect(elsewhere.requests).toEqual([]);
  });

  test.each(busy)(
    '%s: every call is one request, and waits for a bounded time at most',
    async (_what, answer) => {
      for (const [name, outcome] of Object.entries(await outcomesOf(answer))) {
        const { kind, cause, retryAfterMs = 0, requests } = Object(outcome);
        const isUnsent =
          kind === 'not_executed' && (cause === 'rate_limited' || (name === 'submit' && isRead));
        const isKnown = kind === 'unknown' || isUnsent;
        expect([name, isKnown, requests]).toEqual([name, true, 1]);
        expect(retryAfterMs).toBeGreaterThanOrEqual(0);
        expect(retryAfterMs).toBeLessThanOrEqual(RETRY_AFTER_MAX_MS);
      }
    },
  );

  test('silence: every call ends with its signal, and is unknown', async () => {
    for (const [name, call] of Object.entries(calls)) {
      server.play(() => {});
      const giveUp = new AbortController();
      const ending = call(giveUp.signal);
      await until(() => server.requests.length === 1);
      giveUp.abort();
      const kind = name === 'submit' && isRead ? 'not_executed' : 'unknown';
      expect((await ending).outcome).toMatchObject({ kind });
      expect(server.requests).toHaveLength(1);
    }
  });
});
