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
  const dear = fileOf('dear.csv', CSV);
  expect((await books.run('plan', 'create', dear, '--client', 'shop', '--budget', '349')).exitCode).toBe(2);
  expect((await books.run('plan', 'create', dear, '--client', 'nobody')).exitCode).toBe(2);
});
