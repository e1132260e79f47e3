import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { alipayProvider, type CollectProvider } from '@replenish/providers';
import { newId } from '@replenish/runtime';
import type { AlipayDialect } from '../../src/alipay/dialect.js';
import { AlipaySdk } from '../support/alipay-sdk.js';
import {
  type ControlFace,
  dropFolder,
  newFolder,
  openAlipayFor,
  serveControl,
  soon,
} from '../support/dialects.js';

const DAY_MS = 86_400_000;
const CHINA_MS = 8 * 3_600_000;
const dayOf = (ms: number) => new Date(ms + CHINA_MS).toISOString().slice(0, 10);
const beginOf = (day: string) => new Date(`${day}T00:00:00+08:00`);

let folder: string;
let dialect: AlipayDialect;
let control: ControlFace;
let provider: CollectProvider;
/** The day of all trades of this file. Only the simulator's clock has passed its end. */
let today: string;

const open = async () => {
  dialect = await openAlipayFor(folder);
  control = await serveControl(dialect.control);
  provider = alipayProvider({ ...dialect, endpoint: dialect.url });
};
const close = async () => {
  await provider.close();
  await control.close();
  await dialect.close();
};
beforeAll(async () => {
  folder = newFolder();
  await open();
});
afterAll(async () => {
  await close();
  dropFolder(folder);
});
beforeEach(async () => {
  today = dayOf(Date.now());
  await control.post('/clock', { aheadMs: DAY_MS });
});

const order = (amountMinor = 4_999n) => ({
  ...{ reference: newId(), accountId: 'acct-1', amountMinor, currency: 'CNY', paymentMethod: 'alipay' },
  ...{ notifyUrl: 'http://127.0.0.1:9/webhooks', metadata: {} },
});

/** A payment of 49.99, and a refund of 10.00 of it. */
async function paidAndRefunded() {
  const [paid, refund] = [order(), newId()];
  await provider.orders.submit(paid, soon());
  await control.post('/pay', { reference: paid.reference });
  const { outcome } = await provider.refunds.submit(
    { ...paid, reference: refund, amountMinor: 1_000n, of: { ...paid, providerOrderId: null } } as never,
    soon(),
  );
  expect(outcome).toMatchObject({ kind: 'settled' });
  return { paid, refund };
}

const period = (after: string | null = null) => ({
  ...{ from: beginOf(today), to: new Date(beginOf(today).getTime() + DAY_MS), after },
});
const read = async (ask: object = {}) =>
  (await provider.statement!.read({ ...period(), ...ask }, soon())).outcome;
const behave = (scenario: string) => control.post('/behave', { scenario });
const orderIdsOf = (outcome: Awaited<ReturnType<typeof read>>) =>
  outcome.kind === 'read' ? outcome.lines.map(({ orderId }) => orderId) : outcome;

test('a payment and a refund are lines of their own, with our numbers', async () => {
  const { paid, refund } = await paidAndRefunded();
  const { lines, next } = (await read()) as unknown as {
    lines: { reference: string }[];
    next: string | null;
  };
  expect(next).toBeNull();
  const [line, back] = [paid.reference, refund].map((id) => lines.find(({ reference }) => reference === id));
  const common = { currency: 'CNY', balanceMinor: null, at: expect.any(Date) };
  const tradeNo = (await control.get(`/trades?reference=${paid.reference}`)).trades[0].trade_no;
  expect(line).toEqual({
    ...{ ...common, line: tradeNo, orderId: paid.reference.replaceAll('-', ''), reference: paid.reference },
    ...{ direction: 'in', amountMinor: 4_999n },
  });
  expect(back).toEqual({
    ...{ ...common, line: `${tradeNo}/${refund.replaceAll('-', '')}`, orderId: refund.replaceAll('-', '') },
    ...{ reference: refund, direction: 'out', amountMinor: 1_000n },
  });
});

test('a day is a page, and lines outside the period are left out', async () => {
  await paidAndRefunded();
  const yesterday = beginOf(dayOf(Date.now() - DAY_MS));
  const before = await read({ from: yesterday, after: dayOf(yesterday.getTime()) });
  // A day without a trade has no bill, just as a day whose bill is not made yet.
  expect(before).toEqual({ kind: 'unknown', cause: 'unproven', code: 'isp.bill_not_exist' });
  const longAgo = beginOf(dayOf(Date.now() - 2 * DAY_MS));
  expect(await read({ from: longAgo })).toEqual({
    kind: 'read',
    lines: [],
    next: dayOf(yesterday.getTime()),
  });
  expect(await read({ from: beginOf(today), to: beginOf(today) })).toMatchObject({ lines: [], next: null });
});

test('a bill is not there before its day is over, nor before it is made', async () => {
  await paidAndRefunded();
  await control.post('/clock', { aheadMs: 0 });
  expect(await read()).toEqual({ kind: 'unknown', cause: 'unproven', code: 'invalid_arguments' });
  await control.post('/clock', { aheadMs: DAY_MS });
  await behave('bill_late');
  expect(await read()).toEqual({ kind: 'unknown', cause: 'unproven', code: 'isp.bill_not_exist' });
  expect(await read()).toMatchObject({ kind: 'read' });
});

test.each([
  ['bill_cut', 'cut in the middle'],
  ['bill_short', 'without one of its rows'],
  ['bill_redirected', 'behind a redirect to another host'],
  ['bill_elsewhere', 'at an address that is not of Alipay'],
])('%s: a bill %s is unknown', async (scenario) => {
  await paidAndRefunded();
  await behave(scenario);
  expect(await read()).toEqual({ kind: 'unknown', cause: 'unreadable', code: 'bill_file' });
  expect(await read()).toMatchObject({ kind: 'read' });
});

test("the vendor's own client gets the address, by both versions, and a restart keeps it", async () => {
  const { paid } = await paidAndRefunded();
  const { appId, privateKey, alipayPublicKey, url, gateway } = dialect;
  const sdk = new AlipaySdk({ appId, privateKey, keyType: 'PKCS8', alipayPublicKey, endpoint: url, gateway });
  const bizContent = { bill_type: 'trade', bill_date: today };
  const name = 'alipay.data.dataservice.bill.downloadurl.query';
  const answer = await sdk.exec(name, { bizContent }, { validateSign: true });
  expect(answer).toMatchObject({ code: '10000' });
  const path = '/v3/alipay/data/dataservice/bill/downloadurl/query';
  const { data } = await sdk.curl<{ bill_download_url: string }>('GET', path, { query: bizContent });
  const early = await sdk.exec(name, { bizContent: { ...bizContent, bill_date: '2016-04-05' } });
  expect(early).toMatchObject({ code: '40004', subCode: 'isp.bill_not_exist' });
  await close();
  await open();
  await control.post('/clock', { aheadMs: DAY_MS });
  const there = new URL(data.bill_download_url);
  const file = await fetch(`${dialect.url}${there.pathname}${there.search}`);
  expect(
    Buffer.from(await file.arrayBuffer())
      .subarray(0, 4)
      .toString('latin1'),
  ).toBe('PK\x03\x04');
  const without = await fetch(`${dialect.url}${there.pathname}?fileId=another`);
  expect(without.status).toBe(403);
  expect(orderIdsOf(await read())).toContain(paid.reference.replaceAll('-', ''));
});
