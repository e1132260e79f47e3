import { createSign, generateKeyPairSync } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fundAccountRail } from '../../src/alibaba-cloud/rails/fund-account.js';
import { resellerQuotaRail } from '../../src/alibaba-cloud/rails/reseller-quota.js';
import { alipayProvider } from '../../src/alipay/provider.js';
import type { Provider } from '../../src/contract/provider.js';
import { sandboxProvider } from '../../src/sandbox/provider.js';
import { stripeProvider } from '../../src/stripe/provider.js';
import { anOrder, aSandboxOrder, soon } from '../support/builders.js';
import { drips, hostileAnswers } from '../support/hostile-answers.js';
import { openScriptedServer, type Script, type ScriptedServer, says } from '../support/scripted-server.js';

type Bench = Readonly<{
  name: string;
  open: (url: string) => Provider;
  /** A good answer to a query, but for separators in its amount. Null: no answer has an amount. */
  separated: Script | null;
  /** A rate limit of the provider. */
  limited: (headers: Record<string, string>) => Script;
}>;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const alipayPublicKey = rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString();
const signed = (content: object): Script => {
  const body = JSON.stringify(content);
  const sign = createSign('RSA-SHA256').update(`1\nn\n${body}\n`).sign(privateKey, 'base64');
  return says(200, body, { 'alipay-timestamp': '1', 'alipay-nonce': 'n', 'alipay-signature': sign });
};

const intent = (amount: number | string) => ({
  ...{ id: 'pi_1', object: 'payment_intent', amount, amount_received: 0, currency: 'cny', created: 1 },
  ...{ status: 'requires_payment_method', metadata: { transaction_id: 'rcg-1' }, client_secret: 's' },
});
// Answers of this provider have separators between thousands. In another place they are not read.
const row = {
  ...{ TransactionNumber: '1', TransactionDirection: 'OUT', TransactionAmount: '12,34.56', Currency: 'CNY' },
  TransactionTime: '2026-11-22 00:00:00',
};
const access = { accessKeyId: 'a', accessKeySecret: 'b', timeoutMs: 5_000 };
const throttled = (headers: Record<string, string>) => {
  const wait = headers['retry-after'];
  return says(429, { Code: 'Throttling.User' }, wait ? { 'x-acs-retry-after': wait } : {});
};

const benches: Bench[] = [
  {
    name: 'sandbox',
    open: (baseUrl) => sandboxProvider({ baseUrl }),
    separated: says(200, { orders: [aSandboxOrder({ amount: '4,999' })] }),
    limited: (headers) => says(429, { code: 'rate_limited' }, headers),
  },
  {
    name: 'stripe',
    open: (apiBase) => stripeProvider({ secretKey: 'sk_test_1', apiBase }),
    separated: says(200, { object: 'search_result', data: [intent('4,999')] }),
    limited: (headers) =>
      says(429, { error: { type: 'invalid_request_error', code: 'rate_limit', message: 'm' } }, headers),
  },
  {
    name: 'alipay',
    open: (endpoint) => alipayProvider({ appId: '1', privateKey, alipayPublicKey, endpoint }),
    separated: signed({ out_trade_no: 'rcg1', trade_status: 'TRADE_SUCCESS', total_amount: '1,234.56' }),
    limited: (headers) => says(429, { code: 'app-call-limited', message: 'm' }, headers),
  },
  {
    name: 'alibaba_cloud fund_account',
    open: (endpoint) =>
      fundAccountRail({ ...access, endpoint, fundAccountId: 'fa-main', remarkKeys: [Buffer.from('k')] }),
    separated: says(200, { RequestId: 'R', TotalCount: '1', Data: [row] }),
    limited: throttled,
  },
  {
    name: 'alibaba_cloud reseller_quota',
    open: (endpoint) => resellerQuotaRail({ ...access, endpoint }),
    separated: null,
    limited: throttled,
  },
];

const order = anOrder({ currency: 'CNY', destination: { from: null, to: 'fa-1' } });
const at = new Date(0);
const sought = { ...order, submits: { firstStartedAt: at, lastEndedAt: at } };
const peakMb = () => process.resourceUsage().maxRSS / 1024;

describe.each(benches)('$name', ({ open, separated, limited }) => {
  let server: ScriptedServer;
  let elsewhere: ScriptedServer;
  let provider: Provider;
  const submit = async (limitMs?: number) => (await provider.orders.submit(order, soon(limitMs))).outcome;
  const find = async (limitMs?: number) => (await provider.orders.find(sought, soon(limitMs))).outcome;

  beforeAll(async () => {
    server = await openScriptedServer();
    elsewhere = await openScriptedServer();
    provider = open(server.url);
    // The SDK is loaded at the first call. Its memory must not count as that of an answer.
    await submit(60_000);
  });
  beforeEach(() => elsewhere.play(says(200, {})));
  afterAll(async () => {
    await provider.close();
    await Promise.all([server.close(), elsewhere.close()]);
  });

  test.each(Object.entries(hostileAnswers))('%s is unknown, and fills no memory', async (_what, script) => {
    server.play(script);
    const beforeMb = peakMb();
    expect(await submit()).toMatchObject({ kind: 'unknown' });
    expect(server.requests).toHaveLength(1);
    expect(await find()).toMatchObject({ kind: 'unknown' });
    expect(server.requests.length).toBeLessThanOrEqual(2);
    expect(peakMb() - beforeMb).toBeLessThan(64);
  });

  test('an answer that never ends is unknown at the time limit, and its connection is closed', async () => {
    server.play(drips);
    expect(await submit(300)).toEqual({ kind: 'unknown', cause: 'timeout' });
    while (server.abandoned() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(server.abandoned()).toBe(1);
  });

  test.each([301, 302, 307, 308])('a redirect by %d is unknown, and is not followed', async (status) => {
    server.play(says(status, '{}', { location: elsewhere.url }));
    expect(await submit()).toMatchObject({ kind: 'unknown' });
    expect(await find()).toMatchObject({ kind: 'unknown' });
    expect(elsewhere.requests).toEqual([]);
  });

  test.each([
    ['without Retry-After', {}],
    ['with a Retry-After of 30 years', { 'retry-after': '1000000000' }],
    ['with a Retry-After in the past', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }],
    ['with a Retry-After below zero', { 'retry-after': '-5' }],
    ['with a Retry-After that is no time', { 'retry-after': 'soon' }],
  ])('a rate limit %s waits for a minute at most', async (_what, headers) => {
    server.play(limited(headers as Record<string, string>));
    const outcome = await submit();
    expect(outcome).toMatchObject({ kind: 'not_executed', cause: 'rate_limited' });
    const { retryAfterMs = 0 } = outcome as { retryAfterMs?: number };
    expect(retryAfterMs).toBeGreaterThanOrEqual(0);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  if (separated)
    test('an amount with separators is unknown', async () => {
      server.play(separated);
      expect(await find()).toMatchObject({ kind: 'unknown', cause: 'unreadable' });
    });
});

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
])('an answer that is compressed by %s is read by the SDKs', async (encoding, compress) => {
  const server = await openScriptedServer();
  const provider = stripeProvider({ secretKey: 'sk_test_1', apiBase: server.url });
  server.play((response) =>
    response.writeHead(200, { 'content-encoding': encoding }).end(compress(JSON.stringify(intent(4_999)))),
  );
  expect((await provider.orders.submit(order, soon())).outcome).toMatchObject({ kind: 'accepted' });
  await provider.close();
  await server.close();
});
