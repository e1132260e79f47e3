import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { covers } from '@replenish/domain/rules';
import { until } from '@replenish/testing';
import { likeOf } from '../../src/auth/account-patterns.js';
import {
  aRecharge,
  bearer,
  create,
  created,
  end,
  type Ingress,
  openIngress,
  storedRows,
} from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const list = (by: NewKey) => ingress.call('GET', '/v1/recharges', { key: by });

const unknownKey = 'rk_test_000000000000000000';

test.each([
  ['another scheme', () => `Basic ${Buffer.from(`${key.keyId}:${key.secret}`).toString('base64')}`],
  ['no scheme', () => `${key.keyId}.${key.secret}`],
  ['the key without its secret', () => `Bearer ${key.keyId}`],
  ['the secret without its key', () => `Bearer ${key.secret}`],
  ['an unknown key', () => `Bearer ${unknownKey}.${key.secret}`],
  ['another secret', () => `Bearer ${key.keyId}.rs_${'x'.repeat(43)}`],
  ['a part of the secret', () => `Bearer ${key.keyId}.${key.secret.slice(0, -1)}`],
  ['the secret and more', () => `${bearer(key)}x`],
  [
    'the secret in capitals',
    () => bearer(key).replace(key.secret, `rs_${key.secret.slice(3).toUpperCase()}`),
  ],
  ['two keys', () => `${bearer(key)}, ${bearer(key)}`],
  ['a tab in between', () => `Bearer\t${key.keyId}.${key.secret}`],
  ['ten thousand characters', () => `Bearer ${key.keyId}.rs_${'x'.repeat(10_000)}`],
  ['SQL', () => "Bearer rk_test_' or 1=1 --.rs_x"],
  ['nothing', () => 'Bearer .'],
])('%s is refused with the same answer as the others', async (_what, authorization) => {
  const answer = await ingress.call('GET', '/v1/recharges', { headers: { authorization: authorization() } });
  expectProblem(answer, 401, 'UNAUTHENTICATED');
  expect(answer.text).not.toContain(key.secret.slice(3, 20));
});

test('an unknown key and a wrong secret get the same answer', async () => {
  const answers = await Promise.all(
    [unknownKey, key.keyId].map((keyId) => list({ ...key, keyId, secret: `rs_${'x'.repeat(43)}` })),
  );
  const [unknown, wrong] = answers.map(({ body }) => ({ ...body, correlationId: '' }));
  expect(unknown).toEqual(wrong);
});

test.each(['bearer', 'BEARER'])('the scheme may be written %s (RFC 9110)', async (scheme) => {
  const authorization = bearer(key).replace('Bearer', scheme);
  expect((await ingress.call('GET', '/v1/recharges', { headers: { authorization } })).status).toBe(200);
});

test('the secret of another client is refused', async () => {
  const other = await ingress.client();
  expectProblem(await list({ ...key, secret: other.secret }), 401, 'UNAUTHENTICATED');
});

/** All processes must soon know a changed key. limits.test.ts checks that it takes a second at most. */
const soon = (by: NewKey, status: number) =>
  until(async () => (await list(by)).status === status, { limitMs: 30_000 }, `the answer is ${status}`);

test('a revoked key is refused soon', async () => {
  const revoked = await ingress.client();
  expect((await list(revoked)).status).toBe(200);
  expect(await ingress.domain.clients.revoke(revoked.keyId)).toBe(true);
  await soon(revoked, 401);
  expectProblem(await list(revoked), 401, 'UNAUTHENTICATED');
  expectProblem(await create(ingress, revoked), 401, 'UNAUTHENTICATED');
});

test('fewer rights of a key take effect soon', async () => {
  const narrowed = await ingress.client();
  const recharge = await created(ingress, narrowed, { accountId: 'acct-9' });
  await ingress.sql(`update api_key set accounts = '{acct-1*}' where id = $1`, [narrowed.keyId]);
  const get = () => ingress.call('GET', `/v1/recharges/${recharge.id}`, { key: narrowed });
  await until(async () => (await get()).status === 404, { limitMs: 30_000 }, 'the recharge is out of reach');
  expect((await list(narrowed)).body.data).toEqual([]);
});

