import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import pg from 'pg';
import { cookieIn, PASSWORD, type Person, type ServedDashboard, serveDashboard } from './served.js';

let dashboard: ServedDashboard;
let admin: Person;
let approver: Person;
let operator: Person;
beforeAll(async () => {
  dashboard = await serveDashboard();
  [admin, approver, operator] = [
    await dashboard.person('root', 'admin'),
    await dashboard.person('eve', 'approver'),
    await dashboard.person('olga', 'operator'),
  ];
});
afterAll(() => dashboard.close());
// Wrong attempts of one test must not close the login for the next one.
beforeEach(() => execute(dashboard.database.url, 'truncate login_attempt'));

const login = (username: string, code: string, headers = {}) =>
  dashboard.login(PASSWORD, headers, { username, code });

test('the second factor is needed, and a code signs in once', async () => {
  const code = admin.code();
  const without = await login('root', '');
  const right = await login('root', code);
  const replayed = await login('root', code);
  expect([without.status, right.status, replayed.status]).toEqual([401, 303, 401]);
});

test('a wrong password uses up no code', async () => {
  const code = admin.code();
  const wrong = await dashboard.login('wrong', {}, { username: 'root', code });
  const right = await login('root', code);
  expect([wrong.status, right.status]).toEqual([401, 303]);
});

test('an unknown name, a wrong password and a wrong code are answered alike', async () => {
  const answers = [
    await dashboard.login(PASSWORD, {}, { username: 'nobody' }),
    await dashboard.login('wrong', {}, { username: 'ada' }),
    await login('root', '000000'),
  ];
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  expect(new Set(texts).size).toBe(1);
});

test('five wrong codes close the login for the account from every address, and for the address with every account', async () => {
  const proxied = await serveDashboard({ domain: dashboard.domain, trustProxy: ['127.0.0.1'] });
  const from = (n: number) => ({ 'x-forwarded-for': `10.0.0.${n}` });
  const send = (username: string, code: string, n: number) =>
    proxied.login(PASSWORD, from(n), { username, code });
  for (let n = 0; n < 5; n++) await send('olga', '000000', 1);
  const statuses = [
    (await send('olga', operator.code(), 2)).status,
    (await send('eve', approver.code(), 1)).status,
    (await send('eve', approver.code(), 2)).status,
  ];
  await proxied.close();
  expect(statuses).toEqual([429, 429, 303]);
});

test('a session that was planted before the login is not the one after it, and is over', async () => {
  const planted = (await admin.signIn()).cookie;
  const answer = await login('root', admin.code(), { cookie: planted });
  const own = cookieIn(answer);
  expect(own).not.toBe(planted);
  const statuses = [
    (await dashboard.get('/v1/session', { cookie: planted })).status,
    (await dashboard.get('/v1/session', { cookie: own })).status,
  ];
  expect(statuses).toEqual([401, 200]);
  const unknown = `replenish_session=${'A'.repeat(43)}`;
  expect(cookieIn(await login('root', admin.code(), { cookie: unknown }))).not.toBe(unknown);
});

test('the database has no secret that opens a session', async () => {
  const { cookie } = await admin.signIn();
  const secret = cookie.split('=')[1]!;
  const hash = createHash('sha256').update(secret).digest('hex');
  expect(
    (await dashboard.get('/v1/session', { cookie: `replenish_session=${hash.slice(0, 43)}` })).status,
  ).toBe(401);
});

test('a session is good at a second dashboard of the same database', async () => {
  const session = await admin.signIn();
  const second = await serveDashboard({ domain: dashboard.domain });
  const answer = await second.get('/v1/session', session);
  await second.close();
  expect(await answer.json()).toEqual({ user: 'root', role: 'admin', csrfToken: session['x-csrf-token'] });
});

test('signing in and out, and every refusal of a known person, is filed', async () => {
  await execute(dashboard.database.url, 'truncate login_attempt');
  const session = await operator.signIn();
  await login('olga', '000000');
  await dashboard.get('/logout', session);
  const db = new pg.Client({ connectionString: dashboard.database.url });
  await db.connect();
  const { rows } = await db.query(
    `select verb, actor from report.operator_actions where subject = 'user olga' order by at, action_id`,
  );
  await db.end();
  expect(rows.slice(-3)).toEqual([
    { verb: 'sign_in', actor: 'olga' },
    { verb: 'sign_in_refused', actor: 'olga' },
    { verb: 'sign_out', actor: 'olga' },
  ]);
});
