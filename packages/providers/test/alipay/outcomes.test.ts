import { createSign, generateKeyPairSync } from 'node:crypto';
import { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromYuan, toYuan } from '../../src/alipay/amounts.js';
import { alipayProvider } from '../../src/alipay/provider.js';
import type { CollectProvider } from '../../src/contract/provider.js';
import { anOrder, soon } from '../support/builders.js';
import { openScriptedServer, type Script, type ScriptedServer, says } from '../support/scripted-server.js';

const pair = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const app = pair();
const alipay = pair();

let server: ScriptedServer;
let provider: CollectProvider;

beforeAll(async () => {
  server = await openScriptedServer();
  const { privateKey } = app;
  provider = alipayProvider({
    appId: '2021',
    privateKey,
    alipayPublicKey: alipay.publicKey,
    endpoint: server.url,
  });
});
afterAll(async () => {
  await provider.close();
  await server.close();
});

const order = anOrder({ currency: 'CNY', paymentMethod: 'alipay', reference: 'a-b' });
const submit = async (script: Script, limitMs?: number) => {
  server.play(script);
  return (await provider.orders.submit(order, soon(limitMs))).outcome;
};
const find = async (script: Script) => {
  server.play(script);
  return (await provider.orders.find({ ...order, providerOrderId: 'ab' }, soon())).outcome;
};
const signed = (content: object, key = alipay.privateKey): Script => {
  const body = JSON.stringify(content);
  const sign = createSign('RSA-SHA256').update(`1\nn\n${body}\n`, 'utf8').sign(key, 'base64');
  return says(200, body, { 'alipay-timestamp': '1', 'alipay-nonce': 'n', 'alipay-signature': sign });
};
const fails = (status: number, code: string): Script => says(status, { code, message: 'm' });

const code = { out_trade_no: 'ab', qr_code: 'https://qr.alipay.com/bax1' };
const unreadable = { kind: 'unknown', cause: 'unreadable' };
const serverError = { kind: 'unknown', cause: 'server_error' };

// Only an answer that never comes runs into its limit. The first call also loads the SDK, which takes long on a busy
// machine.
const limitOf = (name: string) => (name === 'silence' ? 500 : 30_000);

test.each<[string, Script, object]>([
  ['200', signed(code), { kind: 'accepted', providerOrderId: 'ab', action: { type: 'qr_code' } }],
  ['200 for another number', signed({ ...code, out_trade_no: 'cd' }), unreadable],
  ['200 without a code', signed({ out_trade_no: 'ab' }), unreadable],
  ['200 signed by another key', signed(code, app.privateKey), unreadable],
  ['200 not signed', says(200, code), unreadable],
  ['200 HTML', says(200, '<html>'), unreadable],
  ['302', says(302, '', { location: '/elsewhere' }), unreadable],
  [
    '400 INVALID_PARAMETER',
    fails(400, 'ACQ.INVALID_PARAMETER'),
    { kind: 'rejected', code: 'INVALID_PARAMETER' },
  ],
  ['400 of an unknown code', fails(400, 'ACQ.NEW_CODE'), { ...unreadable, code: 'NEW_CODE' }],
  ['400 SYSTEM_ERROR', fails(400, 'ACQ.SYSTEM_ERROR'), { ...unreadable, code: 'SYSTEM_ERROR' }],
  [
    '400 CONTEXT_INCONSISTENT',
    fails(400, 'ACQ.CONTEXT_INCONSISTENT'),
    { ...unreadable, code: 'CONTEXT_INCONSISTENT' },
  ],
  ['400 TRADE_HAS_CLOSE', fails(400, 'ACQ.TRADE_HAS_CLOSE'), { ...unreadable, code: 'TRADE_HAS_CLOSE' }],
  ['400 HTML', says(400, '<html>'), unreadable],
  ['401 invalid-signature', fails(401, 'invalid-signature'), { kind: 'not_executed', cause: 'unavailable' }],
  ['429', fails(429, 'app-call-limited'), { kind: 'not_executed', cause: 'rate_limited' }],
  ['500', fails(500, 'unknow-error'), { ...serverError, code: 'unknow-error' }],
  ['502 HTML', says(502, '<html>'), serverError],
  ['a reset', (response) => response.socket?.resetAndDestroy(), { kind: 'unknown', cause: 'disconnected' }],
  ['a closed connection', (response) => response.socket?.end(), { kind: 'unknown', cause: 'disconnected' }],
  ['silence', () => {}, { kind: 'unknown', cause: 'timeout' }],
])('%s: one request, and its outcome', async (name, script, outcome) => {
  expect(await submit(script, limitOf(name))).toMatchObject(outcome);
  expect(server.requests).toHaveLength(1);
});