test('a rotated key accepts both secrets until the overlap ends', async () => {
  const before = await ingress.client();
  const after = (await ingress.domain.clients.rotate(before.keyId))!;
  expect(after.secret).not.toBe(before.secret);
  expect([(await list(after)).status, (await list(before)).status]).toEqual([200, 200]);
  await ingress.sql(`update api_key set previous_valid_until = now() - interval '1 s' where id = $1`, [
    before.keyId,
  ]);
  await soon(before, 401);
  expect((await list(after)).status).toBe(200);
  const third = (await ingress.domain.clients.rotate(before.keyId))!;
  await soon(third, 200);
  expect([(await list(after)).status, (await list(before)).status]).toEqual([200, 401]);
});

test('a key that requires signatures is refused as a bearer', async () => {
  const signing = await ingress.client({ requireSignature: true });
  expectProblem(await list(signing), 401, 'UNAUTHENTICATED');
  expectProblem(await create(ingress, signing), 401, 'UNAUTHENTICATED');
});

const patterns: readonly (readonly [
  pattern: string,
  inside: readonly string[],
  outside: readonly string[],
])[] = [
  [
    'acct-10*',
    ['acct-10', 'acct-100x', 'acct-1001'],
    ['acct-1', 'xacct-10', 'ACCT-100', 'acct_100', 'acct-1.0'],
  ],
  ['acct-1', ['acct-1'], ['acct-1.', 'acct-10', 'acct-1:', '.acct-1', 'acct-']],
  ['a.c', ['a.c'], ['abc', 'a.cc', 'A.C']],
  ['a_c*', ['a_c', 'a_c9'], ['abc', 'a-c', 'a_C']],
  ['*:prod', ['eu:prod', ':prod'], ['prod', 'eu:prod2', 'eu:PROD']],
  ['a*b*c', ['abc', 'a.b.c', 'aabbcc'], ['ab', 'acb', 'abcd']],
];

test.each(patterns)('pattern %s covers the right accounts only', async (pattern, inside, outside) => {
  const by = await ingress.client({ accounts: [pattern, 'spare'] });
  for (const accountId of inside) {
    expect((await create(ingress, by, aRecharge({ accountId }))).status).toBe(202);
    for (const [method, path] of accountRoutes(accountId))
      expect((await ingress.call(method, path, { key: by })).status).toBe(200);
  }
  const before = await storedRows(ingress);
  for (const accountId of outside) {
    expectProblem(await create(ingress, by, aRecharge({ accountId })), 403, 'UNAUTHORIZED');
    for (const [method, path] of accountRoutes(accountId))
      expectProblem(await ingress.call(method, path, { key: by }), 403, 'UNAUTHORIZED');
  }
  expect(await storedRows(ingress)).toBe(before);
});

const accountRoutes = (accountId: string) =>
  [
    ['GET', `/v1/recharges?accountId=${accountId}`],
    ['GET', `/v1/account/balance?accountId=${accountId}`],
    ['GET', `/v1/accounts/${accountId}/ledger`],
  ] as const;

test('SQL and JavaScript give the same accounts for each pattern', async () => {
  const accounts = patterns.flatMap(([, inside, outside]) => [...inside, ...outside]);
  for (const [pattern] of [...patterns, ['*'], ['%'], ['_____'], ['a\\*'], ['']] as const) {
    const rows = await ingress.sql('select a from unnest($1::text[]) as t(a) where a like $2', [
      accounts,
      likeOf(pattern),
    ]);
    expect(rows.map(({ a }) => a)).toEqual(accounts.filter((account) => covers(pattern, account)));
  }
});

test('a key without account patterns covers no account', async () => {
  const by = await ingress.client({ accounts: [] });
  expectProblem(await create(ingress, by), 403, 'UNAUTHORIZED');
  expect((await list(by)).body.data).toEqual([]);
});

test('a list shows no recharge of another client, even of a covered account', async () => {
  const [mine, theirs] = [await ingress.client(), await ingress.client()];
  const foreign = await created(ingress, theirs, { accountId: 'acct-both', orderReference: 'PO-their' });
  await end(ingress, foreign, 'settled');
  const own = await created(ingress, mine, { accountId: 'acct-both' });
  for (const query of ['', '?accountId=acct-both', '?orderReference=PO-their', '?status=succeeded']) {
    const { body, text } = await ingress.call('GET', `/v1/recharges${query}`, { key: mine });
    expect(body.data.map(({ transactionId }) => transactionId).filter((id) => id !== own.id)).toEqual([]);
    expect(text).not.toContain('PO-their');
  }
});
