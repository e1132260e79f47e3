import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type TOTP, URI } from 'otpauth';
import { openSingleSignOn } from '../../src/people/index.js';
import { cookieIn, type Served, type ServedDashboard, serve, serveDashboard } from '../served.js';
import { CLIENT, OpenIdProvider } from './open-id-provider.js';

const CONSOLE = 'https://console.example/ops';
const settings = {
  CONSOLE_URL: CONSOLE,
  OIDC_CLIENT_ID: CLIENT.id,
  OIDC_CLIENT_SECRET: CLIENT.secret,
  OIDC_ROLES: 'platform=admin,ops=operator,staff=viewer',
  OIDC_ROLE_CLAIM: 'groups',
  OIDC_NAME_CLAIM: 'preferred_username',
  OIDC_SCOPE: 'openid profile',
};

const provider = new OpenIdProvider();
let served: Served;
let dashboard: ServedDashboard;
beforeAll(async () => {
  served = await serve(provider.listener);
  provider.url = served.url;
  dashboard = await serveDashboard({ signOn: openSingleSignOn({ ...settings, OIDC_ISSUER: served.url }) });
});
afterAll(async () => {
  await dashboard.close();
  await served.close();
});
beforeEach(() => {
  Object.assign(provider, { isDown: false, wrong: {} });
});

const isPerson = (sub: string, name: unknown, groups: unknown): void => {
  provider.claims = { sub, preferred_username: name, groups };
};

/** The path to which the provider sends a browser that left the console just now, and the browser's cookie. */
async function goThere(): Promise<{ path: string; cookie: string }> {
  const left = await dashboard.get('/login/sso');
  expect(left.status).toBe(303);
  const atProvider = await fetch(left.headers.get('location')!, { redirect: 'manual' });
  const back = atProvider.headers.get('location')!;
  expect(back.startsWith(`${CONSOLE}/login/sso/return?`)).toBe(true);
  return { path: back.slice(CONSOLE.length), cookie: cookieIn(left) };
}

async function signIn(): Promise<Response> {
  const { path, cookie } = await goThere();
  return dashboard.get(path, { cookie });
}

const sessionIn = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .find((cookie) => cookie.startsWith('replenish_session='))!
    .split(';')[0]!;
const whoIs = async (answer: Response): Promise<unknown> =>
  (await dashboard.get('/v1/session', { cookie: sessionIn(answer) })).json();

test('the login page leads to the provider only where one is configured', async () => {
  const without = await serveDashboard({ domain: dashboard.domain });
  const texts = [
    await (await dashboard.get('/login')).text(),
    await (await without.get('/login')).text(),
    String((await without.get('/login/sso', { accept: 'application/json' })).status),
  ];
  await without.close();
  expect(texts[0]).toContain('href="/login/sso"');
  expect(texts[1]).not.toContain('/login/sso');
  expect(texts[2]).toBe('401');
});

test('a viewer comes in with the role of the first fitting value, and the page leads on by itself', async () => {
  isPerson('u-1', 'vera@example.com', ['guests', 'staff']);
  const answer = await signIn();
  expect(answer.status).toBe(200);
  expect(await answer.clone().text()).toContain('<meta http-equiv="refresh" content="0;url=/">');
  expect(await whoIs(answer)).toMatchObject({ user: 'vera@example.com', role: 'viewer' });
});

test('an operator gets a second factor once, and its code serves', async () => {
  isPerson('u-2', 'olaf', 'ops');
  const page = await (await signIn()).text();
  expect(page).not.toContain('http-equiv="refresh"');
  const uri = /otpauth:[^<]+/.exec(page)![0].replaceAll('&amp;', '&');
  const code = (URI.parse(uri) as TOTP).generate({ timestamp: Date.now() });
  const again = await signIn();
  expect(await again.clone().text()).not.toContain('otpauth:');
  expect(await whoIs(again)).toMatchObject({ user: 'olaf', role: 'operator' });
  const { id } = (await dashboard.domain.operators.credentials('olaf'))!;
  expect(await dashboard.domain.operators.useCode(id, code)).toBe('totp');
});

