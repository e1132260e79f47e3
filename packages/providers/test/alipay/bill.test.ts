import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { encode } from 'iconv-lite';
import { readBill } from '../../src/alipay/bill.js';
import { openBillFiles } from '../../src/alipay/bill-file.js';

const OURS = '01a2122d-35de-70af-9927-1ae329a0e10b';
const number = OURS.replaceAll('-', '');

// The form of a real bill: numbers end with a tab, and times are of China.
const bill = [
  '#支付宝业务明细查询',
  '#账号：[20880000000000090156]',
  '#起始日期：[2026年11月22日 00:00:00]   终止日期：[2026年11月23日 00:00:00]',
  '#-----------------------------------------业务明细列表----------------------------------------',
  '支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,订单金额（元）,商家实收（元）,退款批次号/请求号,服务费（元）,备注',
  `2026112222001\t,${number}\t,交易\t,Account recharge,2026-11-22 07:59:00,2026-11-22 08:00:00,49.99,49.99,\t,-0.30,`,
  '2026112222002\t,shop_7\t,退款\t,a "quoted" name,2026-11-20 10:00:00,2026-11-22 07:00:00,-10.00,-9.50,r_1\t,0.06,',
  '#-----------------------------------------业务明细列表结束------------------------------------',
  '#交易合计：1笔，商家实收共49.99元，商家优惠共0.00元',
  '#退款合计：1笔，商家实收退款共-9.50元，商家优惠退款共0.00元',
  '#导出时间：[2026年11月23日 09:00:00]',
];
const read = (lines: readonly string[]) => {
  const bytes = encode(lines.map((line) => `${line}\r\n`).join(''), 'gbk');
  // Pieces of odd length cut characters of two bytes.
  const pieces = Array.from({ length: Math.ceil(bytes.length / 101) }, (_, n) =>
    bytes.subarray(n * 101, (n + 1) * 101),
  );
  return readBill(Readable.from(pieces));
};
const changed = (from: string, to: string) => bill.map((line) => line.replace(from, to));

test('a bill is read in order of time, with its own encoding and its zone', async () => {
  expect(await read(bill)).toEqual([
    {
      ...{ line: '2026112222002/r_1', at: new Date('2026-11-21T23:00:00Z'), orderId: 'r_1', reference: null },
      ...{ direction: 'out', amountMinor: 1_000n, currency: 'CNY', balanceMinor: null },
    },
    {
      ...{ line: '2026112222001', at: new Date('2026-11-22T00:00:00Z'), orderId: number, reference: OURS },
      ...{ direction: 'in', amountMinor: 4_999n, currency: 'CNY', balanceMinor: null },
    },
  ]);
});

test('the file of sums per shop is another file', async () => {
  expect(await read(['#支付宝业务汇总查询', ...bill.slice(1)])).toBe('other');
  expect(await read([])).toBe('other');
});

test.each([
  ['the end of the list is missing', bill.slice(0, 7)],
  ['the totals are missing', bill.slice(0, 8)],
  ['a row is missing', bill.toSpliced(5, 1)],
  ['a row is there twice', bill.toSpliced(5, 0, bill[5]!)],
  ['a row comes after the end', [...bill, bill[5]!]],
  ['a row has a column more', changed('Account recharge', 'Account, recharge')],
  ['a column is missing', changed('商家实收', 'received')],
  ['an amount is no amount', changed('49.99,49.99', '4999e-2,49.99')],
  ['an amount is nothing', changed('49.99,49.99', '0.00,49.99')],
  ['a refund brings money', changed('-10.00', '10.00')],
  ['the sum is another one', changed('商家实收共49.99', '商家实收共49.98')],
  ['a time has another form', changed('2026-11-22 08:00:00', '2026/11/22 08:00:00')],
  ['a kind is unknown', changed('退款\t', '转账\t')],
])('a bill is malformed when %s', async (_, lines) => {
  expect(await read(lines)).toBe('malformed');
});

test('no address of another host is asked, nor one with a port or a name of its own', async () => {
  const files = openBillFiles('http://127.0.0.1:9');
  for (const address of [
    ...[
      'http://127.0.0.1:8/bill',
      'http://localhost:9/bill',
      'https://alipay.com.example.com/',
      'https://notalipay.com/',
    ],
    ...[
      'https://dwbillcenter.alipay.com:8443/',
      'https://a@dwbillcenter.alipay.com/',
      'ftp://dwbillcenter.alipay.com/',
    ],
    ...['no address', null, 7],
  ])
    expect(await files.fetch(address, AbortSignal.timeout(5_000))).toEqual({
      ...{ kind: 'failed', httpStatus: null },
      outcome: { kind: 'unknown', cause: 'unreadable', code: 'bill_file' },
    });
  // This address is asked, and nothing listens there.
  expect(await files.fetch('http://127.0.0.1:9/bill', AbortSignal.timeout(5_000))).toMatchObject({
    outcome: { cause: 'disconnected' },
  });
  await files.close();
});
