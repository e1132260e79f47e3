import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { createDatabase, type TestDatabase } from '@replenish/testing';
import { aRecharge, type Ingress, openIngress, storedRows } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';
import { callSigned, hmacHex, signed } from '../support/signing.js';

const NOW_SECONDS = 1_800_000_000;
const LIST = '/v1/recharges?limit=5&accountId=acct-1';
let database: TestDatabase;
let ingress: Ingress;
let second: Ingress;
let key: NewKey;

beforeAll(async () => {
  database = await createDatabase();
  const auth = { now: () => NOW_SECONDS * 1_000 + 999 };
  ingress = await openIngress({ databaseUrl: database.url, auth });
  second = await openIngress({ databaseUrl: database.url, auth });
  key = await ingress.client({ requireSignature: true });
});
afterAll(async () => {
  await Promise.all([ingress.close(), second.close()]);
  await database.release();
});

const timestamp = NOW_SECONDS;
const list = (wish: object = {}, changes: Record<string, string> = {}) =>
  callSigned(ingress, key, 'GET', LIST, { timestamp, ...wish }, changes);
const newBody = () => JSON.stringify(aRecharge({ idempotencyKey: randomUUID() }));
const post = (body: string, wish: object = {}, changes: Record<string, string> = {}) =>
  callSigned(ingress, key, 'POST', '/v1/recharges', { timestamp, body, ...wish }, changes);

test('a signed request is accepted, with and without a body', async () => {
  expect((await list()).status).toBe(200);
  expect((await post(newBody())).status).toBe(202);
});

test('a signature with a live key is accepted in production', async () => {
  const live = await openIngress({
    databaseUrl: database.url,
    auth: { isProduction: true, now: () => NOW_SECONDS * 1_000 },
  });
  const by = await ingress.client({ env: 'live' });
  expect((await callSigned(live, by, 'GET', LIST, { timestamp })).status).toBe(200);
  await live.close();
});

test('a nonce is accepted once', async () => {
  const body = newBody();
  expect((await post(body, { nonce: 'once' })).status).toBe(202);
  const before = await storedRows(ingress);
  expectProblem(await post(body, { nonce: 'once' }), 401, 'UNAUTHENTICATED');
  expectProblem(await list({ nonce: 'once' }), 401, 'UNAUTHENTICATED');
  expect(await storedRows(ingress)).toBe(before);
});

test('two keys may use the same nonce', async () => {
  const other = await ingress.client();
  expect((await list({ nonce: 'mine' })).status).toBe(200);
  expect((await callSigned(ingress, other, 'GET', LIST, { timestamp, nonce: 'mine' })).status).toBe(200);
});

test('of a hundred requests with one nonce on two processes one is accepted', async () => {
  const body = JSON.stringify({
    account_id: 'acct-1',
    amount: 1,
    currency: 'USD',
    payment_method: 'sandbox',
  });
  const wish = { timestamp, nonce: 'hundred', body };
  const before = await storedRows(ingress);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      callSigned(n % 2 ? ingress : second, key, 'POST', '/api/charge', wish),
    ),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(99);
  expect(await storedRows(ingress)).toBe(before + 2); // one row of the request, one of its transaction
});

test('a request with a wrong signature does not use up its nonce', async () => {
  const nonce = randomUUID();
  expectProblem(await list({ nonce, timestamp: NOW_SECONDS - 301 }), 401, 'UNAUTHENTICATED');
  expectProblem(await list({ nonce }, { 'x-signature': `v1=${'0'.repeat(64)}` }), 401, 'UNAUTHENTICATED');
  expect((await list({ nonce })).status).toBe(200);
});

test.each([
  [-301, 401],
  [-300, 200],
  [300, 200],
  [301, 401],
])('a timestamp %i s away is answered %i', async (away, status) => {
  expect((await list({ timestamp: NOW_SECONDS + away })).status).toBe(status);
});

test.each([
  ['milliseconds', String(NOW_SECONDS * 1_000)],
  ['a fraction', `${NOW_SECONDS}.0`],
  ['an exponent', '1.8e9'],
  ['hex', `0x${NOW_SECONDS.toString(16)}`],
  ['a sign', `+${NOW_SECONDS}`],
  ['a date', '2027-01-15T08:00:00Z'],
  ['nothing', ''],
  ['NaN', 'NaN'],
  ['thirteen digits', `0000${NOW_SECONDS}`],
])('a timestamp that is %s is refused, even if it is signed', async (_what, sent) => {
  expectProblem(await list({ timestamp: sent }), 401, 'UNAUTHENTICATED');
});

test('a change of anything signed is refused', async () => {
  const body = newBody();
  const before = await storedRows(ingress);
  const headers = () => signed(key, 'POST', '/v1/recharges', { timestamp, body });
  const attempts: readonly (readonly [method: string, path: string, body: string | undefined])[] = [
    ['POST', '/recharge', body],
    ['POST', '/v1/recharges/', body],
    ['POST', '/v1//recharges', body],
    ['POST', '/v1/recharges?a=b', body],
    ['POST', '/v1/recharges', `${body} `],
    ['POST', '/v1/recharges', body.replace('4999', '9999')],
    ['POST', '/v1/recharges', ''],
    ['PUT', '/v1/recharges', body],
    ['GET', '/v1/recharges', undefined],
  ];
  for (const [method, path, sent] of attempts) {
    const answer = await ingress.call(method, path, {
      headers: headers(),
      ...(sent !== undefined && { body: sent }),
    });
    expect([401, 404, 405]).toContain(answer.status);
  }
  const listed = signed(key, 'GET', LIST, { timestamp });
  for (const path of [LIST.replace('5', '6'), LIST.replace('acct-1', 'acct-2'), `${LIST}&status=failed`])
    expectProblem(await ingress.call('GET', path, { headers: listed }), 401, 'UNAUTHENTICATED');
  for (const name of ['x-nonce', 'x-timestamp'])
    expectProblem(
      await list({}, { [name]: name === 'x-nonce' ? 'other' : String(timestamp - 1) }),
      401,
      'UNAUTHENTICATED',
    );
  expect(await storedRows(ingress)).toBe(before);
  expect((await ingress.call('POST', '/v1/recharges', { headers: headers(), body })).status).toBe(202);
});

