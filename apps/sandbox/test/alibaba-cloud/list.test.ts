import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aTransfer, Cloud } from './support/cloud.js';

const cloud = new Cloud();
beforeAll(async () => {
  await cloud.start();
  await cloud.fund('fa-1', 0);
});
afterAll(() => cloud.close());

type Row = Readonly<{ TransactionNumber: string; Remark: string; TransactionTime: string }>;
type Page = Readonly<{ TotalCount: number; Data: readonly Row[] }>;

/** Reads a page of the source's list. Numbers of rows are read as text, because they exceed 2^53. */
async function page(number: number, size: number, form: Record<string, string> = {}): Promise<Page> {
  const text = await cloud.call({
    action: 'GetFundAccountTransactionDetails',
    query: { CurrentPage: String(number), PageSize: String(size) },
    form: { FundAccountId: 'fa-main', ...form },
  });
  return JSON.parse(text.replace(/"TransactionNumber":(\d+)/g, '"TransactionNumber":"$1"'));
}

const ahead = (aheadMs: number) => cloud.post('/_control/alibaba/clock', { aheadMs });
const remarks = ({ Data }: Page) => Data.map(({ Remark }) => Remark);

test('a transfer is listed after its visibility delay, newest first, on both sides', async () => {
  for (const remark of ['a', 'b', 'c']) await cloud.call(aTransfer({ Remark: remark }));
  await cloud.behave('visible_late', { delayMs: 1_200_000 });
  await cloud.call(aTransfer({ Remark: 'late' }));
  await ahead(60_000);
  expect(remarks(await page(1, 10))).toEqual(['c', 'b', 'a']);
  await ahead(1_300_000);
  expect(remarks(await page(1, 10))).toEqual(['late', 'c', 'b', 'a']);
  expect(remarks(await page(1, 10, { FundAccountId: 'fa-1', TransactionDirection: 'IN' }))).toHaveLength(4);
});

test('pages have the asked size, and numbers that a JavaScript number cannot carry', async () => {
  const pages = [await page(1, 3), await page(2, 3)];
  expect(pages.map(({ Data, TotalCount }) => [Data.length, TotalCount])).toEqual([
    [3, 4],
    [1, 4],
  ]);
  const numbers = pages.flatMap(({ Data }) => Data.map(({ TransactionNumber }) => TransactionNumber));
  expect(numbers.every((number) => BigInt(number) > 2n ** 53n)).toBe(true);
  expect(new Set(numbers).size).toBe(4);
});

test('times are those of UTC+8, without a zone', async () => {
  const { Data } = await page(1, 1);
  expect(Data[0]!.TransactionTime).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  const at = Date.parse(`${Data[0]!.TransactionTime.replace(' ', 'T')}+08:00`);
  expect(Math.abs(Date.now() - at)).toBeLessThan(60_000);
});

test('rows move while pages are read, when that is ordered', async () => {
  await cloud.behave('list_moves', { times: 2 });
  const first = await page(1, 2);
  const second = await page(2, 2);
  expect(second.Data[0]!.TransactionNumber).toBe(first.Data[1]!.TransactionNumber);
  expect(second.TotalCount).toBe(first.TotalCount + 1);
});

test.each([
  ['InvalidParameter', 1, 201],
  ['InvalidParameter', 0, 20],
  ['MaxOffsetLimit', 51, 200],
])('%s refuses page %i of size %i', async (code, number, size) => {
  await expect(page(number, size)).rejects.toMatchObject({ code });
});

test('the list of an account that the key may not read is refused', async () => {
  await cloud.fund('fa-hidden', 0, { isReadable: false });
  await expect(page(1, 20, { FundAccountId: 'fa-hidden' })).rejects.toMatchObject({
    code: 'NoFundAccountPermission',
  });
});

test('a throttled list says when to come again', async () => {
  await cloud.behave('list_throttled');
  await expect(page(1, 20)).rejects.toMatchObject({ code: 'Throttling.User', retryAfter: 1_000 });
  expect((await page(1, 20)).TotalCount).toBeGreaterThan(0);
});

test('the older list shows the same rows under its doubled name', async () => {
  const answer = await cloud.json({ version: '2017-12-14', action: 'QueryAccountTransactions' });
  const rows = answer.Data.AccountTransactionsList.AccountTransactionsList;
  expect(rows[0]).toMatchObject({ TransactionFlow: 'Expense', TransactionType: 'Transfer' });
});