test('a changed group changes the role, and a changed name does not make another person', async () => {
  isPerson('u-3', 'rita', 'staff');
  await signIn();
  isPerson('u-3', 'rita.married', ['platform', 'ops']);
  const page = await signIn();
  expect(await page.clone().text()).toContain('otpauth:');
  expect(await whoIs(page)).toMatchObject({ user: 'rita', role: 'admin' });
  isPerson('u-3', 'rita', 'staff');
  expect(await whoIs(await signIn())).toMatchObject({ user: 'rita', role: 'viewer' });
  isPerson('u-3', 'rita', 'none');
  expect((await signIn()).status).toBe(403);
});

test('nobody takes over a user of the same name, a disabled person stays outside, and a password does not help', async () => {
  await dashboard.person('local', 'admin');
  isPerson('u-4', 'local', 'platform');
  const taken = await signIn();
  isPerson('u-5', 'dora', 'staff');
  await signIn();
  await dashboard.domain.operators.disable('dora', { actor: 'test', role: 'command_line' });
  const disabled = await signIn();
  isPerson('u-6', 'pia', 'staff');
  await signIn();
  const byPassword = await dashboard.login('', {}, { username: 'pia', password: 'x' });
  expect([taken.status, disabled.status, byPassword.status]).toEqual([403, 403, 401]);
  expect(await taken.text()).toContain('Another user has your name');
  expect(await disabled.text()).toContain('You are disabled here');
});

test.each([
  ['of another client', { aud: 'another' }, 401],
  ['of another issuer', { iss: 'https://issuer.example' }, 401],
  ['that is over', { exp: 1 }, 401],
  ['with another nonce', { nonce: 'another' }, 401],
  ['without a usable name', { preferred_username: '<b>x</b>' }, 403],
])('a token %s lets nobody in', async (_what, wrong, status) => {
  isPerson('u-7', 'mallory', 'platform');
  provider.wrong = wrong;
  const answer = await signIn();
  expect(answer.status).toBe(status);
  expect(answer.headers.getSetCookie().join()).not.toContain('replenish_session=');
});

test('a return that another browser began, a changed state and a used code let nobody in', async () => {
  isPerson('u-8', 'hugo', 'platform');
  const [mine, others] = [await goThere(), await goThere()];
  const statuses = [
    (await dashboard.get(mine.path)).status,
    (await dashboard.get(mine.path, { cookie: others.cookie })).status,
    (await dashboard.get(mine.path.replace(/state=.*/, 'state=x'), { cookie: mine.cookie })).status,
    (await dashboard.get(mine.path, { cookie: mine.cookie })).status,
    (await dashboard.get(mine.path, { cookie: mine.cookie })).status,
    (await dashboard.get('/login/sso/return?error=access_denied', { cookie: others.cookie })).status,
  ];
  expect(statuses).toEqual([401, 401, 401, 200, 401, 401]);
});

test('a provider that is down is told, and the next attempt works', async () => {
  const fresh = openSingleSignOn({ ...settings, OIDC_ISSUER: served.url });
  const other = await serveDashboard({ domain: dashboard.domain, signOn: fresh });
  provider.isDown = true;
  const down = await other.get('/login/sso');
  provider.isDown = false;
  const up = await other.get('/login/sso');
  await other.close();
  expect([down.status, up.status]).toEqual([502, 303]);
  expect(await down.text()).toContain('does not answer');
});

test('what happened is filed, and a planted session is over', async () => {
  isPerson('u-9', 'nina', 'staff');
  const planted = sessionIn(await signIn());
  const { path, cookie } = await goThere();
  await dashboard.get(path, { cookie: `${cookie}; ${planted}` });
  expect((await dashboard.get('/v1/session', { cookie: planted })).status).toBe(401);
  const acts = await dashboard.domain.console.actions(null, 50);
  const ofNina = acts.filter(({ actor }) => actor === 'nina').map(({ verb, reason }) => [verb, reason]);
  expect(ofNina).toContainEqual(['create_user', 'role viewer, by single sign-on']);
  expect(ofNina).toContainEqual(['sign_in', expect.stringMatching(/^by single sign-on, from /)]);
});
