import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import { PASSWORD, type ServedDashboard, serveDashboard } from './served.js';

let dashboard: ServedDashboard;

beforeAll(async () => {
  dashboard = await serveDashboard();
  for (let n = 0; n < 6; n++) await dashboard.person(`person-${n}`, 'viewer');
});
afterAll(() => dashboard.close());
beforeEach(() => execute(dashboard.database.url, 'truncate login_attempt'));

/** Sends a wrong password. Each call is for another person, so that only the address is limited. */
const wrongFrom = (address: string, n: number, at: ServedDashboard) =>
  at.login('wrong', { 'x-forwarded-for': address }, { username: `person-${n}` });

const page = { accept: 'text/html,application/xhtml+xml' };

test.each([
  '/',
  '/queues/',
  '/queues/queue/webhooks',
  '/queues/static/js/main.js',
  '/queues/api/queues',
  '/metrics',
  '/readyz',
  '/no-such-page',
])('without a session %s redirects a browser to the login and answers 401 to other clients', async (path) => {
  const asPage = await dashboard.get(path, page);
  const asCall = await dashboard.get(path);
  expect([asPage.status, asPage.headers.get('location'), asCall.status]).toEqual([303, '/login', 401]);
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('without a session %s is answered with 401', async (method) => {
  const answers = await Promise.all(
    ['/queues/api/queues/pause', '/'].map((path) => dashboard.send(method, path, page)),
  );
  expect(answers.map(({ status }) => status)).toEqual([401, 401]);
});

test('the login page and the health check need no session', async () => {
  const login = await dashboard.get('/login');
  const health = await dashboard.get('/healthz');
  expect([login.status, health.status]).toEqual([200, 200]);
  expect(await login.text()).not.toMatch(/<script/i);
});

test('the login page is Chinese by the browser or the link at its top, and the choice is kept', async () => {
  const byBrowser = await dashboard.get('/login', { 'accept-language': 'zh-CN,zh;q=0.9' });
  const shown = await byBrowser.text();
  expect([shown.includes('<html lang="zh-CN">'), shown.includes('<h1>登录</h1>')]).toEqual([true, true]);
  const chosen = await dashboard.get('/login?lang=zh');
  expect(chosen.headers.getSetCookie()[0]).toMatch(/^replenish_language=zh;/);
  const wrong = await dashboard.login('wrong', { cookie: 'replenish_language=zh' });
  const text = await wrong.text();
  expect(text).toContain('名称、密码或验证码错误。');
  expect(text).toContain('<a href="/login?lang=en">English</a>');
});

test('the correct password opens a session whose cookie is hidden from scripts and other sites', async () => {
  const answer = await dashboard.login(PASSWORD);
  const cookie = answer.headers.getSetCookie()[0]!;
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
  expect(cookie).toMatch(
    /^replenish_session=[A-Za-z0-9_-]{43}; Max-Age=43200; Path=\/;.* HttpOnly; SameSite=Strict$/,
  );
  const inside = await dashboard.get('/queues/', { ...page, cookie: cookie.split(';')[0]! });
  expect(inside.status).toBe(200);
});

test('behind a proxy that terminates TLS the cookie is for HTTPS only', async () => {
  const plain = await dashboard.login(PASSWORD);
  const secured = await dashboard.login(PASSWORD, { 'x-forwarded-proto': 'https' });
  expect(plain.headers.getSetCookie()[0]).not.toMatch(/Secure/);
  expect(secured.headers.getSetCookie()[0]).toMatch(/; Secure;/);
});

test.each(['', 'correct hors', `${PASSWORD} `, 'x'.repeat(3_000)])(
  'the password "%.12s" is refused',
  async (wrong) => {
    const answer = await dashboard.login(wrong);
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []]);
  },
);

test('a login in JSON is answered in JSON, and a doubled field like a wrong password', async () => {
  const send = (password: string) =>
    fetch(`${dashboard.url}/login`, {
      method: 'POST',
      body: JSON.stringify({ username: 'ada', password }),
      headers: { 'content-type': 'application/json' },
    });
  const [right, wrong] = [await send(PASSWORD), await send('wrong')];
  const twice = await fetch(`${dashboard.url}/login`, {
    method: 'POST',
    body: new URLSearchParams([
      ['username', 'ada'],
      ['password', PASSWORD],
      ['password', PASSWORD],
    ]),
  });
  expect([right.status, wrong.status, twice.status]).toEqual([200, 401, 401]);
  expect(await right.json()).toEqual({ user: 'ada', role: 'viewer', csrfToken: expect.any(String) });
  expect(await wrong.json()).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
});

