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

const inJson = async (...args: string[]) => {
  const { exitCode, text } = await replenish(...args, '--json');
  expect({ exitCode, text }).toEqual({ exitCode: 0, text });
  return JSON.parse(text);
};

test('a user is made with a password and a second factor, a viewer without one, and a name is taken once', async () => {
  const admin = await inJson('user', 'create', '--name', 'ada', '--role', 'admin');
  expect(admin).toEqual({
    ...{ user: 'ada', password: expect.stringMatching(/^[\w-]{20}$/) },
    totpUri: expect.stringMatching(/^otpauth:\/\/totp\/Replenish:ada\?/),
    recoveryCodes: Array(10).fill(expect.stringMatching(/^[0-9a-f]{5}(-[0-9a-f]{5}){3}$/)),
  });
  const viewer = await inJson('user', 'create', '--name', 'vic', '--role', 'viewer');
  expect([viewer.totpUri, viewer.recoveryCodes]).toEqual([null, []]);
  expect(await replenish('user', 'create', '--name', 'ada', '--role', 'viewer')).toEqual({
    exitCode: 1,
    text: expect.stringContaining('there is a user ada already'),
  });
});

test('a user is listed, disabled and reset, and an unknown one is named', async () => {
  await inJson('user', 'create', '--name', 'olga', '--role', 'operator');
  const state = async () => {
    const users: { user: string; role: string; disabledAt: string | null }[] = await inJson('user', 'list');
    const { role, disabledAt } = users.find(({ user }) => user === 'olga')!;
    return [role, disabledAt !== null];
  };
  expect(await inJson('user', 'disable', 'olga')).toEqual({ user: 'olga', disabled: true });
  expect(await state()).toEqual(['operator', true]);
  await inJson('user', 'reset', 'olga');
  expect(await inJson('user', 'role', 'olga', '--role', 'viewer')).toEqual({ user: 'olga', role: 'viewer' });
  expect(await state()).toEqual(['viewer', false]);
  expect(await inJson('user', 'end-sessions', 'olga')).toEqual({ ended: 0 });
  for (const command of ['disable', 'reset'])
    expect(await replenish('user', command, 'nobody')).toMatchObject({ exitCode: 1 });
});

test('a role or a name that does not exist is refused with exit code 2', async () => {
  for (const args of [
    ['--name', 'x', '--role', 'root'],
    ['--name', '', '--role', 'viewer'],
    ['--name', 'a b', '--role', 'viewer'],
  ])
    expect((await replenish('user', 'create', ...args)).exitCode).toBe(2);
});

test('the limits of approvals of a key and of a payee are kept, and wrong ones are refused', async () => {
  const rights = ['--scopes', 'recharges:write', '--accounts', '*'];
  const limits = ['--approval-above', 'CNY:100000', '--approval-above', 'USD:5'];
  const { keyId } = await inJson(
    'client',
    'create',
    '--name',
    'shop',
    ...rights,
    ...limits,
    '--actor',
    'ada',
  );
  const key = await inJson('client', 'key', 'describe', keyId);
  expect(key.approvalAbove).toEqual({ CNY: 100_000, USD: 5 });
  const payee = ['--provider', 'alibaba_cloud', '--to', 'fa-7', '--currency', 'CNY'];
  const set = await inJson('payee', 'set', 'acct-1', ...payee, '--approval-above', 'CNY:7');
  expect([set.approvalAbove, (await inJson('payee', 'show', 'acct-1')).approvalAbove]).toEqual([
    { CNY: 7 },
    { CNY: 7 },
  ]);
  const own = await inJson('payee', 'set', 'acct-1', ...payee, '--from', 'fa-main');
  expect([set.from, own.from, (await inJson('payee', 'show', 'acct-1')).from]).toEqual([
    ...['fa-main', 'fa-main', 'fa-main'],
  ]);
  for (const wrong of ['CNY', 'CNY:0', 'CNY:1.5', 'cny:1', 'XXY:1'])
    expect(
      (await replenish('client', 'create', '--name', 'x', ...rights, '--approval-above', wrong)).exitCode,
    ).toBe(2);
});