const definite = ['TOTAL_FEE_EXCEED', 'BUYER_SELLER_EQUAL', 'TRADE_BUYER_NOT_MATCH', 'SELLER_NOT_EXIST'];

test.each([...definite.map((name) => `ACQ.${name}`), 'missing-method', 'invalid-parameter'])(
  '%s refuses an order for good',
  async (given) => {
    expect(await submit(fails(400, given))).toMatchObject({ kind: 'rejected' });
  },
);

test.each([
  ...['invalid-app-id', 'missing-signature', 'invalid-timestamp', 'missing-timestamp'],
  ...['ACQ.ACCESS_FORBIDDEN', 'ACQ.PARTNER_ERROR'],
  ...['insufficient-isv-permissions', 'insufficient-user-permissions'],
])('%s executes nothing, and the order waits for an operator', async (given) => {
  expect(await submit(fails(403, given))).toEqual({ kind: 'not_executed', cause: 'unavailable' });
});

test('method-call-limited executes nothing', async () => {
  const outcome = await submit(fails(429, 'method-call-limited'));
  expect(outcome).toEqual({ kind: 'not_executed', cause: 'rate_limited' });
});

const refund = {
  ...{ reference: 'c-d', accountId: 'acct-1', amountMinor: 2_000n, currency: 'CNY' },
  ...{ of: { reference: 'a-b', providerOrderId: 'ab' }, notifyUrl: '', metadata: {} },
};
const submitRefund = async (script: Script) => {
  server.play(script);
  return (await provider.refunds.submit(refund, soon())).outcome;
};

test.each([
  ...['SELLER_BALANCE_NOT_ENOUGH', 'REFUND_AMT_NOT_EQUAL_TOTAL', 'REFUND_AMT_RESTRICTION'],
  ...['TRADE_NOT_ALLOW_REFUND', 'REASON_TRADE_REFUND_FEE_ERR', 'TRADE_HAS_FINISHED', 'TRADE_STATUS_ERROR'],
])('%s refuses a refund for good, and says nothing definite about an order', async (name) => {
  expect(await submitRefund(fails(400, `ACQ.${name}`))).toMatchObject({ kind: 'rejected', code: name });
  expect(await submit(fails(400, `ACQ.${name}`))).toMatchObject({ kind: 'unknown', code: name });
});

test('each refund has a number of its own, which every repeat of it keeps', async () => {
  const numbers: string[] = [];
  const keep: Script = (response, request) => {
    numbers.push(JSON.parse(request.body).out_request_no);
    says(500, '')(response, request);
  };
  for (const reference of ['c-d', 'c-d', 'e-f']) {
    server.play(keep);
    await provider.refunds.submit({ ...refund, reference }, soon());
  }
  expect(numbers).toEqual(['cd', 'cd', 'ef']);
});

test('the SDK leaves the sockets of the process as they are', async () => {
  const { destroy } = Socket.prototype;
  await submit(signed(code));
  expect(Socket.prototype.destroy).toBe(destroy);
  expect(Socket.prototype.destroy.toString()).not.toContain('defineProperty');
});

test('an order in another currency, or of too much, is rejected before anything is sent', async () => {
  server.play(signed(code));
  for (const one of [{ currency: 'USD' }, { amountMinor: 10_000_000_001n }, { amountMinor: 0n }])
    expect((await provider.orders.submit({ ...order, ...one }, soon())).outcome).toMatchObject({
      kind: 'rejected',
    });
  expect(server.requests).toEqual([]);
});

