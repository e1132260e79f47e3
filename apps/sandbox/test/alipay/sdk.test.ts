import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newId } from '@replenish/runtime';
import type { AlipayDialect } from '../../src/alipay/dialect.js';
import { AlipaySdk } from '../support/alipay-sdk.js';
import {
  type ControlFace,
  dropFolder,
  newFolder,
  openAlipayFor,
  openMailbox,
  serveControl,
} from '../support/dialects.js';
import { until } from '../support/rig.js';

let folder: string;
let dialect: AlipayDialect;
let control: ControlFace;
let sdk: AlipaySdk;
let mailbox: Awaited<ReturnType<typeof openMailbox>>;

const clientOf = ({ appId, privateKey, alipayPublicKey, url, gateway }: AlipayDialect) =>
  new AlipaySdk({ appId, privateKey, keyType: 'PKCS8', alipayPublicKey, endpoint: url, gateway });

beforeAll(async () => {
  folder = newFolder();
  mailbox = await openMailbox();
  dialect = await openAlipayFor(folder);
  control = await serveControl(dialect.control);
  sdk = clientOf(dialect);
});
afterAll(async () => {
  await control.close();
  await dialect.close();
  await mailbox.close();
  dropFolder(folder);
});

let number: string;
beforeEach(() => {
  number = newId().replaceAll('-', '');
  mailbox.received.length = 0;
});

const body = (changes: object = {}) => ({
  out_trade_no: number,
  total_amount: '49.99',
  subject: '账户充值',
  notify_url: mailbox.url,
  ...changes,
});
const call = async (operation: string, content: object) =>
  (await sdk.curl<Record<string, string>>('POST', `/v3/alipay/trade/${operation}`, { body: { ...content } }))
    .data;
const ofTrade = () => ({ out_trade_no: number });
const pay = (more: object = {}) => control.post('/pay', { out_trade_no: number, ...more });
const notifications = () =>
  mailbox.received
    .map((message) => Object.fromEntries(new URLSearchParams(message.body.toString())))
    .filter((fields) => fields.out_trade_no === number);

test('a trade exists only after the payer scanned the code', async () => {
  const { qr_code } = await call('precreate', body());
  expect(qr_code).toMatch(/^https:/);
  await expect(call('query', ofTrade())).rejects.toMatchObject({ code: 'ACQ.TRADE_NOT_EXIST' });
  await expect(call('close', ofTrade())).rejects.toMatchObject({ code: 'ACQ.TRADE_NOT_EXIST' });
  await control.post('/scan', { out_trade_no: number });
  expect(await call('query', ofTrade())).toMatchObject({
    trade_status: 'WAIT_BUYER_PAY',
    total_amount: '49.99',
  });
});

test('the same number is one trade, and refuses other parameters', async () => {
  const first = await call('precreate', body());
  expect(await call('precreate', body())).toEqual(first);
  await expect(call('precreate', body({ total_amount: '50.00' }))).rejects.toMatchObject({
    code: 'ACQ.CONTEXT_INCONSISTENT',
  });
  await pay();
  await expect(call('precreate', body())).rejects.toMatchObject({ code: 'ACQ.TRADE_HAS_SUCCESS' });
});

test('a closed trade is not payable, unless the payer pays after the close', async () => {
  await call('precreate', body());
  await control.post('/scan', { out_trade_no: number });
  await call('close', ofTrade());
  expect(await pay()).toMatchObject({ code: 'ACQ.TRADE_HAS_CLOSE' });
  await control.post('/behave', { scenario: 'pay_after_close', reference: number });
  expect(await pay()).toMatchObject({ trade_status: 'TRADE_SUCCESS' });
});

test('a refund moves its amount once per number', async () => {
  await call('precreate', body());
  await pay();
  const refund = { ...ofTrade(), refund_amount: '20.00', out_request_no: 'r1' };
  expect(await call('refund', refund)).toMatchObject({ fund_change: 'Y', refund_fee: '20.00' });
  expect(await call('refund', refund)).toMatchObject({ fund_change: 'N', refund_fee: '20.00' });
  await expect(call('refund', { ...refund, refund_amount: '1.00' })).rejects.toMatchObject({
    code: 'ACQ.DISCORDANT_REPEAT_REQUEST',
  });
  await expect(
    call('refund', { ...refund, out_request_no: 'r2', refund_amount: '30.00' }),
  ).rejects.toMatchObject({ code: 'ACQ.REFUND_AMT_NOT_EQUAL_TOTAL' });
  expect(await call('fastpay/refund/query', { ...ofTrade(), out_request_no: 'r1' })).toMatchObject({
    refund_status: 'REFUND_SUCCESS',
    refund_amount: '20.00',
  });
  expect(await call('fastpay/refund/query', { ...ofTrade(), out_request_no: 'r9' })).not.toHaveProperty(
    'refund_status',
  );
  expect((await control.get(`/trades?out_trade_no=${number}`)).trades[0].refunds).toHaveLength(1);
});