test.each<[string, (right: string) => string]>([
  ['one digit short', (right) => `v1=${right.slice(1)}`],
  ['one digit long', (right) => `v1=${right}0`],
  ['in capitals', (right) => `v1=${right.toUpperCase()}`],
  ['base64', (right) => `v1=${Buffer.from(right, 'hex').toString('base64')}`],
  ['base64url', (right) => `v1=${Buffer.from(right, 'hex').toString('base64url')}`],
  ['empty', () => ''],
  ['a scheme alone', () => 'v1='],
  ['of another scheme', (right) => `v2=${right}`],
  ['without its scheme', (right) => right],
  ['a list', (right) => `v1=${right},v1=${right}`],
  ['behind blanks', (right) => `v1= ${right}`],
  ['ten thousand digits', () => `v1=${'a'.repeat(10_000)}`],
  ['not hex', () => `v1=${'z'.repeat(64)}`],
  ['in latin-1', () => `v1=${'\u00ff'.repeat(64)}`],
])('a signature that is %s is refused', async (_what, misspelled) => {
  const headers = signed(key, 'GET', LIST, { timestamp });
  const right = headers['x-signature']!.slice('v1='.length);
  const sent = { ...headers, 'x-signature': misspelled(right) };
  expectProblem(await ingress.call('GET', LIST, { headers: sent }), 401, 'UNAUTHENTICATED');
  expect((await ingress.call('GET', LIST, { headers })).status).toBe(200);
});

test('a header that is sent twice is refused', async () => {
  for (const name of ['x-signature', 'x-timestamp', 'x-nonce']) {
    const headers = signed(key, 'GET', LIST, { timestamp });
    const status = await new Promise((resolve, reject) => {
      request(`${ingress.url}${LIST}`, { headers: { ...headers, [name]: [headers[name]!, headers[name]!] } })
        .on('response', (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect([name, status]).toEqual([name, 401]);
  }
});

test.each(['', ' ', 'a b', 'x'.repeat(129), 'caf\u00e9'])('%p is refused as a nonce', async (nonce) => {
  const text = ['v1', 'GET', LIST, timestamp, nonce, hmacHex('', '')].join('\n');
  const headers = { ...signed(key, 'GET', LIST, { timestamp }), 'x-nonce': nonce };
  const answer = await ingress.call('GET', LIST, {
    headers: { ...headers, 'x-signature': `v1=${hmacHex(key.secret, text)}` },
  });
  expectProblem(answer, 401, 'UNAUTHENTICATED');
});

test('during a rotation both secrets sign, after the overlap only the new one', async () => {
  const before = await ingress.client();
  const by = (secret: NewKey) => callSigned(ingress, secret, 'GET', LIST, { timestamp });
  expect((await by(before)).status).toBe(200);
  const after = (await ingress.domain.clients.rotate(before.keyId))!;
  // The process still caches the key from before the rotation, and yet accepts the new secret.
  expect((await by(after)).status).toBe(200);
  expect((await by(before)).status).toBe(200);
  await ingress.sql(`update api_key set previous_valid_until = now() - interval '1 s' where id = $1`, [
    before.keyId,
  ]);
  const third = (await ingress.domain.clients.rotate(before.keyId))!;
  expect([(await by(third)).status, (await by(after)).status, (await by(before)).status]).toEqual([
    200, 200, 401,
  ]);
});

test('a key without a sealed secret cannot sign and still works as a bearer', async () => {
  const old = await ingress.client();
  await ingress.sql('update api_key set secret_sealed = null where id = $1', [old.keyId]);
  expectProblem(await callSigned(ingress, old, 'GET', LIST, { timestamp }), 401, 'UNAUTHENTICATED');
  expect((await ingress.call('GET', LIST, { key: old })).status).toBe(200);
});

test('a signed request needs the scope, too', async () => {
  const reader = await ingress.client({ scopes: ['balances:read'] });
  expectProblem(await callSigned(ingress, reader, 'GET', LIST, { timestamp }), 403, 'UNAUTHORIZED');
});

test('a thousand wrong secrets are all refused', async () => {
  const statuses = new Set<number>();
  for (let round = 0; round < 20; round++) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => {
        const wrong = { ...key, secret: `rs_${round}_${n}` };
        if (n % 2) return ingress.call('GET', LIST, { key: wrong });
        return callSigned(ingress, wrong, 'GET', LIST, { timestamp });
      }),
    );
    for (const { status } of answers) statuses.add(status);
  }
  expect([...statuses].filter((status) => status !== 401 && status !== 403 && status !== 429)).toEqual([]);
  expect(ingress.logged.filter(({ level }) => level === 'error')).toEqual([]);
});

test('neither secrets nor signatures are logged', () => {
  const text = JSON.stringify([...ingress.logged, ...second.logged]);
  expect(text.length).toBeGreaterThan(10_000);
  expect(text).not.toContain(key.secret.slice(3, 20));
  expect(text).not.toMatch(/v1=[0-9a-f]{8}|rs_[\w-]{8}|authorization/i);
});