const trade = { out_trade_no: 'ab', trade_no: '2026', trade_status: 'TRADE_SUCCESS', total_amount: '49.99' };

test.each<[string, Script, object]>([
  [
    'paid',
    signed(trade),
    { kind: 'found', status: 'settled', amountMinor: 4_999n, externalReference: '2026' },
  ],
  ['finished', signed({ ...trade, trade_status: 'TRADE_FINISHED' }), { kind: 'found', status: 'settled' }],
  ['closed', signed({ ...trade, trade_status: 'TRADE_CLOSED' }), { kind: 'found', status: 'canceled' }],
  [
    'closed after a payment',
    signed({ ...trade, trade_status: 'TRADE_CLOSED', send_pay_date: '2026-11-22 12:00:00' }),
    { kind: 'found', status: 'settled', isPartlyRead: true },
  ],
  ['another number', signed({ ...trade, out_trade_no: 'cd' }), unreadable],
  ['an amount that is a JSON number', signed({ ...trade, total_amount: 49.99 }), unreadable],
  ['not scanned yet', fails(400, 'ACQ.TRADE_NOT_EXIST'), { kind: 'found', status: 'pending' }],
  ['a system error', fails(400, 'ACQ.SYSTEM_ERROR'), { ...unreadable, code: 'SYSTEM_ERROR' }],
])('a query that says %s', async (_name, script, outcome) => {
  expect(await find(script)).toMatchObject(outcome);
});

test('a trade that does not exist is not made yet, over, or was never ordered', async () => {
  const notExist = fails(400, 'ACQ.TRADE_NOT_EXIST');
  const findAs = async (changes: object) => {
    server.play(notExist);
    return (await provider.orders.find({ ...order, ...changes }, soon())).outcome;
  };
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);
  const accepted = { providerOrderId: 'ab' };
  expect(await findAs({ providerOrderId: null })).toEqual({ kind: 'absent' });
  expect(await findAs(accepted)).toMatchObject({ status: 'pending' });
  expect(await findAs({ ...accepted, payableUntil: minutesAgo(1) })).toMatchObject({ status: 'pending' });
  expect(await findAs({ ...accepted, payableUntil: minutesAgo(6) })).toMatchObject({ status: 'canceled' });
});

test('only fund_change Y says that a refund moved money', async () => {
  const answer = (change?: string) =>
    signed({ out_trade_no: 'ab', fund_change: change, refund_fee: '20.00' });
  expect(await submitRefund(answer('Y'))).toMatchObject({ kind: 'settled', amountMinor: 2_000n });
  for (const change of ['N', undefined])
    expect(await submitRefund(answer(change))).toMatchObject({ kind: 'unknown', code: 'fund_change_N' });
});

test('a host that cannot be reached executes nothing', async () => {
  const closed = await openScriptedServer();
  const { privateKey } = app;
  const keys = { appId: '2021', privateKey, alipayPublicKey: alipay.publicKey };
  const unreachable = alipayProvider({ ...keys, endpoint: closed.url });
  await closed.close();
  const { outcome } = await unreachable.orders.submit(order, soon());
  expect(outcome).toEqual({ kind: 'not_executed', cause: 'unreachable' });
  await unreachable.close();
});

test.each([
  [1n, '0.01'],
  [10n, '0.10'],
  [4_999n, '49.99'],
  [10_000_000_000n, '100000000.00'],
])('%p fen are %p yuan', (fen, yuan) => {
  expect(toYuan(fen)).toBe(yuan);
  expect(fromYuan(yuan)).toBe(fen);
});

test.each(['', '1,000.00', '-1.00', '1.005', '1e3', ' 1', 49.99, null])('%p is no amount', (text) => {
  expect(fromYuan(text)).toBeNull();
});

test('a key in either form is read, and no other text', () => {
  const pkcs1 = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs1',
    format: 'der',
  });
  const open = (privateKey: string) =>
    alipayProvider({ appId: '1', privateKey, alipayPublicKey: alipay.publicKey });
  expect(open(pkcs1.toString('base64')).name).toBe('alipay');
  expect(() => open('no key')).toThrow('PKCS');
});