test('notifications are signed, and repeated until the answer is exactly success', async () => {
  mailbox.answers.push(
    { of: number, status: 200, body: 'success\n' },
    { of: number, status: 200, body: 'SUCCESS' },
  );
  await call('precreate', body({ passback_params: 'a%2Bb c+d&=%' }));
  await pay();
  await until(() => notifications().length === 3);
  const [first, ...others] = notifications();
  expect(first).toMatchObject({ trade_status: 'TRADE_SUCCESS', total_amount: '49.99', subject: '账户充值' });
  expect(first?.passback_params).toBe('a%2Bb c+d&=%');
  for (const one of others) expect(one).toEqual(first);
  expect(sdk.checkNotifySignV2({ ...first })).toBe(true);
  expect(sdk.checkNotifySignV2({ ...first, total_amount: '4999.00' })).toBe(false);
});

test('version 2 answers queries, signed, and opens the pay page', async () => {
  const url = sdk.pageExecute('alipay.trade.page.pay', 'GET', {
    notify_url: mailbox.url,
    bizContent: { ...body({ notify_url: undefined }), product_code: 'FAST_INSTANT_TRADE_PAY' },
  });
  const page = await fetch(url);
  expect(await page.text()).toContain('CNY 49.99');
  const result = await sdk.exec('alipay.trade.query', { bizContent: ofTrade() }, { validateSign: true });
  expect(result).toMatchObject({ code: '10000', tradeStatus: 'WAIT_BUYER_PAY' });
  const altered = await fetch(url.replace('49.99', '0.01'));
  expect(altered.status).toBe(400);
  const none = { bizContent: { out_trade_no: 'none' } };
  expect(await sdk.exec('alipay.trade.query', none, { validateSign: true })).toMatchObject({
    code: '40004',
    subCode: 'ACQ.TRADE_NOT_EXIST',
  });
});

test('an altered body or path, an old date and a used nonce are refused', async () => {
  let sent: { url: string; headers: Record<string, string>; body: string } | undefined;
  const recorder = await openMailbox();
  const spy = clientOf({ ...dialect, url: recorder.url.replace('/webhooks', '') });
  await spy.curl('POST', '/v3/alipay/trade/precreate', { body: body() }).catch(() => {});
  const { headers, body: bytes } = recorder.received[0]!;
  await recorder.close();
  sent = {
    url: `${dialect.url}/v3/alipay/trade/precreate`,
    headers: { authorization: String(headers.authorization), 'content-type': 'application/json' },
    body: bytes.toString(),
  };
  const codeOf = async (changes: Partial<typeof sent>) => {
    const { url, ...init } = { ...sent!, ...changes };
    return ((await (await fetch(url, { method: 'POST', ...init })).json()) as { code?: string }).code;
  };
  expect(await codeOf({ body: sent.body.replace('49.99', '00.01') })).toBe('invalid-signature');
  expect(await codeOf({ url: `${sent.url}?a=b` })).toBe('invalid-signature');
  const old = sent.headers.authorization!.replace(/timestamp=\d+/, `timestamp=${Date.now() - 700_000}`);
  expect(await codeOf({ headers: { ...sent.headers, authorization: old } })).toBe('invalid-timestamp');
  expect(await codeOf({})).toBeUndefined();
  expect(await codeOf({})).toBe('invalid-nonce');
});

test('trades and keys survive a restart', async () => {
  const own = newFolder();
  let one = await openAlipayFor(own);
  const { privateKey } = one;
  const path = '/v3/alipay/trade/precreate';
  const before = await clientOf(one).curl('POST', path, { body: body() });
  await one.close();
  one = await openAlipayFor(own);
  expect(one.privateKey).toBe(privateKey);
  const after = await clientOf(one).curl('POST', path, { body: body() });
  expect(after.data).toEqual(before.data);
  await one.close();
  dropFolder(own);
});
