import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type NewKey, type SecurityRule, securityRules } from '../../src/index.js';
import { type Books, CLIENT, newRecharge, OTHER_CLIENT, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const newKey = (): Promise<NewKey> =>
  books.domain.clients.create({ name: 'shop', scopes: [], accounts: ['*'], env: 'test' });
const seen = (keyId: string, count: number, rule: SecurityRule = 'bad_signature') =>
  books.domain.security.report([{ rule, keyId, count, origin: '10.0.0.7' }]);
const lockedNow = async (keyId: string) => (await books.domain.clients.find(keyId))!.lockedUntil('10.0.0.7');

test('the events of all processes together lock a key at one address, and at no other', async () => {
  const { keyId } = await newKey();
  const { max, lockMs } = securityRules.bad_signature;
  const other = books.open();
  const elsewhere = { rule: 'bad_signature', keyId, count: max - 1, origin: '10.0.0.8' } as const;
  expect(await seen(keyId, max - 2)).toEqual([]);
  expect(await other.security.report([{ ...elsewhere, count: 1, origin: '10.0.0.7' }, elsewhere])).toEqual(
    [],
  );
  expect(await seen(keyId, 1, 'replayed_nonce')).toEqual([]);
  expect(await lockedNow(keyId)).toBeNull();
  const [lock] = await seen(keyId, 1);
  expect(lock).toEqual({ keyId, rule: 'bad_signature', origin: '10.0.0.7', until: expect.any(Date) });
  expect(Math.abs(lock!.until!.getTime() - Date.now() - lockMs)).toBeLessThan(60_000);
  expect(await other.security.locked()).toContainEqual(lock);
  const known = (await other.clients.find(keyId))!;
  expect([known.lockedUntil('10.0.0.7'), known.lockedUntil('10.0.0.8')]).toEqual([lock!.until, null]);
  expect(await seen(keyId, max)).toEqual([]);
  await books.rows(`update key_lock set until = now() - interval '1 s' where key_id = $1`, [keyId]);
  expect(await lockedNow(keyId)).toBeNull();
  expect(await seen(keyId, 1)).toEqual([{ ...lock, until: expect.any(Date) }]);
});

const alarming = Object.entries(securityRules).filter(
  ([, { lockMs, countedBy }]) => lockMs === 0 && countedBy !== 'client',
);

test.each(alarming)(
  '%s raises the alarm once per window, and locks no key',
  async (rule, { max, countedBy }) => {
    const { keyId } = await newKey();
    const origin = countedBy === 'origin' ? '10.0.0.7' : null;
    const report = (count: number) =>
      books.domain.security.report([{ rule: rule as SecurityRule, keyId, count, origin }]);
    expect(await report(max - 1)).toEqual([]);
    expect(await report(1)).toEqual([{ rule, keyId, origin, until: null }]);
    expect(await report(max)).toEqual([]);
    expect((await books.domain.security.locked()).map((lock) => lock.keyId)).not.toContain(keyId);
  },
);

test('a key that is locked by hand is refused at all addresses, and unlocked like any other', async () => {
  const { keyId } = await newKey();
  await books.rows(`update api_key set locked_until = now() + interval '1 hour' where id = $1`, [keyId]);
  expect(await lockedNow(keyId)).not.toBeNull();
  expect(await books.domain.security.unlock(keyId)).toBe(true);
  expect(await lockedNow(keyId)).toBeNull();
});

test('events before the window do not count', async () => {
  const { keyId } = await newKey();
  await seen(keyId, securityRules.bad_signature.max - 1);
  await books.rows(`update security_event set at = now() - interval '1 hour' where key_id = $1`, [keyId]);
  expect(await seen(keyId, 1)).toEqual([]);
});

test('the events before an unlock do not count', async () => {
  const { keyId } = await newKey();
  await seen(keyId, securityRules.bad_signature.max);
  expect(await books.domain.security.unlock(keyId)).toBe(true);
  expect(await books.domain.security.unlock(keyId)).toBe(false);
  expect((await books.domain.security.locked()).map((lock) => lock.keyId)).not.toContain(keyId);
  expect(await seen(keyId, 1)).toEqual([]);
});

test('a report about an unknown key leaves no row', async () => {
  expect(await seen('rk_test_nobody', 1_000)).toEqual([]);
  expect(await books.rows(`select 1 from security_event where key_id = 'rk_test_nobody'`)).toEqual([]);
});

/** An id as it would have been made `agoMs` ago. */
const idFrom = (agoMs: number): string => uuidv7({ msecs: Date.now() - agoMs });

async function past(clientId: string, count: number, everyMs: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const agoMs = 600_000 + n * everyMs;
    const id = idFrom(agoMs);
    await books.domain.createRecharge(newRecharge({ id, clientId, idempotencyKey: id }));
    await books.rows(
      `update recharge_transaction set created_at = now() - $2 * interval '1 ms' where id = $1`,
      [id, agoMs],
    );
  }
}

test("an amount far above the client's usual ones is reported once, and other clients' amounts do not count", async () => {
  await past(CLIENT, 60, 60_000);
  await books.domain.createRecharge(newRecharge({ amountMinor: 4_999n * 20n }));
  await books.domain.createRecharge(newRecharge({ clientId: OTHER_CLIENT, amountMinor: 9_999_999n }));
  expect(await books.domain.security.findAnomalies()).toEqual([]);
  await books.domain.createRecharge(newRecharge({ amountMinor: 4_999n * 20n + 1n }));
  expect(await books.domain.security.findAnomalies()).toEqual([
    { rule: 'amount', clientId: CLIENT, detail: '99981 USD, usually up to 4999' },
  ]);
  expect(await books.domain.security.findAnomalies()).toEqual([]);
});

test('ten times the usual pace is reported', async () => {
  const clientId = uuidv7();
  await past(clientId, 60, 60_000);
  const burst = (count: number) =>
    Promise.all(Array.from({ length: count }, () => books.domain.createRecharge(newRecharge({ clientId }))));
  await burst(99);
  expect(await books.domain.security.findAnomalies()).toEqual([]);
  await burst(1);
  expect(await books.domain.security.findAnomalies()).toEqual([
    { rule: 'velocity', clientId, detail: expect.stringMatching(/^100 recharges, usually \d$/) },
  ]);
});
