import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { StatementLine } from '@replenish/domain';
import { StatementFault, statementLines } from '../src/statement-file.js';

const HEADER = 'line,at,orderId,reference,direction,amount,currency,balance';

async function read(...rows: readonly string[]): Promise<StatementLine[]> {
  const lines: StatementLine[] = [];
  for await (const line of statementLines(Readable.from([Buffer.from(rows.join('\r\n'))]))) lines.push(line);
  return lines;
}

const first = {
  line: '1',
  at: new Date('2026-11-01T08:00:00.000Z'),
  orderId: 'o-1',
  reference: null,
  direction: 'in',
  amountMinor: 1_234n,
  currency: 'CNY',
  balanceMinor: -5n,
};

test('a line is read with its offset, its missing fields, and a balance below zero', async () => {
  expect(await read(HEADER, '1,2026-11-01T16:00:00+08:00,o-1,,in,1234,CNY,-5')).toEqual([first]);
});

test('a byte order mark, semicolons, quotes, spaces and empty lines change nothing', async () => {
  const header = `\uFEFF${HEADER.replaceAll(',', ';')}`;
  const rows = ['"1"; 2026-11-01T08:00:00Z ;o-1;;IN;1234;CNY;-5', '', ';;;;;;;', ''];
  expect(await read(header, ...rows)).toEqual([first]);
});

test('a million lines pass in a stream, one after the other', async () => {
  async function* rows() {
    yield `${HEADER}\n`;
    for (let n = 0; n < 1_000; n++)
      yield Array.from({ length: 100 }, () => '1,2026-11-01T08:00:00Z,o-1,,in,1,CNY,\n').join('');
  }
  let count = 0;
  for await (const { amountMinor } of statementLines(Readable.from(rows()))) count += Number(amountMinor);
  expect(count).toBe(100_000);
});

test.each([
  ['an unknown column', [`${HEADER},fee`, '1'], 'line 1: unknown column "fee"'],
  ['a missing column', ['line,at,direction,amount', '1'], 'line 1: the column currency is missing'],
  ['a column twice', [`${HEADER},line`, '1'], 'line 1: a column is there twice'],
  ['a time without an offset', [HEADER, '1,2026-11-01T08:00:00,,,in,1,CNY,'], 'line 2, column at'],
  ['a day that does not exist', [HEADER, '1,2026-13-01T08:00:00Z,,,in,1,CNY,'], 'line 2, column at'],
  ['a fraction', [HEADER, '1,2026-11-01T08:00:00Z,,,in,1.50,CNY,'], 'line 2, column amount: "1.50"'],
  ['a thousands separator', [HEADER, '1,2026-11-01T08:00:00Z,,,in,"1,000",CNY,'], 'line 2, column amount'],
  ['a zero', [HEADER, '1,2026-11-01T08:00:00Z,,,in,0,CNY,'], 'line 2, column amount: must be above zero'],
  ['an amount below zero', [HEADER, '1,2026-11-01T08:00:00Z,,,out,-7,CNY,'], 'line 2, column amount'],
  ['an amount of 2^61', [HEADER, '1,2026-11-01T08:00:00Z,,,in,2305843009213693952,CNY,'], 'too large'],
  ['a balance of -2^61', [HEADER, '1,2026-11-01T08:00:00Z,,,in,1,CNY,-2305843009213693952'], 'too large'],
  ['another direction', [HEADER, '1,2026-11-01T08:00:00Z,,,credit,1,CNY,'], 'line 2, column direction'],
  ['a currency that is none', [HEADER, '1,2026-11-01T08:00:00Z,,,in,1,cny,'], 'line 2, column currency'],
  ['a row that is too short', [HEADER, '1,2026-11-01T08:00:00Z'], 'line 2'],
  ['a quote in the middle of a cell', [HEADER, '1,2026-11-01T08:00:00Z,a"b,,in,1,CNY,'], 'Quote'],
  ['an open quote', [HEADER, '"1,2026-11-01T08:00:00Z,,,in,1,CNY,'], 'Quote'],
])('%s is refused with its line and column', async (_, rows, words) => {
  const fault = await read(...rows).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(StatementFault);
  expect((fault as StatementFault).message).toContain(words);
});
