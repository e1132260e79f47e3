import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Provider } from '../../src/contract/provider.js';
import { sandboxProvider } from '../../src/sandbox/provider.js';
import { retryAfterMsOf } from '../../src/transport/http.js';
import { anOrder, aSandboxOrder, aSettledOrder, soon } from '../support/builders.js';
import { openScriptedServer, type Script, type ScriptedServer, says } from '../support/scripted-server.js';

const now = new Date('2026-11-22T12:00:00Z');
let server: ScriptedServer;
let provider: Provider;

beforeAll(async () => {
  server = await openScriptedServer();
  provider = sandboxProvider({ baseUrl: `${server.url}/base/`, now: () => now });
});
afterAll(async () => {
  await provider.close();
  await server.close();
});

const submit = async (script: Script) => {
  server.play(script);
  return provider.orders.submit(anOrder(), soon());
};
const query = async (script: Script) => {
  server.play(script);
  return provider.orders.find(anOrder(), soon());
};

test('requests follow the protocol of the sandbox', async () => {
  server.play(says(201, aSandboxOrder()));
  await provider.orders.submit(
    anOrder({ metadata: { scenario: 'webhook_twice', other: 'stays here' } }),
    soon(),
  );
  await provider.orders.find(anOrder(), soon());
  const [post, get] = server.requests;
  expect(post).toMatchObject({ method: 'POST', url: '/base/v1/orders' });
  expect(post?.headers).toMatchObject({ 'idempotency-key': 'rcg-1', 'content-type': 'application/json' });
  expect(JSON.parse(post?.body ?? '')).toEqual({
    reference: 'rcg-1',
    accountId: 'acct-1',
    amount: 4_999,
    currency: 'USD',
    paymentMethod: 'sandbox',
    notifyUrl: 'http://127.0.0.1:8080/webhooks/sandbox',
    scenario: 'webhook_twice',
  });
  expect(get).toMatchObject({ method: 'GET', url: '/base/v1/orders?reference=rcg-1' });
});

test('an amount that JSON cannot represent throws, and nothing is sent', async () => {
  server.play(says(201, aSandboxOrder()));
  await expect(provider.orders.submit(anOrder({ amountMinor: 2n ** 53n }), soon())).rejects.toThrow(
    RangeError,
  );
  expect(server.requests).toEqual([]);
});

const unreadable = { kind: 'unknown', cause: 'unreadable' };
const serverError = { kind: 'unknown', cause: 'server_error' };
const endless: Script = (response) => {
  response.writeHead(200);
  const timer = setInterval(() => response.write('1'), 20);
  response.on('close', () => clearInterval(timer));
};
const huge: Script = (response) => {
  response.writeHead(200);
  const megabyte = 'x'.repeat(1_000_000);
  const more = () => {
    while (!response.destroyed && response.write(megabyte));
  };
  response.on('drain', more);
  more();
};
const cutShort: Script = (response) => {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"id":', () => response.socket?.destroy());
};

const facts = { providerOrderId: 'sbx_1', accountId: 'acct-1', amountMinor: 4_999n, currency: 'USD' };

