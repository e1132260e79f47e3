import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CommandBooks, openCommandBooks } from '../support/command-books.js';

let books: CommandBooks;
let client: string;
const dir = mkdtempSync(join(tmpdir(), 'replenish-plan-'));
beforeAll(async () => {
  books = await openCommandBooks();
  ({ clientId: client } = await books.domain.clients.create({
    ...{ name: 'shop', env: 'test', scopes: [], accounts: [] },
  }));
});
afterAll(async () => {
  await books.close();
  rmSync(dir, { recursive: true });
});

const fileOf = (name: string, text: string): string => {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
};
const CSV = 'line;accountId;amount;currency\r\n1;acct-1;100;USD\r\n2;acct-2;250;USD\r\n;;;\r\n';

test('a file becomes a plan of a client, once, and is shown by its file and by its id', async () => {
  const file = fileOf('november.csv', CSV);
  const made = JSON.parse((await books.run('plan', 'create', file, '--client', 'shop', '--json')).lines[0]!);
  expect(made).toMatchObject({ name: 'november', status: 'draft', lines: 2, total: 350, notStarted: 2 });
  const again = await books.run('plan', 'create', file, '--client', client, '--json');
  expect(JSON.parse(again.lines[0]!)).toEqual(made);
  for (const given of [[file, '--client', 'shop'], [made.planId]]) {
    const { exitCode, lines } = await books.run('plan', 'show', ...given);
    expect([exitCode, lines.join('\n')]).toEqual([
      0,
      expect.stringMatching(/name +november\nstatus +draft[\s\S]*0 of 2 lines/),
    ]);
  }
});

test('a plan is started, paused, resumed and canceled', async () => {
  const file = fileOf(
    'moves.json',
    '{"lines": [{"line": 1, "accountId": "a", "amount": 5, "currency": "USD"}]}',
  );
  const started = await books.run('plan', 'start', file, '--client', 'shop', '--no-follow', '--json');
  const { planId, status } = JSON.parse(started.lines[0]!);
  expect(status).toBe('running');
  for (const [verb, after] of [
    ['pause', 'paused'],
    ['resume', 'running'],
    ['cancel', 'canceled'],
  ] as const)
    expect(JSON.parse((await books.run('plan', verb, planId, '--json')).lines[0]!).status).toBe(after);
  expect(await books.run('plan', 'start', planId)).toMatchObject({
    exitCode: 1,
    lines: [expect.stringContaining('the plan is canceled')],
  });
});

test('a file with faults is refused with each line and column, and nothing is stored', async () => {
  const file = fileOf('faulty.csv', CSV.replace('100', '1.00').replace('acct-2', 'a b'));
  const { exitCode, lines } = await books.run('plan', 'create', file, '--client', 'shop');
  expect(exitCode).toBe(2);
  expect(lines.join('\n')).toMatch(/amount line 1 \(row 2\): "1.00" has a separator/);
  expect(lines.join('\n')).toMatch(/accountId line 2 \(row 3\): must be/);
  expect((await books.run('plan', 'show', file, '--client', 'shop')).exitCode).toBe(1);
  const card = fileOf(
    'card.csv',
    'accountId;amount;currency;orderReference\r\na;5;USD;4111 1111 1111 1111\r\n',
  );
  const refused = await books.run('plan', 'create', card, '--client', 'shop');
  expect([refused.exitCode, refused.text]).toEqual([2, expect.stringContaining('payment card')]);
  const dear = fileOf('dear.csv', CSV);
  expect((await books.run('plan', 'create', dear, '--client', 'shop', '--budget', '349')).exitCode).toBe(2);
  expect((await books.run('plan', 'create', dear, '--client', 'nobody')).exitCode).toBe(2);
});

test.each([
  [
    'a key twice',
    '{"line": 1, "accountId": "a", "amount": 5, "amount": 500, "currency": "USD"}',
    /a key twice/,
  ],
  ['an exponent', '{"line": 1, "accountId": "a", "amount": 5e3, "currency": "USD"}', /the number 5e3/],
  [
    'a digit that a float drops',
    '{"line": 1, "accountId": "a", "amount": 4999.0000000000001, "currency": "USD"}',
    /the number 4999\.0000000000001/,
  ],
])('JSON with %s is refused, as the API refuses it', async (what, line, why) => {
  const file = fileOf(`${what}.json`, `{"lines": [${line}]}`);
  const { exitCode, lines } = await books.run('plan', 'create', file, '--client', 'shop');
  expect([exitCode, lines.join('\n')]).toEqual([2, expect.stringMatching(why)]);
});

test('JSON without a list of lines is refused', async () => {
  const { exitCode, lines } = await books.run(
    ...['plan', 'create', fileOf('no list.json', '{"lines": 7}'), '--client', 'shop'],
  );
  expect([exitCode, lines.join('\n')]).toEqual([2, expect.stringContaining('must hold a list')]);
});

test('a file of a Chinese Windows is read when its charset is named', async () => {
  const file = join(dir, 'gbk.csv');
  // "充值" in GBK.
  const reference = Buffer.from([0xb3, 0xe4, 0xd6, 0xb5]);
  writeFileSync(
    file,
    Buffer.concat([Buffer.from('accountId,amount,currency,orderReference\r\nacct-1,5,CNY,'), reference]),
  );
  const create = (...more: string[]) =>
    books.run('plan', 'create', file, '--client', 'shop', '--json', ...more);
  expect(await create()).toMatchObject({ exitCode: 2, lines: [expect.stringContaining('--charset')] });
  expect(await create('--charset', 'klingon')).toMatchObject({ exitCode: 2 });
  const { lines } = await create('--charset', 'gbk');
  const plan = await books.domain.plans.lines(JSON.parse(lines[0]!).planId, { afterPlace: 0, limit: 1 });
  expect(plan[0]).toMatchObject({ orderReference: '充值' });
});
