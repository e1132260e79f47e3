import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openVault } from '../../src/store/clients/vault.js';
import { type Books, openBooks } from '../support/books.js';

const masterKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [one, two] = [masterKey('one'), masterKey('two')];

test('a sealed value opens again, and sealing it twice gives different bytes', () => {
  const vault = openVault(one);
  const sealed = [vault.seal('rs_ü', 'here'), vault.seal('rs_ü', 'here')] as const;
  expect(sealed.map((each) => vault.open(each, 'here'))).toEqual(['rs_ü', 'rs_ü']);
  expect(sealed[0]).not.toEqual(sealed[1]);
  expect(Buffer.from(sealed[0]).includes('rs_')).toBe(false);
});

test('a sealed value opens in its own context only', () => {
  const vault = openVault(one);
  expect(() => vault.open(vault.seal('x', 'key a'), 'key b')).toThrow();
});

test('a value does not open after any change of one bit, or any cut', () => {
  const vault = openVault(one);
  const sealed = vault.seal('secret', 'here');
  for (let at = 0; at < sealed.length * 8; at++) {
    const changed = Uint8Array.from(sealed);
    changed[at >> 3]! ^= 1 << (at & 7);
    expect(() => vault.open(changed, 'here')).toThrow();
  }
  for (let length = 0; length < sealed.length; length++)
    expect(() => vault.open(sealed.slice(0, length), 'here')).toThrow();
});

test('a shortened tag is refused, although its bytes are right', () => {
  const vault = openVault(one);
  const sealed = vault.seal('', 'here'); // The plain text is empty, so the cut shortens the tag itself.
  for (const missing of [1, 4, 8, 12]) expect(() => vault.open(sealed.slice(0, -missing), 'here')).toThrow();
});

test('the first master key seals, all of them open, and the error names a missing one', () => {
  const old = openVault(one).seal('x', 'here');
  const both = openVault(`${two} ${one}`);
  expect(both.open(old, 'here')).toBe('x');
  expect([both.isCurrent(old), both.isCurrent(both.seal('x', 'here'))]).toEqual([false, true]);
  expect(() => openVault(two).open(old, 'here')).toThrow('master key one');
});

test.each([
  '',
  ' ',
  'one',
  `one:${randomBytes(31).toString('base64')}`,
  `one:${randomBytes(33).toString('base64')}`,
  `:${randomBytes(32).toString('base64')}`,
  `a b:${randomBytes(32).toString('base64')}`,
  `one:${randomBytes(32).toString('hex')}`,
  `${one} ${one}`,
])('%p is no list of master keys, and the error does not repeat it', (text) => {
  const failure = (() => {
    try {
      return openVault(text);
    } catch (error) {
      return error as Error;
    }
  })();
  expect(failure).toBeInstanceOf(Error);
  const secret = text.split(':')[1];
  if (secret) expect((failure as Error).message).not.toContain(secret.slice(0, 12));
});

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const newClient = { name: 'shop', scopes: ['recharges:write'], accounts: ['*'], env: 'test' as const };
const hmacs = async (domain: Books['domain'], keyId: string) =>
  (await domain.clients.find(keyId))!.hmacs('text').map((hmac) => hmac.toString('hex'));

test('rekeying seals all secrets with the first master key, so the old one can be removed', async () => {
  const before = books.open({ masterKeys: one });
  const keys = await Promise.all([1, 2, 3].map(() => before.clients.create(newClient)));
  await before.clients.rotate(keys[0]!.keyId);
  const bearerOnly = await books.domain.clients.create(newClient);
  const signatures = await Promise.all(keys.map(({ keyId }) => hmacs(before, keyId)));
  expect(signatures.map((each) => each.length)).toEqual([2, 1, 1]);

  const changing = books.open({ masterKeys: `${two}\n${one}` });
  expect(await changing.clients.rekey()).toBe(3);
  expect(await changing.clients.rekey()).toBe(0);

  const after = books.open({ masterKeys: two });
  expect(await Promise.all(keys.map(({ keyId }) => hmacs(after, keyId)))).toEqual(signatures);
  expect(await hmacs(after, bearerOnly.keyId)).toEqual([]);
  await expect(hmacs(before, keys[1]!.keyId)).rejects.toThrow('master key two');
});

test('rekeying does not undo a rotation that happens meanwhile', async () => {
  const before = books.open({ masterKeys: one });
  const keys = await Promise.all(Array.from({ length: 8 }, () => before.clients.create(newClient)));
  const changing = books.open({ masterKeys: `${two} ${one}` });
  const [, ...rotated] = await Promise.all([
    changing.clients.rekey(),
    ...keys.map(({ keyId }) => changing.clients.rotate(keyId)),
  ]);
  await changing.clients.rekey();
  const after = books.open({ masterKeys: two });
  for (const fresh of rotated) {
    const known = (await after.clients.find(fresh!.keyId))!;
    expect([known.isSecret(fresh!.secret), known.hmacs('text').length]).toEqual([true, 2]);
  }
});

test('a sealed secret that is copied to another key does not open there', async () => {
  const { clients } = books.open({ masterKeys: one });
  const [own, other] = await Promise.all([clients.create(newClient), clients.create(newClient)]);
  await books.rows(
    'update api_key set secret_sealed = (select secret_sealed from api_key where id = $1) where id = $2',
    [own.keyId, other.keyId],
  );
  const known = (await clients.find(other.keyId))!;
  expect(() => known.hmacs('text')).toThrow();
});

test('without a master key no secret is sealed, and a key that must sign is refused', async () => {
  const { keyId } = await books.domain.clients.create(newClient);
  expect((await books.domain.clients.find(keyId))!.key.canSign).toBe(false);
  for (const wish of [{ requireSignature: true }, { allowS3: true }])
    await expect(books.domain.clients.create({ ...newClient, ...wish })).rejects.toThrow('MASTER_KEYS');
  const sealed = await books.open({ masterKeys: one }).clients.create(newClient);
  await expect(books.domain.clients.rotate(sealed.keyId)).rejects.toThrow('MASTER_KEYS');
  await expect(books.domain.clients.rekey()).rejects.toThrow('MASTER_KEYS');
});

test.each(['10.0.0.0/33', '10.0.0.1/', 'fe80::1%eth0', '::/129', 'localhost', '10.0.0', ''])(
  '%p is no entry of an address list',
  async (entry) => {
    await expect(books.domain.clients.create({ ...newClient, ipAllow: [entry] })).rejects.toThrow(
      'no IP address',
    );
  },
);

test.each([
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
  [['10.0.0.0/8'], '::ffff:11.1.2.3', false],
  [['192.0.2.7'], '192.0.2.7', true],
  [['192.0.2.7'], '192.0.2.70', false],
  [['2001:db8::/32', '192.0.2.7'], '2001:db8:1::9', true],
  [['2001:db8::/32'], '2001:db9::1', false],
  [['0.0.0.0/0'], '203.0.113.9', true],
  [['0.0.0.0/0'], '2001:db8::1', false],
  [['10.0.0.0/8'], 'unknown', false],
  [['10.0.0.0/8'], undefined, false],
  [[], undefined, true],
] as const)('list %p, address %p: %p', async (ipAllow, address, isAllowed) => {
  const { keyId } = await books.domain.clients.create({ ...newClient, ipAllow });
  expect((await books.domain.clients.find(keyId))!.isAllowedFrom(address)).toBe(isAllowed);
});