describe('answers to a submit', () => {
  test.each([
    ['201 pending', says(201, aSandboxOrder()), { kind: 'accepted', ...facts }],
    ['200 replayed', says(200, aSandboxOrder()), { kind: 'accepted', ...facts }],
    ['200 settled', says(200, aSettledOrder()), { kind: 'settled', ...facts }],
    [
      'settled with another amount',
      says(200, aSettledOrder({ charges: [{ amount: 5_000, status: 'captured' }] })),
      { kind: 'settled', ...facts, amountMinor: 5_000n },
    ],
    [
      'settled by two charges',
      says(200, aSettledOrder({ charges: Array(2).fill({ amount: 4_999, status: 'captured' }) })),
      { kind: 'settled', ...facts, amountMinor: 9_998n, isPartlyRead: true },
    ],
    ['settled without a charge', says(200, aSettledOrder({ charges: [] })), unreadable],
    [
      'declined',
      says(201, aSandboxOrder({ status: 'declined', code: 'insufficient_funds', message: 'a\u0000\ud800b' })),
      { kind: 'rejected', code: 'insufficient_funds', message: 'a  b' },
    ],
    [
      'canceled',
      says(201, aSandboxOrder({ status: 'canceled' })),
      { kind: 'rejected', code: 'canceled', message: '' },
    ],
    [
      '422 with a code',
      says(422, { code: 'invalid_parameter', message: 'bad currency' }),
      { kind: 'rejected', code: 'invalid_parameter', message: 'bad currency' },
    ],
    ['422 without a code', says(422, { message: 'bad currency' }), unreadable],
    ['409', says(409, { code: 'reference_reused' }), { ...unreadable, code: 'reference_reused' }],
    ['400', says(400, 'Bad Request'), unreadable],
    ['404', says(404, '<h1>Not found</h1>'), unreadable],
    ['408', says(408, ''), unreadable],
    ['302, not followed', says(302, '', { location: '/elsewhere' }), unreadable],
    ['202, not in the protocol', says(202, aSandboxOrder()), unreadable],
    ['200 with HTML', says(200, '<html><body>maintenance</body></html>'), unreadable],
    ['200 empty', says(200, ''), unreadable],
    ['200 truncated JSON', says(200, JSON.stringify(aSandboxOrder()).slice(0, -9)), unreadable],
    ['200 null', says(200, 'null'), unreadable],
    ['200 wrong schema', says(200, { ok: true }), unreadable],
    ['200 unknown status', says(200, aSandboxOrder({ status: 'done' })), unreadable],
    ['200 amount as text', says(200, aSettledOrder({ amount: '4,999' })), unreadable],
    ['200 charge as text', says(200, aSettledOrder({ charges: [{ amount: '49.99' }] })), unreadable],
    ['200 amount 0', says(200, aSandboxOrder({ amount: 0 })), unreadable],
    ['200 amount beyond 2^53', says(200, aSandboxOrder({ amount: 2 ** 53 })), unreadable],
    ['200 another reference', says(200, aSettledOrder({ reference: 'rcg-2' })), unreadable],
    [
      'settled on another account',
      says(200, aSettledOrder({ accountId: 'acct-2' })),
      { kind: 'settled', ...facts, accountId: 'acct-2' },
    ],
    [
      'declined on another account',
      says(200, aSandboxOrder({ status: 'declined', accountId: 'acct-2' })),
      unreadable,
    ],
    ['200 deep nesting', says(200, '['.repeat(30_000) + ']'.repeat(30_000)), unreadable],
    ['200 invalid UTF-8', (response: Parameters<Script>[0]) => response.end(Buffer.of(0xff)), unreadable],
    ['200 of 100 MB and more', huge, unreadable],
    ['not HTTP', (response: Parameters<Script>[0]) => response.socket?.end('SSH-2.0\r\n\r\n'), unreadable],
    ['cut short', cutShort, { kind: 'unknown', cause: 'disconnected' }],
    ['500', says(500, { code: 'internal_error' }), { ...serverError, code: 'internal_error' }],
    ['500 with HTML', says(500, '<html>'), serverError],
    ['502', says(502, ''), serverError],
    ['504', says(504, ''), serverError],
    ['599', says(599, ''), serverError],
    ['503 as documented', says(503, { code: 'unavailable' }), { kind: 'not_executed', cause: 'unavailable' }],
    ['503 of a proxy', says(503, 'upstream connect error'), serverError],
    [
      '429 without Retry-After',
      says(429, { code: 'rate_limited' }),
      { kind: 'not_executed', cause: 'rate_limited' },
    ],
    ['429 of a proxy', says(429, ''), unreadable],
    [
      '429 with Retry-After 1e9 seconds',
      says(429, { code: 'rate_limited' }, { 'retry-after': '1000000000' }),
      { kind: 'not_executed', cause: 'rate_limited', retryAfterMs: 60_000 },
    ],
    [
      '429 with a date in the past',
      says(429, { code: 'rate_limited' }, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }),
      { kind: 'not_executed', cause: 'rate_limited', retryAfterMs: 0 },
    ],
  ])('%s', async (_name, script, outcome) => {
    expect((await submit(script)).outcome).toEqual(outcome);
    expect(server.requests).toHaveLength(1);
  });

  test('the time limit also ends a body that sends one byte every 20 ms', async () => {
    server.play(endless);
    const { outcome, facts } = await provider.orders.submit(anOrder(), soon(200));
    expect(outcome).toEqual({ kind: 'unknown', cause: 'timeout' });
    expect(facts).toEqual({ httpStatus: 200, providerCode: null });
  });

  test('an answer carries the facts of its exchange', async () => {
    expect((await submit(says(500, { code: 'internal_error' }))).facts).toEqual({
      httpStatus: 500,
      providerCode: 'internal_error',
    });
    expect((await submit((response) => response.socket?.resetAndDestroy())).facts).toEqual({
      httpStatus: null,
      providerCode: null,
    });
  });
});