test('after five wrong passwords in a minute even the correct one is refused', async () => {
  // The addresses in the header are forged, so the address of the connection counts.
  const tries = await Promise.all([1, 2, 3, 4, 5].map((n) => wrongFrom(`10.0.0.${n}`, n, dashboard)));
  const late = await dashboard.login(PASSWORD, { 'x-forwarded-for': '10.0.0.9' });
  expect(tries.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
  expect([late.status, late.headers.getSetCookie()]).toEqual([429, []]);
  expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('behind a trusted proxy the attempts are counted per client address', async () => {
  const proxied = await serveDashboard({ domain: dashboard.domain, trustProxy: ['127.0.0.1'] });
  const from = (n: number) => ({ 'x-forwarded-for': `192.0.2.9, 10.0.0.${n}` });
  for (let n = 0; n < 5; n++) await wrongFrom(from(1)['x-forwarded-for'], n, proxied);
  const [same, other] = [await proxied.login(PASSWORD, from(1)), await proxied.login(PASSWORD, from(2))];
  await proxied.close();
  expect([same.status, other.status]).toEqual([429, 303]);
});

test('changing ports of an address count as one address, and so do all unknown clients', async () => {
  const proxied = await serveDashboard({ domain: dashboard.domain, trustProxy: ['127.0.0.1'] });
  const statuses = [];
  for (const name of ['192.0.2.9:', 'unknown']) {
    await execute(dashboard.database.url, "delete from login_attempt where subject like 'user %'");
    for (let n = 0; n < 6; n++)
      statuses.push((await wrongFrom(name + (name === 'unknown' ? '' : n), n, proxied)).status);
  }
  await proxied.close();
  const oneAddress = [401, 401, 401, 401, 401, 429];
  expect(statuses).toEqual([...oneAddress, ...oneAddress]);
});

test('successful logins do not count as attempts', async () => {
  const answers = [];
  for (let n = 0; n < 7; n++) answers.push((await dashboard.login(PASSWORD)).status);
  expect(answers).toEqual(Array(7).fill(303));
});

test('signing out ends the session, and a request without a session ends none', async () => {
  const session = await dashboard.signIn();
  const stranger = await dashboard.get('/logout');
  const before = await dashboard.get('/queues/', session);
  const out = await dashboard.get('/logout', session);
  const after = await dashboard.get('/queues/', session);
  expect(stranger.headers.getSetCookie()).toEqual([]);
  expect([before.status, out.status, after.status]).toEqual([200, 303, 401]);
});

const aged = (what: string) => execute(dashboard.database.url, `update operator_session set ${what}`);

test('a session ends after twelve hours, however much it is used', async () => {
  const session = await dashboard.signIn();
  await aged("ends_at = now() + interval '5 s'");
  const before = await dashboard.get('/queues/', session);
  await aged('ends_at = now()');
  const after = await dashboard.get('/queues/', session);
  expect([before.status, after.status]).toEqual([200, 401]);
});

test('an unused session ends after half an hour, and use keeps it open', async () => {
  const session = await dashboard.signIn();
  await aged("used_at = now() - interval '29 min'");
  const used = await dashboard.get('/queues/', session);
  await aged("used_at = used_at - interval '29 min'");
  const again = await dashboard.get('/queues/', session);
  await aged("used_at = now() - interval '30 min'");
  const idle = await dashboard.get('/queues/', session);
  expect([used.status, again.status, idle.status]).toEqual([200, 200, 401]);
});

test.each([
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
])('a form from another site is refused: %j', async (headers) => {
  const session = await dashboard.signIn();
  const login = await dashboard.login(PASSWORD, headers);
  const logout = await dashboard.send('POST', '/logout', { ...session, ...headers });
  const after = await dashboard.get('/queues/', session);
  expect([login.status, login.headers.getSetCookie(), logout.status, after.status]).toEqual([
    403,
    [],
    403,
    200,
  ]);
});

test('pages of another site may not read the answers', async () => {
  const session = await dashboard.signIn();
  for (const path of ['/queues/api/queues', '/login']) {
    const { headers } = await dashboard.get(path, { ...session, origin: 'https://evil.example' });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});

test.each([{ 'sec-fetch-site': 'same-origin' }, {}])(
  'a form from the own site is accepted: %j',
  async (headers) => {
    const answer = await dashboard.login(PASSWORD, { origin: dashboard.url, ...headers });
    expect(answer.status).toBe(303);
  },
);

test.each([
  'replenish_session=',
  `replenish_session=${'A'.repeat(43)}`,
  'other=1; replenish_session=../../etc/passwd',
])('the forged cookie %s is refused', async (cookie) => {
  expect((await dashboard.get('/queues/', { cookie })).status).toBe(401);
});

test('every answer forbids scripts of other sites, frames and caching', async () => {
  const { headers } = await dashboard.get('/login');
  expect(headers.get('content-security-policy')).toMatch(/default-src 'none';script-src 'self';/);
  expect(headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/);
  expect([headers.get('x-frame-options'), headers.get('cache-control'), headers.get('x-powered-by')]).toEqual(
    ['DENY', 'no-store', null],
  );
});
