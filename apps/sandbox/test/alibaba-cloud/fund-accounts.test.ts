import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { aTransfer, Cloud } from './support/cloud.js';

const cloud = new Cloud();
let nth = 0;
let to = '';
beforeAll(() => cloud.start());
beforeEach(async () => {
  to = `fa-to-${nth++}`;
  await cloud.fund('fa-main', 1_000_000);
  await cloud.fund(to, 0, { owner: '1700000000000002' });
});
afterAll(() => cloud.close());

const codeOf = (call: Promise<unknown>): Promise<string | null> =>
  call.then(
    () => null,
    (thrown: { code: string }) => thrown.code,
  );

const transfer = (changes: Record<string, string> = {}) =>
  cloud.call(aTransfer({ ToFundAccountId: to, ...changes }));

test('a transfer moves cash once, and is listed on the control API', async () => {
  await transfer({ Amount: '49.99', Remark: 'RPL1 0193-aa bb' });
  expect([await cloud.cashOf('fa-main'), await cloud.cashOf(to)]).toEqual([995_001, 4_999]);
  const { transfers } = await cloud.get(`/_control/alibaba/transfers?to=${to}&remark=0193aa`);
  expect(transfers).toMatchObject([
    { from: 'fa-main', to, amount: 4_999, currency: 'CNY', kind: 'grant', remark: 'RPL1 0193-aa bb' },
  ]);
});

test('the same command twice is two transfers, because there is no key', async () => {
  await transfer();
  await transfer();
  expect(await cloud.transfersTo(to)).toHaveLength(2);
});

test('of parallel transfers, exactly those that the cash covers are executed', async () => {
  await cloud.fund('fa-main', 30_000);
  const codes = await Promise.all(Array.from({ length: 50 }, () => codeOf(transfer({ Amount: '10' }))));
  expect(codes.filter((code) => code === null)).toHaveLength(30);
  expect(codes.filter((code) => code === 'AvailableTransferAmountNotEnough')).toHaveLength(20);
  expect([await cloud.cashOf('fa-main'), await cloud.cashOf(to)]).toEqual([0, 30_000]);
});

test.each<[string, Record<string, string>]>([
  ['MissingParameter', { Remark: '' }],
  ['InvalidParameter', { Amount: '0' }],
  ['InvalidParameter', { Amount: '1.234' }],
  ['InvalidParameter', { Amount: '1,000.00' }],
  ['InvalidParameter', { Currency: 'EUR' }],
  ['InvalidParameter', { FinanceType: 'credit' }],
  ['InvalidParameter', { TransferType: 'give' }],
  ['AccountNotExist', { ToFundAccountId: 'fa-nowhere' }],
  ['AvailableTransferAmountNotEnough', { Amount: '10000.01' }],
])('%s refuses %j, and nothing moves', async (code, changes) => {
  expect(await codeOf(transfer(changes))).toBe(code);
  expect(await cloud.cashOf('fa-main')).toBe(1_000_000);
});

test('granted money cannot be passed on, and can be taken back', async () => {
  await transfer({ Amount: '100' });
  const onward = aTransfer({ FromFundAccountId: to, ToFundAccountId: 'fa-main', Amount: '60' });
  expect(await codeOf(cloud.call(onward))).toBe('AvailableTransferAmountNotEnough');
  await cloud.call({ ...onward, form: { ...onward.form, TransferType: 'recycle' } });
  expect([await cloud.cashOf('fa-main'), await cloud.cashOf(to)]).toEqual([996_000, 4_000]);
  const again = { ...onward, form: { ...onward.form, TransferType: 'recycle' } };
  expect(await codeOf(cloud.call(again))).toBe('AvailableTransferAmountNotEnough');
});

test('a frozen account takes and gives nothing', async () => {
  await cloud.fund(to, 0, { status: 'FROZEN' });
  expect(await codeOf(transfer())).toBe('NoFundAccountPermission');
});

test('amounts are shown with thousands separators', async () => {
  await cloud.fund('fa-main', 123_456_789);
  const answer = await cloud.json({
    action: 'GetFundAccountCanTransferAmount',
    form: { FundAccountId: 'fa-main', Currency: 'CNY' },
  });
  expect(answer).toMatchObject({ MaxTransferableAmount: '1,234,567.89', Currency: 'CNY' });
});

test('books survive a restart, and a number is never given twice', async () => {
  await transfer();
  await cloud.restart();
  await transfer();
  const transfers = await cloud.transfersTo(to);
  expect(new Set(transfers.map((one: { number: string }) => one.number)).size).toBe(2);
  expect(await cloud.cashOf(to)).toBe(9_998);
});

test.each([
  ['down', 'ECONNRESET'],
  ['errors', 'InternalError'],
])('the outage %s reaches this dialect, and nothing moves', async (mode, code) => {
  await cloud.post('/_control/outage', { mode });
  expect(await codeOf(transfer())).toBe(code);
  await cloud.post('/_control/outage', { mode: 'none' });
  expect(await cloud.transfersTo(to)).toEqual([]);
});

test('for one receiver the newest fault holds, as often as ordered, and other receivers get none', async () => {
  await cloud.behave('not_enough', { to });
  await cloud.behave('throttled', { to, times: 2 });
  await cloud.fund('fa-else', 0);
  expect(await codeOf(transfer({ ToFundAccountId: 'fa-else' }))).toBeNull();
  const codes = [await codeOf(transfer()), await codeOf(transfer()), await codeOf(transfer())];
  expect(codes).toEqual(['Throttling.User', 'Throttling.User', null]);
});

test('the control API refuses what it does not know', async () => {
  for (const [path, body] of [
    ['fund-accounts', { id: 'fa-x', cash: -1 }],
    ['fund-accounts', { id: 'fa-x', cash: 1, currency: 'EUR' }],
    ['behave', { scenario: 'explode' }],
    ['behave', { scenario: 'html_answer', times: 0 }],
  ] as const)
    expect((await cloud.post(`/_control/alibaba/${path}`, body)).status).toBe(400);
});
