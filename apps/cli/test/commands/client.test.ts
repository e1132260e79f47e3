import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDatabase, type TestDatabase } from '@replenish/testing';
import { run } from '../../src/run.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.release());

const masterKeys = `a:${randomBytes(32).toString('base64')}`;

async function replenish(...args: string[]): Promise<{ exitCode: number; text: string }> {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const env = { DATABASE_URL: database.url, REPLENISH_DIR: '/nowhere', MASTER_KEYS: masterKeys };
  const exitCode = await run(args, { env, say, complain: say });
  return { exitCode, text: lines.join('\n') };
}

type Made = { clientId: string; keyId: string; secret: string };
async function made(...args: string[]): Promise<Made> {
  const { exitCode, text } = await replenish(...args, '--json');
  expect({ exitCode, text }).toEqual({ exitCode: 0, text: expect.stringContaining('rs_') });
  return JSON.parse(text) as Made;
}

const create = (name: string, ...more: string[]) =>
  ['client', 'create', '--name', name, '--scopes', 'recharges:write', '--accounts', '*', ...more] as const;

test('the list of keys has column heads, client ids and key ids', async () => {
  const { clientId, keyId } = await made(...create('listed'));
  const [heads, ...rows] = (await replenish('client', 'list')).text.split('\n');
  expect(heads).toMatch(/^CLIENT +CLIENT ID +KEY ID +ENV +STATE +SCOPES +ACCOUNTS$/);
  expect(rows.find((row) => row.startsWith('listed '))).toMatch(
    new RegExp(`^listed +${clientId} +${keyId} +test +active +recharges:write +\\*$`),
  );
});

test('a second client of the same name is refused, unless an option allows it or the first one is revoked', async () => {
  const first = await made(...create('twice'));
  expect(await replenish(...create('twice'))).toEqual({
    exitCode: 1,
    text: expect.stringMatching(new RegExp(`client twice already.*${first.keyId}.*--allow-same-name`)),
  });
  const second = await made(...create('twice', '--allow-same-name'));
  await made(...create('twice', '--env', 'live'));
  for (const { keyId } of [first, second]) await replenish('client', 'revoke', keyId);
  await made(...create('twice'));
});

test('a client can get further keys of its environment, with other rights', async () => {
  const first = await made(...create('finance', '--env', 'live'));
  const rights = ['--scopes', 'balances:read', '--accounts', 'acct-1*', '--ceiling', 'USD:5:7'];
  const byName = await made('client', 'key', 'add', 'finance', ...rights);
  const byId = await made('client', 'key', 'add', first.clientId, ...rights);
  for (const { clientId, keyId } of [byName, byId])
    expect({ clientId, keyId }).toEqual({
      clientId: first.clientId,
      keyId: expect.stringMatching(/^rk_live_/),
    });
  const { text } = await replenish('client', 'key', 'list', 'finance', '--json');
  const keys = JSON.parse(text) as { keyId: string }[];
  expect(keys.map(({ keyId }) => keyId)).toEqual([first, byName, byId].map(({ keyId }) => keyId));
  const described = await replenish('client', 'key', 'describe', byName.keyId, '--json');
  expect(JSON.parse(described.text)).toMatchObject({
    scopes: ['balances:read'],
    accounts: ['acct-1*'],
    ceilings: { USD: { requestMinor: 5, dayMinor: 7 } },
  });
  expect((await replenish('client', 'key', 'describe', byName.keyId)).text).toMatch(
    /^scopes +\["balances:read"\]$/m,
  );
});

test('a name that no client or several clients have is refused', async () => {
  await made(...create('same'));
  await made(...create('same', '--env', 'live'));
  const add = (client: string) =>
    replenish('client', 'key', 'add', client, '--scopes', 'balances:read', '--accounts', '*');
  expect(await add('nobody')).toEqual({ exitCode: 1, text: 'no client nobody' });
  expect(await add('same')).toEqual({
    exitCode: 1,
    text: expect.stringMatching(/^2 clients have the name same/),
  });
  expect(await replenish('client', 'key', 'describe', 'nope')).toEqual({ exitCode: 1, text: 'no key nope' });
});

test('an OAuth subject belongs to one key', async () => {
  await made(...create('one', '--oauth-subject', 'shop@clients'));
  expect(await replenish(...create('two', '--oauth-subject', 'shop@clients'))).toEqual({
    exitCode: 1,
    text: 'another key stands for this OAuth subject already',
  });
});
