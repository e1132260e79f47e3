import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Clients } from '../../src/index.js';
import { type Books, openBooks } from '../support/books.js';

const HOUR_MS = 3_600_000;

let books: Books;
let clients: Clients;
let now = new Date('2026-11-21T22:00:00Z');
beforeAll(async () => {
  books = await openBooks();
  clients = books.open({ now: () => now, masterKeys: `test:${Buffer.alloc(32).toString('base64')}` }).clients;
});
afterAll(() => books.close());

const newClient = { name: 'shop', scopes: ['recharges:write'], accounts: ['acct-10*'], env: 'test' as const };
const isSecret = async (keyId: string, secret: string) => (await clients.find(keyId))?.isSecret(secret);

test('a new client has a key that accepts its secret and no other', async () => {
  const { clientId, keyId, secret } = await clients.create(newClient);
  expect({ keyId, secret }).toEqual({
    keyId: expect.stringMatching(/^rk_test_[0-9a-f]{18}$/),
    secret: expect.stringMatching(/^rs_[\w-]{43}$/),
  });
  expect((await clients.find(keyId))!.key).toEqual({
    keyId,
    clientId,
    clientName: 'shop',
    env: 'test',
    scopes: ['recharges:write'],
    accounts: ['acct-10*'],
    allowS3: false,
    allowBearer: false,
    requireSignature: false,
    canSign: true,
    rateLimitPerMinute: null,
    ipAllow: [],
    ceilings: {},
    approvalAbove: {},
    oauthSubject: null,
    createdAt: expect.any(Date),
    expiresAt: null,
    lockedUntil: null,
    revokedAt: null,
  });
  expect(await isSecret(keyId, secret)).toBe(true);
  const wrong = ['', secret.slice(3), `${secret}x`, secret.toUpperCase(), 'rs_\u0000'];
  expect(await Promise.all(wrong.map((one) => isSecret(keyId, one)))).toEqual(wrong.map(() => false));
});

test('the permissions of a key are stored as given', async () => {
  const options = {
    allowS3: true,
    allowBearer: true,
    requireSignature: true,
    rateLimitPerMinute: 7,
    ipAllow: ['10.0.0.0/8'],
    ceilings: {
      USD: { requestMinor: 9_007_199_254_740_993n, dayMinor: null },
      JPY: { requestMinor: null, dayMinor: 5n },
    },
    oauthSubject: 'shop@clients',
    expiresAt: new Date('2027-01-01T00:00:00Z'),
  };
  const { keyId } = await clients.create({ ...newClient, ...options });
  expect((await clients.find(keyId))!.key).toMatchObject(options);
  expect((await clients.findBySubject('shop@clients'))!.key).toMatchObject(options);
  expect(await clients.findBySubject('nobody')).toBeNull();
  await expect(clients.create({ ...newClient, oauthSubject: 'shop@clients' })).rejects.toThrow();
});

test.each(['prod', 'staging', 'TEST', ''])('a key for the environment %p is refused', async (env) => {
  await expect(clients.create({ ...newClient, env: env as 'test' })).rejects.toThrow('a key is live or test');
});

test('the database never holds the secret itself', async () => {
  const { keyId, secret } = await clients.create(newClient);
  const [row] = await books.rows<{ row: string }>(
    'select to_jsonb(k)::text as row from api_key k where id = $1',
    [keyId],
  );
  expect(row!.row).toContain(keyId);
  expect(row!.row).not.toContain(secret);
  expect(row!.row).not.toContain(Buffer.from(secret).toString('hex'));
});

test('after a rotation both secrets are valid for a day, then only the new one', async () => {
  const first = await clients.create(newClient);
  const second = (await clients.rotate(first.keyId))!;
  expect(second).toMatchObject({ clientId: first.clientId, keyId: first.keyId });
  expect(second.secret).not.toBe(first.secret);
  const good = async () => [
    await isSecret(first.keyId, first.secret),
    await isSecret(first.keyId, second.secret),
  ];
  const rotatedAt = now.getTime();
  expect(await good()).toEqual([true, true]);
  now = new Date(rotatedAt + 24 * HOUR_MS - 1);
  expect(await good()).toEqual([true, true]);
  now = new Date(rotatedAt + 24 * HOUR_MS);
  expect(await good()).toEqual([false, true]);
});

test('a second rotation invalidates the first secret at once', async () => {
  const first = await clients.create(newClient);
  const second = (await clients.rotate(first.keyId))!;
  const third = (await clients.rotate(first.keyId))!;
  const secrets = [first, second, third].map(({ secret }) => isSecret(first.keyId, secret));
  expect(await Promise.all(secrets)).toEqual([false, true, true]);
});

test('a revoked key is refused at once in all processes, and a rotation does not restore it', async () => {
  const { keyId } = await clients.create(newClient);
  expect(await books.domain.clients.find(keyId)).not.toBeNull();
  expect([
    await clients.revoke(keyId),
    await clients.revoke(keyId),
    await clients.revoke('rk_test_none'),
  ]).toEqual([true, false, false]);
  expect(await books.domain.clients.find(keyId)).toBeNull();
  expect(await clients.rotate(keyId)).toBeNull();
  const listed = (await clients.list()).find((key) => key.keyId === keyId);
  expect(listed?.revokedAt).toEqual(now);
});

test('an unknown key is not found', async () => {
  expect([await clients.find('rk_test_none'), await clients.rotate('rk_test_none')]).toEqual([null, null]);
});