describe('answers to a query', () => {
  const found = { kind: 'found', ...facts };
  test.each([
    ['no order', says(200, { orders: [] }), { kind: 'absent' }],
    ['pending', says(200, { orders: [aSandboxOrder()] }), { ...found, status: 'pending' }],
    ['settled', says(200, { orders: [aSettledOrder()] }), { ...found, status: 'settled' }],
    [
      'declined',
      says(200, {
        orders: [aSandboxOrder({ status: 'declined', code: 'insufficient_funds', message: 'm' })],
      }),
      { ...found, status: 'declined', code: 'insufficient_funds', message: 'm' },
    ],
    [
      'two orders',
      says(200, { orders: [aSettledOrder(), aSettledOrder({ id: 'sbx_2' })] }),
      { kind: 'several', count: 2 },
    ],
    [
      'a list that ignores the filter',
      says(200, { orders: [aSandboxOrder({ reference: 'other' })] }),
      unreadable,
    ],
    ['404 is no absent', says(404, { code: 'not_found' }), { ...unreadable, code: 'not_found' }],
    ['422 is no absent', says(422, { code: 'x' }), { ...unreadable, code: 'x' }],
    ['an empty answer is no absent', says(200, ''), unreadable],
    ['an object without a list', says(200, {}), unreadable],
    ['orders null', says(200, { orders: null }), unreadable],
    ['one unreadable order', says(200, { orders: [aSettledOrder({ charges: [] })] }), unreadable],
    ['HTML', says(200, '<html>'), unreadable],
    ['500', says(500, ''), serverError],
    ['503 as documented', says(503, { code: 'unavailable' }), { kind: 'not_executed', cause: 'unavailable' }],
  ])('%s', async (_name, script, outcome) => {
    expect((await query(script)).outcome).toEqual(outcome);
  });
});

test('answers of 100 MB do not fill the memory', async () => {
  const before = process.memoryUsage().rss;
  for (let call = 0; call < 20; call++) expect((await submit(huge)).outcome).toEqual(unreadable);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test.each([
  ['2', 2_000],
  ['0', 0],
  ['-5', 0],
  ['1.5', 1_500],
  [' 3 ', 3_000],
  ['61', 60_000],
  ['9'.repeat(400), 60_000],
  ['Sun, 22 Nov 2026 12:00:07 GMT', 7_000],
  ['Sun, 22 Nov 2026 11:00:00 GMT', 0],
  ['Sun, 22 Nov 2099 12:00:00 GMT', 60_000],
  ['soon', undefined],
  ['1e9', undefined],
  ['NaN', undefined],
  ['tomorrow GMT', undefined],
  ['', undefined],
  [undefined, undefined],
  [['4', '9'], 4_000],
])('Retry-After %p waits %p ms', (header, waitMs) => {
  expect(retryAfterMsOf(header, now)).toBe(waitMs);
});
