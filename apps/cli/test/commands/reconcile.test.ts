import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execute, newRecharge } from '@replenish/testing';
import { type CommandBooks, openCommandBooks } from '../support/command-books.js';

let books: CommandBooks;
let dir: string;
beforeAll(async () => {
  books = await openCommandBooks({ ALIBABA_CLOUD_RAIL: 'reseller_quota' });
  dir = await mkdtemp(join(tmpdir(), 'replenish-statement-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
  await books.close();
});

const HEADER = 'line,at,orderId,reference,direction,amount,currency,balance';
const save = async (name: string, ...rows: readonly string[]): Promise<string> => {
  const file = join(dir, name);
  await writeFile(file, [HEADER, ...rows].join('\n'));
  return file;
};

const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const period = ['--provider', 'sandbox', '--from', day(-1), '--to', day(1)];

test('a statement is compared with the books; only one that agrees ends with 0', async () => {
  const client = '00000000-0000-7000-8000-00000000000a';
  await execute(
    books.databaseUrl,
    `insert into client (id, name, env) values ('${client}', 'books', 'test')`,
  );
  const ids = ['1', '2'].map(
    (n) =>
      `${Date.now()
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})/, '$1-')}-7000-8000-00000000000${n}`,
  );
  for (const id of ids) {
    await books.domain.createRecharge(newRecharge({ id, amountMinor: 500n }));
    const report = { transactionId: id, source: 'submission', reason: 'as tested' } as const;
    await books.domain.applyNews({ ...report, news: 'submit' });
    await books.domain.applyNews({ ...report, news: 'settled' });
  }
  const rows = ids.map((id, n) => `${n + 1},${new Date().toISOString()},,${id},in,500,USD,${500 * (n + 1)}`);
  const short = await books.run('reconcile', ...period, '--file', await save('short.csv', rows[0]!));
  expect(short.exitCode).toBe(1);
  expect(short.text).toContain(`ours only: {"transactionId":"${ids[1]}"`);
  const whole = await save('whole.csv', ...rows);
  const good = await books.run('reconcile', ...period, '--file', whole);
  expect(good).toMatchObject({ exitCode: 0, text: '2 lines match, and nothing differs' });
  const asJson = await books.run('reconcile', ...period, '--file', whole, '--json');
  expect(JSON.parse(asJson.text)).toMatchObject({
    ...{ runId: expect.any(String), status: 'finished', failure: null, lines: 2, matched: 2 },
    ...{ outside: 0, oursOnly: [], theirsOnly: [], different: [], gaps: [] },
  });
  const long = await save('long.csv', `0,${day(-2)},,,in,500,USD,0`, ...rows);
  expect(await books.run('reconcile', ...period, '--file', long)).toMatchObject({
    exitCode: 0,
    text: expect.stringContaining('1 of 3 lines are outside the period, and were not compared'),
  });
});

test('a file with no line in the period compares nothing, which is no agreement', async () => {
  const file = await save(
    'other-month.csv',
    `1,${day(-40)},o-1,,in,500,USD,500`,
    `2,${day(-39)},o-2,,in,1,USD,501`,
  );
  const empty = ['--provider', 'sandbox', '--from', day(-20), '--to', day(-19)];
  const { exitCode, text } = await books.run('reconcile', ...empty, '--file', file);
  expect(text).toContain('2 of 2 lines are outside the period, and were not compared');
  expect(exitCode).toBe(1);
});

test('a file that cannot be read is refused with its line, and what was read before stays', async () => {
  const file = await save('broken.csv', '1,yesterday,,,in,1,USD,');
  const { exitCode, text } = await books.run('reconcile', ...period, '--file', file);
  expect(exitCode).toBe(1);
  expect(text).toContain('line 2, column at: "yesterday" is no RFC 3339 time');
});

test.each([
  ['no file there', [...period, '--file', '/nowhere.csv'], 'cannot read /nowhere.csv'],
  ['no end', ['--provider', 'sandbox', '--from', day(-1)], '--provider needs --from and --to'],
  [
    'no file of a provider without a statement',
    ['--provider', 'alibaba_cloud', ...period.slice(2)],
    'alibaba_cloud gives no statement of its own: name its file with --file',
  ],
  [
    'a period that runs backwards',
    ['--provider', 'sandbox', '--from', day(1), '--to', day(0), '--file', 'x'],
    '--from must be before --to',
  ],
  ['a file without its provider', ['--file', 'x'], '--from, --to and --file need --provider'],
  ['both kinds at once', [...period, '--file', 'x', '--now'], '--now and --provider exclude each other'],
])('%s is a misuse', async (_, args, words) => {
  const { exitCode, text } = await books.run('reconcile', ...args);
  expect(exitCode).toBe(2);
  expect(text).toContain(words);
});
