import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { StatementLine } from '@replenish/domain';
import { statementLines } from '../../src/statement-file.js';

async function read(...pieces: readonly Uint8Array[]): Promise<StatementLine[]> {
  const lines: StatementLine[] = [];
  for await (const line of statementLines(Readable.from(pieces))) lines.push(line);
  return lines;
}

const OURS = '01a2122d-35de-70af-9927-1ae329a0e10b';

test("Stripe's itemized report is read, and payouts only count in the balance", async () => {
  const rows = [
    'balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id,payment_metadata[transaction_id]',
    `txn_1,2026-11-21 22:00:00,usd,49.99,1.75,48.24,charge,ch_1,pi_1,${OURS}`,
    'txn_2,2026-11-21 22:01:00,jpy,-500,0,-500,refund,re_1,pi_2,',
    'txn_3,2026-11-22 00:00:00,usd,-48.24,0,-48.24,payout,po_1,,',
  ];
  expect(await read(Buffer.from(rows.join('\n')))).toEqual([
    {
      ...{ line: 'txn_1', at: new Date('2026-11-21T22:00:00Z'), orderId: 'pi_1', reference: OURS },
      ...{ direction: 'in', amountMinor: 4_999n, currency: 'USD', balanceMinor: null, isOfProvider: false },
    },
    {
      ...{ line: 'txn_2', at: new Date('2026-11-21T22:01:00Z'), orderId: 're_1', reference: null },
      ...{ direction: 'out', amountMinor: 500n, currency: 'JPY', balanceMinor: null, isOfProvider: false },
    },
    expect.objectContaining({ line: 'txn_3', direction: 'out', isOfProvider: true }),
  ]);
});

// In GB 18030: a comment, the names, a payment, its fee, a refund, and a comment at the end.
const alipayInBase64 = [
  'I9anuLaxptXLzvHD98+4sunRrw0KI9XLusU6WzIwODgxMjM0NTY3ODkwMTIwMTU2XQ0K1cvO8cH3y666xSzStc7xwffLrrrF',
  'LMnMu6e2qbWlusUsyczGt8P7s8Yst6LJ+sqxvOQsttS3vdXLusUsytXI673wtu6jqCvUqqOpLNans/a98Lbuo6gt1KqjqSzV',
  'y7un0+C27qOo1KqjqSy9u9LXx/61wCzStc7xwODQzSyxuNeiDQoxMDAxCSwyMDI2MTEyMjIyMDAxCSwwMWEyMTIyZDM1ZGU3',
  'MGFmOTkyNzFhZTMyOWEwZTEwYgkss+TWtQksMjAyNi0xMS0yMiAwNjowMDowMCxidXllciwxMDAuMDAsLDExMDAuMDAs1qe4',
  'trGmLNTaz9/Wp7i2LA0KMTAwMgksMjAyNjExMjIyMjAwMQksMDFhMjEyMmQzNWRlNzBhZjk5MjcxYWUzMjlhMGUxMGIJLCwy',
  'MDI2LTExLTIyIDA2OjAwOjAxLCwsLTAuNjAsMTA5OS40MCzWp7i2saYsytW30SwNCjEwMDMJLDIwMjYxMTIyMjIwMDEJLDAx',
  'YTIxMjJkMzVkZTcwYWY5OTI3MWFlMzI5YTBlMTBiCSwsMjAyNi0xMS0yMiAwNzowMDowMCwsLC0yNS4wMCwxMDc0LjQwLNan',
  'uLaxpiy9u9LXzcu/7iwNCiMtLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLdXLzvHD98+4wdCx7b3h',
  'yvgtLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0NCg==',
].join('');

test("Alipay's bill is read from its own encoding, in pieces that cut characters", async () => {
  const file = Buffer.from(alipayInBase64, 'base64');
  const lines = await read(file.subarray(0, 301), file.subarray(301, 302), file.subarray(302));
  expect(lines).toEqual([
    {
      ...{
        line: '1001',
        at: new Date('2026-11-21T22:00:00Z'),
        orderId: '2026112222001',
        reference: OURS.replaceAll('-', ''),
      },
      ...{
        direction: 'in',
        amountMinor: 10_000n,
        currency: 'CNY',
        balanceMinor: 110_000n,
        isOfProvider: false,
      },
    },
    expect.objectContaining({
      direction: 'out',
      amountMinor: 60n,
      balanceMinor: 109_940n,
      isOfProvider: true,
    }),
    expect.objectContaining({ direction: 'out', amountMinor: 2_500n, orderId: null, reference: null }),
  ]);
});

test('an amount with digits that its currency does not have is refused with its line and column', async () => {
  const header = 'balance_transaction_id,created_utc,currency,gross,reporting_category,source_id';
  const rows = [header, 'txn_1,2026-11-21 22:00:00,jpy,5.5,charge,ch_1'];
  await expect(read(Buffer.from(rows.join('\n')))).rejects.toThrow(
    'line 2, column gross: "5.5" is no amount in JPY',
  );
});

test('bytes that are not UTF-8 are refused, but for the file of Alipay', async () => {
  await expect(read(Buffer.from([0x61, 0xff, 0xff, 0x0a]))).rejects.toThrow('the file is not in UTF-8');
});

test("Alibaba Cloud's transaction list is read as a table, with thousands separated", async () => {
  const rows = [
    'TransactionNumber,TransactionType,TransactionTime,TransactionDirection,TransactionAmount,Balance,Currency,Remark',
    `543231231,TRANSFER,2026-11-22 06:00:00,OUT,"1,234.50","10,000.00",CNY,RPL1 ${OURS} 0123456789ab`,
    '543231232,CHARGE,2026-11-22 06:00:01,IN,500.00,"10,500.00",CNY,',
  ];
  expect(await read(Buffer.from(rows.join('\n')))).toEqual([
    {
      ...{ line: '543231231', at: new Date('2026-11-21T22:00:00Z'), orderId: '543231231', reference: OURS },
      ...{ direction: 'out', amountMinor: 123_450n, currency: 'CNY', balanceMinor: 1_000_000n },
      isOfProvider: false,
    },
    expect.objectContaining({ direction: 'in', reference: null, balanceMinor: 1_050_000n }),
  ]);
  for (const [from, to, words] of [
    ['OUT', 'out', /line 2, column TransactionDirection: "out" is none of IN, OUT/],
    ['1,234.50', '12,34.50', /line 2, column TransactionAmount/],
    ['CNY', 'cny', /line 2, column currency/],
  ] as const)
    await expect(read(Buffer.from(rows.join('\n').replace(from, to)))).rejects.toThrow(words);
});
