import { createSign, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { alipayProvider } from '../../src/alipay/provider.js';

const pair = (modulusLength = 2048) =>
  generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const app = pair();
const alipay = pair();
const stranger = pair();

const webhooks = alipayProvider({
  ...{ appId: '2021', sellerId: '2088', privateKey: app.privateKey, alipayPublicKey: alipay.publicKey },
}).webhooks!;

const reference = '01890a5d-ac96-774b-bcce-b302099a8057';
const outTradeNo = '01890a5dac96774bbcceb302099a8057';

const fields = (changes: Record<string, string> = {}): Record<string, string> => ({
  ...{
    notify_type: 'trade_status_sync',
    notify_id: 'n1',
    app_id: '2021',
    seller_id: '2088',
    sign_type: 'RSA2',
  },
  ...{ out_trade_no: outTradeNo, trade_no: '2026', trade_status: 'TRADE_SUCCESS', total_amount: '49.99' },
  ...{ subject: '账户充值', passback_params: 'a%2Bb c+d&=%' },
  ...changes,
});
const signed = (given: Record<string, string>, key = alipay.privateKey, hash = 'RSA-SHA256') => {
  const text = Object.keys(given)
    .filter((name) => name !== 'sign_type')
    .sort()
    .map((name) => `${name}=${given[name]}`)
    .join('&');
  return { ...given, sign: createSign(hash).update(text, 'utf8').sign(key, 'base64') };
};
const bytes = (given: Record<string, string>) => Buffer.from(new URLSearchParams(given).toString());
const verify = (given: Record<string, string>) => webhooks.verify(bytes(given), {}, new Date());
const read = (changes: Record<string, string> = {}) => webhooks.read(bytes(fields(changes)));

describe('signatures', () => {
  test('a notification of Alipay passes, with its Chinese text and its percent signs', () => {
    expect(verify(signed(fields()))).toEqual({ ok: true, eventId: 'n1' });
  });

  test.each([
    ['altered', { ...signed(fields()), total_amount: '4999.00' }],
    ['signed by another key', signed(fields(), stranger.privateKey)],
    ['signed by the app itself', signed(fields(), app.privateKey)],
    ['not signed', fields()],
    ['signed with SHA-1', signed(fields({ sign_type: 'RSA' }), alipay.privateKey, 'RSA-SHA1')],
    ['of an unknown sign_type', signed(fields({ sign_type: 'toString' }))],
    [
      'without a sign_type',
      signed(Object.fromEntries(Object.entries(fields()).filter(([n]) => n !== 'sign_type'))),
    ],
  ])('a notification that is %s is refused', (_name, given) => {
    expect(verify(given)).toEqual({ ok: false, refusal: 'bad_signature' });
  });

  test('a signature that covers the sign_type passes as well: interfaces differ in it', () => {
    const given = fields();
    const text = Object.keys(given)
      .sort()
      .map((name) => `${name}=${given[name]}`)
      .join('&');
    const sign = createSign('RSA-SHA256').update(text, 'utf8').sign(alipay.privateKey, 'base64');
    expect(verify({ ...given, sign })).toEqual({ ok: true, eventId: 'n1' });
  });

  test('the notification of a full refund passes, with the fields that only it has', () => {
    const given = signed(
      fields({
        ...{ trade_status: 'TRADE_CLOSED', out_biz_no: outTradeNo, refund_fee: '49.99' },
        ...{ gmt_refund: '2026-11-22 12:00:00.123', gmt_close: '2026-11-22 12:00:00' },
        ...{ gmt_payment: '2026-11-22 11:00:00', buyer_logon_id: 'ab***@sandbox.com', version: '1.0' },
        fund_bill_list: '[{"amount":"49.99","fundChannel":"ALIPAYACCOUNT"}]',
      }),
    );
    expect(verify(given)).toEqual({ ok: true, eventId: 'n1' });
    expect(webhooks.read(bytes(given))).toEqual({ kind: 'ignored', type: 'refund' });
  });

  test.each(['%', '+', 'a%2Bb', '100%25', '\u{1F600}', '%E4%B8%AD', ' a  b '])(
    'the value %j is decoded once and verifies',
    (value) => {
      expect(verify(signed(fields({ passback_params: value }))).ok).toBe(true);
    },
  );

  test('a name that occurs twice is refused', () => {
    const twice = Buffer.concat([bytes(signed(fields())), Buffer.from('&total_amount=49.99')]);
    expect(webhooks.verify(twice, {}, new Date()).ok).toBe(false);
  });
});

describe('notifications', () => {
  const order = { kind: 'order', reference, providerOrderId: outTradeNo, accountId: null };
  const money = { amountMinor: 4_999n, currency: 'CNY' };
  const unread = { kind: 'unread', type: 'trade_status_sync', reference, providerOrderId: outTradeNo };
  const refunded = { refund_fee: '20.00', gmt_refund: '2026-11-22 12:00:00' };

  test.each<[string, Record<string, string>, object]>([
    ['paid', {}, { ...order, ...money, status: 'settled' }],
    [
      'another amount',
      { total_amount: '50.00' },
      { ...order, ...money, amountMinor: 5_000n, status: 'settled' },
    ],
    ['finished', { trade_status: 'TRADE_FINISHED' }, { ...order, ...money, status: 'settled' }],
    [
      'closed, never paid',
      { trade_status: 'TRADE_CLOSED' },
      { ...order, ...money, status: 'canceled', code: 'TRADE_CLOSED' },
    ],
    [
      'closed because all was refunded by us',
      { trade_status: 'TRADE_CLOSED', ...refunded, out_biz_no: outTradeNo },
      { kind: 'ignored', type: 'refund' },
    ],
    ['refunded by somebody else', { ...refunded, out_biz_no: 'console-1' }, unread],
    ['of a refund that only its time tells', { gmt_refund: '2026-11-22 12:00:00' }, unread],
    ['of a refund that only its sum tells', { refund_fee: '20.00' }, unread],
    [
      'closed after a payment that only its time tells',
      { trade_status: 'TRADE_CLOSED', gmt_payment: '2026-11-22 11:00:00' },
      unread,
    ],
    [
      'paid, with a sum of refunds that is nothing',
      { refund_fee: '0.00', gmt_refund: '' },
      { ...order, ...money, status: 'settled' },
    ],
    [
      'finished after refunds',
      { trade_status: 'TRADE_FINISHED', ...refunded },
      { kind: 'ignored', type: 'TRADE_FINISHED' },
    ],
    ['another app', { app_id: '2022' }, unread],
    ['another seller', { seller_id: '2089' }, unread],
    ['an unknown status', { trade_status: 'NEW' }, unread],
    ['an amount with separators', { total_amount: '4,999.00' }, unread],
    [
      'a number that is not ours',
      { out_trade_no: 'x1' },
      { ...unread, reference: null, providerOrderId: 'x1' },
    ],
    ['another type', { notify_type: 'other' }, { ...unread, type: 'other' }],
  ])('%s', (_name, changes, event) => {
    expect(read(changes)).toEqual(event);
  });
});
