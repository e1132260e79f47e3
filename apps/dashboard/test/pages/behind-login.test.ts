import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '@replenish/runtime';
import { execute, newRecharge } from '@replenish/testing';
import { type Person, type ServedDashboard, serveDashboard } from '../served.js';
import { CLIENT, type Said, troubles } from './support/console.js';
import { englishIn } from './support/english.js';

let dashboard: ServedDashboard;
let mia: Person;
let leo: Person;
beforeAll(async () => {
  dashboard = await serveDashboard();
  await execute(
    dashboard.database.url,
    `insert into client (id, name, env) values ('${CLIENT}', 'shop', 'test')`,
  );
  mia = await dashboard.person('mia', 'operator');
  leo = await dashboard.person('leo', 'admin');
});
afterAll(() => dashboard.close());

async function lateCase(): Promise<string> {
  const id = newId();
  await dashboard.domain.createRecharge(newRecharge({ id, clientId: CLIENT, amountMinor: 100n }));
  for (const [news, more] of troubles.late as readonly Said[])
    await dashboard.domain.applyNews({
      transactionId: id,
      news,
      source: 'webhook',
      reason: 'as tested',
      ...more,
    });
  const filter = { viewer: null, transactionId: id, limit: 1 } as const;
  const [one] = (await dashboard.domain.cases.list(filter, () => true)).rows;
  return one!.id;
}

const html = { accept: 'text/html' };

/** The fields of the form that a person sees on a page. */
async function formOf(path: string, cookie: string): Promise<Record<string, string>> {
  const text = await (await dashboard.get(path, { cookie, ...html })).text();
  return Object.fromEntries(
    [...text.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name!,
      value!,
    ]),
  );
}
const isOpen = async (caseId: string): Promise<boolean> =>
  (await dashboard.domain.cases.one(caseId, null, () => true))?.closedAt === null;

test('without a session every page leads to the login', async () => {
  for (const path of ['/', '/recharges', '/cases', '/clients']) {
    const answer = await dashboard.get(path, html);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login']);
  }
});

test('an operator decides a case with a fresh code, which serves once', async () => {
  const [first, second] = [await lateCase(), await lateCase()];
  const { cookie } = await mia.signIn();
  const code = mia.code();
  const decide = async (caseId: string) => {
    const path = `/cases/${caseId}/adopt`;
    const fields = { ...(await formOf(path, cookie)), reason: 'on the statement', code };
    return dashboard.send('POST', path, { cookie }, fields);
  };
  expect((await decide(first)).status).toBe(303);
  expect((await decide(second)).status).toBe(403);
  expect([await isOpen(first), await isOpen(second)]).toEqual([false, true]);
  const decided = await dashboard.domain.cases.one(first, null, () => true);
  expect(decided?.resolution).toMatchObject({ actor: 'mia', verb: 'adopt' });
});

test.each([
  ['without the token of its session', { _csrf: '' }, {}],
  ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
  ['without a code', { code: '' }, {}],
])('a form %s decides nothing', async (_, change, headers) => {
  const caseId = await lateCase();
  const { cookie } = await mia.signIn();
  const path = `/cases/${caseId}/adopt`;
  const fields = { ...(await formOf(path, cookie)), reason: 'forged', code: mia.code(), ...change };
  const answer = await dashboard.send('POST', path, { cookie, ...headers }, fields);
  expect([answer.status, await isOpen(caseId)]).toEqual([403, true]);
});

test('pages allow neither scripts nor styles but our own files', async () => {
  const { cookie } = await mia.signIn();
  const { headers } = await dashboard.get('/', { cookie, ...html });
  expect(headers.get('content-security-policy')).toMatch(/script-src 'self';style-src 'self';/);
});

test('a refusal is told in the language of the reader', async () => {
  const { cookie } = await mia.signIn();
  const answer = await dashboard.get('/clients', { cookie, ...html, 'accept-language': 'zh-CN' });
  const text = await answer.text();
  expect([answer.status, englishIn(text)]).toEqual([403, []]);
  expect(text).toContain('您的角色是 操作员；此操作需要 管理员');
  const plain = await dashboard.get('/clients', { cookie, 'accept-language': 'zh-CN' });
  expect((await plain.json()).detail).toBe('your role is operator; this needs admin');
});

test('a key that an admin makes at the console has its maker and the reason on record', async () => {
  const { cookie } = await leo.signIn();
  const fields = {
    ...(await formOf('/clients/new', cookie)),
    name: 'new shop',
    env: 'test',
    accounts: 'acct-*',
  };
  const answer = await dashboard.send(
    'POST',
    '/clients/new',
    { cookie },
    {
      ...{ ...fields, scopes: 'recharges:read', reason: 'asked for by mail', code: leo.code() },
    },
  );
  const [, keyId] = /<code>(rk_test_\w+)<\/code>/.exec(await answer.text()) ?? [];
  expect([answer.status, (await dashboard.domain.clients.find(keyId!))?.key.scopes]).toEqual([
    200,
    ['recharges:read'],
  ]);
  const acts = await dashboard.domain.console.actions(null, 5);
  expect(acts).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ actor: 'leo', verb: 'create_key', subject: `key ${keyId}` }),
      expect.objectContaining({ actor: 'leo', verb: 'console_create', reason: 'asked for by mail' }),
    ]),
  );
});
