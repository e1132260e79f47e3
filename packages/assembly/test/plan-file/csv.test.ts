import { expect, test } from '@jest/globals';
import { planRows } from '../../src/plan-file/csv.js';
import { checkedLines, type LineRules } from '../../src/plan-file/lines.js';

const rules: LineRules = {
  isText: true,
  paymentMethods: ['sandbox', 'balance'],
  unroutable: () => null,
  wrongText: (text) => (text.length > 255 ? 'is too long' : null),
};

const HEADER = 'line,accountId,amount,currency,paymentMethod,destination,orderReference';

/** The lines of a file as `line account amount reference`, or its faults. */
async function read(file: string | Uint8Array, charset?: string): Promise<string[]> {
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file;
  const rows = await planRows(bytes, charset);
  if (!rows.ok) return rows.faults.map(({ message }) => message);
  const checked = checkedLines(rows.rows, { ...rules, placeOf: rows.placeOf });
  return checked.ok
    ? checked.lines.map((one) =>
        [one.line, one.accountId, one.amountMinor, one.orderReference]
          .filter((part) => part !== null)
          .join(' '),
      )
    : checked.faults.map(({ column, message }) => `${column}: ${message}`);
}

const table = (separator: string, end = '\r\n'): string =>
  [HEADER, '1,acct-1,4999,CNY,sandbox,,PO-7', '2,acct-2,100,CNY,,wallet,充值']
    .join('\n')
    .replaceAll(',', separator)
    .replaceAll('\n', end);
const LINES = ['1 acct-1 4999 PO-7', '2 acct-2 100 充值'];
const utf16 = (text: string): Uint8Array => Buffer.from(`\ufeff${text}`, 'utf16le');

test.each([
  ['commas', table(',')],
  ['a byte order mark', `\ufeff${table(',')}`],
  ['semicolons', table(';')],
  ['tabs', table('\t')],
  ['lines that end as on Unix', table(',', '\n')],
  ['a row that names the separator', `sep=;\r\n${table(';')}`],
  ['quotes around each cell', table(',').replace(/[^,\r\n]+/g, '"$&"')],
  [
    'empty rows in the middle and at the end',
    `${table(',').replace('\r\n2', '\r\n\r\n,,,,,,\r\n2')}\r\n,,,,,,\r\n\r\n`,
  ],
  ['empty columns at the end', `${table(',').replaceAll('\r\n', ',,\r\n')},,`],
  ['spaces around the cells and names in other letters', table(' , ').replace('accountId', 'AccountID')],
  ['UTF-16, as a spreadsheet saves text', utf16(table('\t'))],
])('a file with %s is read', async (_what, file) => {
  expect(await read(file)).toEqual(LINES);
});

test('a file in the charset of a Chinese Windows is read if its charset is named, and refused otherwise', async () => {
  // "充值" in GBK.
  const [before, after] = table(',').split('充值');
  const gbk = Buffer.concat([
    Buffer.from(before!),
    Buffer.from([0xb3, 0xe4, 0xd6, 0xb5]),
    Buffer.from(after!),
  ]);
  expect(await read(gbk, 'gbk')).toEqual(LINES);
  expect(await read(gbk)).toEqual([expect.stringContaining('not UTF-8')]);
});

test.each([
  '4.999',
  '4,999',
  '4 999',
  '4\u00a0999',
  "4'999",
  '49.99',
  '4999.00',
  '1E+05',
  '¥4999',
  '４９９９',
  '+4999',
  '-4999',
  '0',
  '0004999',
  '="4999"',
  '',
  '4999元',
  '99999999999999999999',
])('the amount %p is refused with its line, and never read as another one', async (amount) => {
  for (const separator of [',', ';', '\t']) {
    const cell = amount.includes(',') || amount.includes('"') ? `"${amount.replaceAll('"', '""')}"` : amount;
    const file = `line${separator}accountId${separator}amount${separator}currency\r\n1${separator}acct-1${separator}100${separator}CNY\r\n2${separator}acct-2${separator}${cell}${separator}CNY`;
    expect(await read(file)).toEqual([expect.stringMatching(/^amount: line 2 \(row 3\): /)]);
  }
});

test('a separator of thousands without quotes never moves an amount into another cell', async () => {
  expect(await read(`${HEADER}\r\n1,acct-1,4,999,CNY,sandbox,,PO-7`)).toEqual([
    'row 2: has a cell outside of the columns',
  ]);
  const short = await read('line,accountId,amount,currency,paymentMethod\r\n1,acct-1,4,999,CNY');
  expect(short).toEqual([
    expect.stringMatching(/^currency: line 1 \(row 2\): /),
    expect.stringMatching(/^paymentMethod: line 1 \(row 2\): /),
  ]);
});

test('a line that is there twice is refused, with numbers and without', async () => {
  const head = 'accountId,amount,currency';
  expect(await read(`line,${head}\r\n1,acct-1,5,CNY\r\n2,acct-2,5,CNY\r\n1,acct-3,7,CNY`)).toEqual([
    'line: line 1 (row 4): has the number of an earlier line, line 1 (row 2)',
  ]);
  expect(await read(`${head}\r\nacct-1,5,CNY\r\nacct-2,5,CNY\r\nacct-1,5,CNY`)).toEqual([
    'line: line 3 (row 4): is the same as line 1 (row 2); give each line a number if both are meant',
  ]);
});

