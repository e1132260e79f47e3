import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDatabase, type TestDatabase } from '@replenish/testing';
import { run } from '../../src/run.js';

let database: TestDatabase;
let empty: TestDatabase;
const silent = createServer((socket) => socket.end());
beforeAll(async () => {
  database = await createDatabase();
  empty = await createDatabase({ migrated: false });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
});
afterAll(async () => {
  silent.close();
  await empty.release();
  await database.release();
});

async function faultOf(args: readonly string[], change: (url: URL) => void): Promise<string> {
  const url = new URL(database.url);
  change(url);
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const env = { DATABASE_URL: url.href, REPLENISH_DIR: '/nowhere' };
  expect(await run(args, { env, say, complain: say })).toBe(1);
  return lines.join('\n');
}

type Case = readonly [name: string, change: (url: URL) => void, sentence: RegExp];
const cases: readonly Case[] = [
  [
    'a wrong password',
    (url) => Object.assign(url, { password: 'no' }),
    /^the database refuses the user or the password in DATABASE_URL$/,
  ],
  [
    'an unknown user',
    (url) => Object.assign(url, { username: 'bob' }),
    /^the database refuses the user or the password/,
  ],
  [
    'an unknown database',
    (url) => Object.assign(url, { pathname: '/none' }),
    /^the server has no database of the name in DATABASE_URL$/,
  ],
  ['nobody on the port', (url) => Object.assign(url, { port: '9' }), /^the database does not answer/],
  [
    'a host that is none',
    (url) => Object.assign(url, { hostname: 'no-such-host.invalid' }),
    /^the database does not answer/,
  ],
  [
    'another server',
    (url) => Object.assign(url, { port: String((silent.address() as { port: number }).port) }),
    /^the database does not answer/,
  ],
];

test.each(
  cases.flatMap(([name, change, sentence]) =>
    [['client', 'list'], ['migrate']].map((args) => [args.join(' '), name, args, change, sentence] as const),
  ),
)('%s reports %s in one sentence', async (_command, _name, args, change, sentence) => {
  expect(await faultOf(args, change)).toMatch(sentence);
});

test.each([['client', 'list'], ['verify'], ['audit']])(
  '%s %s tells that a migration is missing',
  async (...args) => {
    const fault = await faultOf(args, (url) => Object.assign(url, { pathname: new URL(empty.url).pathname }));
    expect(fault).toBe('the database has not the tables that this release needs: run `replenish migrate`');
  },
);
