import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { closeServer } from '../../src/server/server.js';
import { aRecharge, type Ingress, listen, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://replenish.example';
let server: Server;
let ingress: Ingress;
let privateKey: CryptoKey;
let fetched = 0;
let jwks: Record<string, unknown> = {};

beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true });
  privateKey = pair.privateKey;
  jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] };
  server = createServer((request, response) => {
    fetched++;
    response.statusCode = request.url === '/jwks' ? 200 : 500;
    response.end(JSON.stringify(jwks));
  });
  const tokenIssuer = { issuer: ISSUER, audience: AUDIENCE, jwksUrl: `${await listen(server)}/jwks` };
  ingress = await openIngress({ auth: { tokenIssuer } });
  await ingress.client({ oauthSubject: 'shop@clients' });
});
afterAll(async () => {
  await ingress.close();
  await closeServer(server);
});

const claims = (changes: Record<string, unknown> = {}) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'shop@clients',
  ...changes,
});

const token = (
  changes: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = privateKey,
  alg = 'RS256',
) =>
  new SignJWT({ exp: Math.floor(Date.now() / 1_000) + 60, ...claims(changes) })
    .setProtectedHeader({ alg, kid: 'k1', typ: 'at+jwt' })
    .sign(key);

const list = async (sent: string | Promise<string>, at = ingress) =>
  at.call('GET', '/v1/recharges', { headers: { authorization: `Bearer ${await sent}` } });
const seconds = (away: number) => Math.floor(Date.now() / 1_000) + away;

test("a token is accepted for the key of its subject, and the issuer's keys are fetched once", async () => {
  for (let n = 0; n < 5; n++) expect((await list(token())).status).toBe(200);
  expect((await list(token({ aud: ['other', AUDIENCE] }))).status).toBe(200);
  expect(fetched).toBe(1);
});

test.each<[string, () => Promise<string>]>([
  ['of another issuer', () => token({ iss: 'https://other.example' })],
  ['for another audience', () => token({ aud: 'https://other.example' })],
  ['without an audience', () => token({ aud: undefined })],
  ['expired', () => token({ exp: seconds(-10) })],
  ['without an end', () => token({ exp: undefined })],
  ['of tomorrow', () => token({ nbf: seconds(86_400) })],
  ['of nobody', () => token({ sub: undefined })],
  ['of a stranger', () => token({ sub: 'stranger@clients' })],
  ['that names a key by its id', () => token({ sub: undefined, replenish_key: 'rk_test_1' })],
  ['signed by another key', async () => token({}, (await generateKeyPair('RS256')).privateKey)],
  ['signed with a shared secret', () => token({}, Buffer.from(JSON.stringify(jwks)), 'HS256')],
  [
    'unsigned',
    async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await token()).split('.')[1]}.`,
  ],
  ['cut short', async () => (await token()).slice(0, -10)],
  [
    'with other claims',
    async () => {
      const [head, , signature] = (await token()).split('.');
      const other = Buffer.from(JSON.stringify({ ...claims(), exp: seconds(60), admin: true })).toString(
        'base64url',
      );
      return `${head}.${other}.${signature}`;
    },
  ],
])('a token %s is refused', async (_what, make) => {
  const answer = await list(make());
  expectProblem(answer, 401, 'UNAUTHENTICATED');
});

test('the scopes of a token narrow those of its key and never widen them', async () => {
  await ingress.client({ oauthSubject: 'reader', scopes: ['recharges:read'] });
  const post = async (changes: Record<string, unknown>) =>
    ingress.call('POST', '/v1/recharges', {
      headers: { authorization: `Bearer ${await token(changes)}`, 'idempotency-key': crypto.randomUUID() },
      body: aRecharge(),
    });
  expect((await post({ scope: 'openid' })).status).toBe(202);
  expect((await post({ scope: 'recharges:write' })).status).toBe(202);
  expectProblem(await post({ scope: 'openid recharges:read' }), 403, 'UNAUTHORIZED');
  expectProblem(await post({ sub: 'reader', scope: 'recharges:write' }), 403, 'UNAUTHORIZED');
});

test('the limits of a key hold for its tokens', async () => {
  const revoked: NewKey = await ingress.client({ oauthSubject: 'revoked' });
  await ingress.domain.clients.revoke(revoked.keyId);
  await ingress.client({ oauthSubject: 'expired', expiresAt: new Date(0) });
  await ingress.client({ oauthSubject: 'live', env: 'live' });
  await ingress.client({ oauthSubject: 'signing', requireSignature: true });
  await ingress.client({ oauthSubject: 'elsewhere', ipAllow: ['203.0.113.9'] });
  const subjects = ['revoked', 'expired', 'live', 'signing', 'elsewhere'];
  const statuses = await Promise.all(subjects.map(async (sub) => (await list(token({ sub }))).status));
  expect(statuses).toEqual([401, 401, 401, 401, 403]);
});

test("while the issuer's keys cannot be loaded, the answer is 503", async () => {
  const tokenIssuer = { issuer: ISSUER, audience: AUDIENCE, jwksUrl: 'http://127.0.0.1:9/jwks' };
  const lost = await openIngress({ auth: { tokenIssuer } });
  const answer = await list(token(), lost);
  expectProblem(answer, 503, 'INTERNAL_ERROR');
  expect(answer.headers.get('retry-after')).toBe('5');
  await lost.close();
});

test('without an issuer tokens are refused', async () => {
  const closed = await openIngress();
  expectProblem(await list(token(), closed), 401, 'UNAUTHENTICATED');
  await closed.close();
});

test('tokens are not logged', () => {
  expect(ingress.logged.length).toBeGreaterThan(10);
  expect(JSON.stringify(ingress.logged)).not.toContain('eyJ');
});
