import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { aRecharge, type Ingress, openIngress, storedRows } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';
import { nowSeconds, s3Signed } from '../support/signing.js';

const NOW_SECONDS = 1_800_000_000;
const BALANCE = '/v1/account/balance?accountId=12345';
let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress({ auth: { now: () => NOW_SECONDS * 1_000 + 500 } });
  key = await ingress.client({ allowS3: true });
});
afterAll(() => ingress.close());

const balance = (headers: Record<string, string>, method = 'GET', path = BALANCE) =>
  ingress.call(method, path, { headers });
const s3 = (age: number, sent = { timestamp: false }, by = key) => s3Signed(by, NOW_SECONDS - age, sent);

test.each([
  [-1, 401],
  [0, 200],
  [59, 200],
  [60, 200],
  [61, 401],
])('a signature %i s old is answered %i, with and without its timestamp', async (age, status) => {
  expect((await balance(s3(age))).status).toBe(status);
  expect((await balance(s3(age, { timestamp: true }))).status).toBe(status);
});

test('a timestamp other than the signed one is refused', async () => {
  const headers = { ...s3(5), 'x-timestamp': String(NOW_SECONDS - 6) };
  expectProblem(await balance(headers), 401, 'UNAUTHENTICATED');
});

test('a balance signature is refused on all other routes', async () => {
  const headers = s3(1);
  expect((await balance(headers)).status).toBe(200);
  const before = await storedRows(ingress);
  const elsewhere: readonly (readonly [string, string])[] = [
    ['GET', '/v1/accounts/12345/ledger'],
    ['GET', '/v1/recharges?accountId=12345'],
    ['GET', '/v1/account/balance/?accountId=12345'],
    ['GET', '/V1/account/balance?accountId=12345'],
    ['GET', '/v1/account/balance%2f?accountId=12345'],
    ['POST', BALANCE],
  ];
  for (const [method, path] of elsewhere)
    expect([401, 404, 405]).toContain((await balance(headers, method, path)).status);
  for (const path of ['/v1/recharges', '/recharge', '/api/charge']) {
    const sent = { headers: { ...headers, 'idempotency-key': 'x' }, body: aRecharge() };
    expectProblem(await ingress.call('POST', path, sent), 401, 'UNAUTHENTICATED');
  }
  expect(await storedRows(ingress)).toBe(before);
});

test('a key without allowS3 gets the same refusal as an unknown key', async () => {
  const closed = await ingress.client();
  const answers = await Promise.all([
    balance(s3(1, { timestamp: true }, closed)),
    balance(s3(1, { timestamp: true }, { ...closed, keyId: 'rk_test_000000000000000000' })),
  ]);
  for (const answer of answers) expectProblem(answer, 401, 'UNAUTHENTICATED');
  expect(answers[0].body.detail).toBe(answers[1].body.detail);
});

test('scope and accounts of the key hold for balance signatures, too', async () => {
  const narrow = await ingress.client({ allowS3: true, accounts: ['9*'] });
  expectProblem(await balance(s3(1, { timestamp: false }, narrow)), 403, 'UNAUTHORIZED');
  const blind = await ingress.client({ allowS3: true, scopes: ['recharges:read'] });
  expectProblem(await balance(s3(1, { timestamp: false }, blind)), 403, 'UNAUTHORIZED');
});

test('during a rotation both secrets sign', async () => {
  const before = await ingress.client({ allowS3: true });
  const after = (await ingress.domain.clients.rotate(before.keyId))!;
  const statuses = [before, after].map(async (by) => (await balance(s3(1, { timestamp: false }, by))).status);
  expect(await Promise.all(statuses)).toEqual([200, 200]);
});

test.each(['', 'x', '0'.repeat(63), '0'.repeat(65), 'A'.repeat(64), 'g'.repeat(64)])(
  'the signature %p is refused',
  async (signature) => {
    expectProblem(await balance({ ...s3(1), 'x-signature': signature }), 401, 'UNAUTHENTICATED');
  },
);

/**
 * The sample of the source document. Its missing parentheses are added, and urllib replaces requests, which Python
 * does not include.
 */
const sample = ({ keyId, secret }: NewKey, url: string) => `
import urllib.parse, urllib.request
import time
import hashlib
import hmac

api_key = "${keyId}"
secret = "${secret}"
timestamp = str(int(time.time()))

message = timestamp + api_key
signature = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()

headers = {
    "Authorization": f"Bearer {api_key}",
    "X-Signature": signature
}

params = {
    "accountId": "12345"
}

query = urllib.parse.urlencode(params)
request = urllib.request.Request("${url}/v1/account/balance?" + query, headers=headers)
print(urllib.request.urlopen(request).read().decode())
`;

/** Runs the sample in Python. Without Python the same steps run here. */
async function runSample(by: NewKey, url: string): Promise<string> {
  try {
    return (await promisify(execFile)('python3', ['-c', sample(by, url)])).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const headers = s3Signed(by, nowSeconds(), { timestamp: false });
    return (await fetch(`${url}${BALANCE}`, { headers })).text();
  }
}

test('the Python sample of the source document reads a balance', async () => {
  const live = await openIngress();
  const by = await live.client({ allowS3: true, scopes: ['balances:read'] });
  expect(JSON.parse(await runSample(by, live.url))).toMatchObject({ accountId: '12345', balances: [] });
  await live.close();
});