test('a line that is there twice is found where one of them names what an empty cell means', async () => {
  const twice = ['accountId,amount,currency,paymentMethod', 'acct-1,5,CNY,', 'acct-1,5,CNY,sandbox'];
  expect(await read(twice.join('\r\n'))).toEqual([
    'line: line 2 (row 3): is the same as line 1 (row 2); give each line a number if both are meant',
  ]);
  const inJson = [{ orderReference: '' }, {}, { amount: 6 }].map((over) => ({
    ...{ accountId: 'acct-1', amount: 5, currency: 'CNY', ...over },
  }));
  expect(checkedLines(inJson, { ...rules, isText: false })).toMatchObject({
    ...{ ok: false, faults: [{ index: 1, message: expect.stringContaining('is the same as line 1') }] },
  });
});

test.each([
  ['line breaks in a cell', '1,acct-1,100,CNY,sandbox,,"PO-7\r\nand\r\nPO-8"', 3],
  ['an empty row before', '\r\n1,acct-1,100,CNY,sandbox,,PO-7', 4],
  ['a row of empty cells before', ',,,,,,\r\n1,acct-1,100,CNY,sandbox,,PO-7', 4],
])('a fault is told by its row in the spreadsheet, also with %s', async (_what, before, row) => {
  const faults = [expect.stringMatching(`^amount: line 2 \\(row ${row}\\): `)];
  const file = `${HEADER}\r\n${before}\r\n2,acct-2,1.00,CNY`;
  expect(await read(file)).toEqual(faults);
  // A spreadsheet does not show the row that names the separator.
  expect(await read(`sep=,\r\n${file}`)).toEqual(faults);
});

test('the names of the columns may stand below empty rows, and are named by their row', async () => {
  expect(await read(`\r\n\r\n${table(',')}`)).toEqual(LINES);
  expect(await read('\r\n\r\naccountId,currency\r\na,CNY')).toEqual(['row 3: the column amount is missing']);
});

test.each(['sep="', 'sep=0', 'sep=a', 'sep=.', 'sep=;;'])(
  'a row %p names no separator, and is refused as a row of names',
  async (row) => {
    expect((await read(`${row}\r\n${table(',')}`))[0]).toMatch(/^(row 1: |Invalid |Quote )/);
  },
);

test.each([
  ['a currency sign of another width', '￥4999'],
  ['commas of another width', '4，999'],
  ['the digits of another script', '٤٩٩٩'],
  ['a line break', '4\n999'],
  ['an invisible mark', '49\u200b99'],
  ['brackets for a debt', '(4999)'],
  ['a minus behind', '4999-'],
  ['the minus of typesetters', '\u22124999'],
  ['a percent sign', '4999%'],
  ['a date', '2026-11-01'],
  ['a formula', '=4999'],
  ['a formula of a sum', '=SUM(C2:C9)'],
  ['an apostrophe before', "'4999"],
  ['an exponent of a German spreadsheet', '1,00E+05'],
  ['a hexadecimal number', '0x1387'],
  ['an error of a spreadsheet', '#REF!'],
])('an amount with %s is refused with its line', async (_what, amount) => {
  const cell = `"${amount}"`;
  expect(await read(`line,accountId,amount,currency\r\n2,acct-2,${cell},CNY`)).toEqual([
    expect.stringMatching(/^amount: line 2 \(row 2\): /),
  ]);
});

test('UTF-16 without a mark is refused, and taken where it is named', async () => {
  const bytes = Buffer.from(table('\t'), 'utf16le');
  expect((await read(bytes))[0]).toMatch(/^row 1: |not UTF-8/);
  expect(await read(bytes, 'utf-16le')).toEqual(LINES);
});

test.each([
  ['an unknown column', 'accountId,amount,currency,color\r\na,1,CNY,red', 'row 1: "color" is no column'],
  ['a missing column', 'accountId,currency\r\na,CNY', 'row 1: the column amount is missing'],
  [
    'a column twice',
    'accountId,amount,amount,currency\r\na,1,2,CNY',
    'row 1: the column amount is there twice',
  ],
  ['a cell beyond the columns', 'accountId,amount,currency\r\na,1,CNY,9', 'row 2: has a cell outside'],
  ['no lines', 'accountId,amount,currency\r\n', 'lines: must have a line'],
  ['nothing', '', 'the file is empty'],
  ['a quote in the middle of a cell', 'accountId,amount,currency\r\na"b,1,CNY', 'Invalid Opening Quote'],
  ['text behind a quoted cell', 'accountId,amount,currency\r\n"a"b,1,CNY', 'line 2'],
  ['a cell without end', `accountId,amount,currency\r\n${'a'.repeat(17_000)},1,CNY`, 'Max Record Size'],
  ['a quote that never ends', 'accountId,amount,currency\r\n"a,1,CNY', 'Quote Not Closed'],
  [
    'a number of a line that is a date',
    'line,accountId,amount,currency\r\n2026/11/1,a,1,CNY',
    'line: line at place 1 (row 2): must be a whole number',
  ],
])('a file with %s is refused in words', async (_what, file, words) => {
  const faults = await read(file);
  expect(faults[0]).toContain(words);
});
