import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type AuditCall, type NewKey, type SecurityRule, securityRules } from '../src/index.js';
import { type Books, CLIENT, newRecharge, OTHER_CLIENT, openBooks } from './books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());
afterEach(() => {
  jest.useRealTimers();
});

const aCall = (over: Partial<AuditCall> = {}): AuditCall => ({
  id: uuidv7(),
  at: new Date(),
  ip: '10.0.0.7',
  clientId: CLIENT,
  keyId: 'rk_test_1',
  method: 'POST',
  route: '/v1/recharges',
  params: { body: { accountId: 'acct-1' } },
  accountId: 'acct-1',
  status: 202,
  code: null,
  durationMs: 3.5,
  correlationId: 'c-1',
  ...over,
});

const namesOf = (calls: readonly AuditCall[]) => calls.map(({ correlationId }) => correlationId);

test('calls are read back newest first, by every filter, page by page', async () => {
  const clientId = uuidv7();
  const start = Date.now() - 100_000;
  const at = (second: number) => new Date(start + second * 1_000);
  const calls = ['a', 'b', 'c', 'd'].map((correlationId, n) =>
    aCall({ clientId, correlationId, at: at(n), status: n === 1 ? 403 : 202, keyId: `k${n % 2}` }),
  );
  expect(await books.domain.audit.write(calls)).toEqual({ refused: 0 });
  const list = async (filter: object) =>
    namesOf((await books.domain.audit.list({ clientId, limit: 9, ...filter })).calls);

  expect(await books.domain.audit.list({ clientId, status: 403, limit: 9 })).toEqual({
    calls: [calls[1]],
    next: null,
  });
  expect(await list({ status: 202 })).toEqual(['d', 'c', 'a']);
  expect(await list({ correlationId: 'c' })).toEqual(['c']);
  expect(await list({ correlationId: 'b', status: 403 })).toEqual(['b']);
  expect(await list({ correlationId: 'b', status: 401 })).toEqual([]);
  expect(await list({})).toEqual(['d', 'c', 'b', 'a']);
  expect(await list({ keyId: 'k0' })).toEqual(['c', 'a']);
  expect(await list({ accountId: 'acct-2' })).toEqual([]);
  expect(await list({ from: at(1), to: at(3) })).toEqual(['c', 'b']);
  expect(await list({ limit: 2, before: { at: calls[2]!.at, id: calls[2]!.id } })).toEqual(['b', 'a']);
});

test('a batch that is sent again files nothing twice, and one bad call does not take the others with it', async () => {
  const clientId = uuidv7();
  const calls = [aCall({ clientId }), aCall({ clientId, route: 'a\u0000b' }), aCall({ clientId })];
  expect(await books.domain.audit.write(calls)).toEqual({ refused: 1 });
  expect(await books.domain.audit.write(calls)).toEqual({ refused: 1 });
  expect((await books.domain.audit.list({ clientId, limit: 9 })).calls).toHaveLength(2);
});

test.each([
  ['update audit_call set ip = $1', ['x']],
  ['delete from audit_call where ip <> $1', ['x']],
  ['truncate audit_call', []],
])('the trail refuses: %s', async (sql, values) => {
  await books.domain.audit.write([aCall()]);
  await expect(books.rows(sql, values)).rejects.toThrow(/append-only/);
  const [partition] = await books.rows<{ name: string }>(
    `select tableoid::regclass::text as name from audit_call limit 1`,
  );
  await expect(books.rows(sql.replace('audit_call', partition!.name), values)).rejects.toThrow(/append-only/);
});

const netted = () => books.rows(`select correlation_id from audit.call_default order by at`);

test('months get partitions ahead, and old months are dropped whole', async () => {
  await books.rows(`create table audit.call_2019_12 partition of audit_call
    for values from ('2019-12-01 00:00:00+00') to ('2020-01-01 00:00:00+00')`);
  await books.domain.audit.write([aCall({ at: new Date('2019-12-31T23:59:59Z') })]);
  expect(await books.domain.audit.dropBefore(new Date('2019-12-01T00:00:00Z'))).toEqual([]);
  expect(await books.domain.audit.dropBefore(new Date('2020-01-01T00:00:00Z'))).toEqual(['call_2019_12']);

  expect(await books.domain.audit.ensurePartitions()).toBe(0);
  const [last] = await books.rows<{ name: string }>(
    `select max(relname::text) as name from pg_class where relname ~ '^call_\\d{4}_\\d\\d$'`,
  );
  await books.rows(`drop table audit.${last!.name}`);
  const made = await Promise.all([1, 2, 3].map(() => books.domain.audit.ensurePartitions()));
  expect(made.toSorted()).toEqual([0, 0, 1]);
});

test('calls of a month without a partition wait in the net, and move when it gets one', async () => {
  const clientId = uuidv7();
  const write = (correlationId: string, at: string) =>
    books.domain.audit.write([aCall({ clientId, correlationId, at: new Date(at) })]);
  await write('first moment', '2020-01-01T00:00:00.000Z');
  await write('last moment', '2020-01-31T23:59:59.999Z');
  await write('months later', '2020-04-15T12:00:00Z');
  expect(await netted()).toHaveLength(3);
  const made = await Promise.all([1, 2].map(() => books.domain.audit.ensurePartitions()));
  expect(made.toSorted()).toEqual([0, 2]);
  expect(await netted()).toEqual([]);
  expect(await books.rows(`select count(*)::int as calls from audit.call_2020_01`)).toEqual([{ calls: 2 }]);
  const { calls } = await books.domain.audit.list({ clientId, limit: 9 });
  expect(namesOf(calls)).toEqual(['months later', 'last moment', 'first moment']);
  for (const table of ['audit.call_2020_01', 'audit.call_default'])
    await expect(books.rows(`truncate ${table}`)).rejects.toThrow(/append-only/);
  await expect(books.rows(`delete from audit.call_2020_04`)).rejects.toThrow(/append-only/);
  await write('in the net again', '2020-02-15T12:00:00Z');
  await expect(books.rows(`delete from audit.call_default`)).rejects.toThrow(/append-only/);
  expect(await books.domain.audit.dropBefore(new Date('2020-05-01T00:00:00Z'))).toEqual([
    'call_2020_01',
    'call_2020_04',
    'call_default',
  ]);
  expect((await books.domain.audit.list({ clientId, limit: 9 })).calls).toEqual([]);
});

test('a month that holds too many calls to move at once stays in the net', async () => {
  await books.domain.audit.write(
    ['a', 'b'].map((correlationId) => aCall({ correlationId, at: new Date('2020-07-01T00:00:00Z') })),
  );
  expect(await books.rows(`select ensure_audit_partitions(2, 1) as made`)).toEqual([{ made: 0 }]);
  expect(await netted()).toHaveLength(2);
  expect(await books.rows(`select ensure_audit_partitions(2, 2) as made`)).toEqual([{ made: 1 }]);
  expect(await netted()).toEqual([]);
});

test('a fleet that stood still makes the month of its first call itself', async () => {
  const [month] = await books.rows<{ name: string }>(
    `select 'call_' || to_char(now() at time zone 'UTC', 'YYYY_MM') as name`,
  );
  await books.rows(`drop table audit.${month!.name}`);
  await books.open().audit.write([aCall({ correlationId: 'after months' })]);
  expect(await netted()).toEqual([]);
  expect(await books.rows(`select correlation_id from audit.${month!.name}`)).toEqual([
    { correlation_id: 'after months' },
  ]);
});

const HOUR_MS = 3_600_000;

test.each([-3_000 * HOUR_MS, 3_000 * HOUR_MS])(
  'a process whose clock is %d ms off files by the database’s, also what it files again',
  async (offMs) => {
    const clientId = uuidv7();
    jest.useFakeTimers({
      now: Date.now() + offMs,
      doNotFake: [
        'nextTick',
        'queueMicrotask',
        'setImmediate',
        'clearImmediate',
        'setTimeout',
        'clearTimeout',
        'performance',
      ],
    });
    const { audit } = books.open();
    const calls = [aCall({ clientId, at: new Date(Date.now() - 60_000) }), aCall({ clientId })];
    await audit.write(calls);
    await audit.write(calls);
    jest.useRealTimers();
    const filed = await books.domain.audit.list({ clientId, limit: 9 });
    const agoMs = filed.calls.map(({ at }) => Date.now() - at.getTime());
    expect(agoMs).toEqual([expect.any(Number), expect.any(Number)]);
    expect(Math.abs(agoMs[0]!)).toBeLessThan(10_000);
    expect(Math.abs(agoMs[1]! - 60_000)).toBeLessThan(10_000);
    expect(await netted()).toEqual([]);
  },
);

test('a search through more calls than a page may look at ends, and goes on where it ended', async () => {
  const clientId = uuidv7();
  await books.rows(
    `insert into audit_call (id, at, ip, client_id, method, route, params, account_id, status, duration_ms, correlation_id)
      select gen_random_uuid(), now() - n * interval '1 ms', '10.0.0.7', $1, 'GET', '/', '{}', case when n = 8500 then 'rare' else 'acct' end,
        202, 1, 'c' from generate_series(1, 9000) n`,
    [clientId],
  );
  const first = await books.domain.audit.list({ clientId, accountId: 'rare', limit: 9 });
  expect(first).toEqual({ calls: [], next: expect.anything() });
  const second = await books.domain.audit.list({
    clientId,
    accountId: 'rare',
    limit: 9,
    before: first.next!,
  });
  expect(second).toEqual({ calls: [expect.objectContaining({ accountId: 'rare' })], next: null });
});

const newKey = (): Promise<NewKey> =>
  books.domain.clients.create({ name: 'shop', scopes: [], accounts: ['*'], env: 'test' });
const seen = (keyId: string, count: number, rule: SecurityRule = 'bad_signature') =>
  books.domain.security.report([{ rule, keyId, count, origin: '10.0.0.7' }]);
const lockedNow = async (keyId: string) => (await books.domain.clients.find(keyId))!.lockedUntil('10.0.0.7');

test('a key is locked at an address by what all processes saw of it there, and nowhere else', async () => {
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
  await books.rows(`update key_lock set until = now() where key_id = $1`, [keyId]);
  expect(await lockedNow(keyId)).toBeNull();
  expect(await seen(keyId, 1)).toEqual([{ ...lock, until: expect.any(Date) }]);
});

const alarming = Object.entries(securityRules).filter(
  ([, { lockMs, countedBy }]) => lockMs === 0 && countedBy !== 'client',
);

test.each(alarming)(
  '%s raises the alarm once in a window, and locks nobody',
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

test('a key that is locked by hand is refused everywhere, and unlocked like every other', async () => {
  const { keyId } = await newKey();
  await books.rows(`update api_key set locked_until = now() + interval '1 hour' where id = $1`, [keyId]);
  expect(await lockedNow(keyId)).not.toBeNull();
  expect(await books.domain.security.unlock(keyId)).toBe(true);
  expect(await lockedNow(keyId)).toBeNull();
});

test('what lies before the window does not count', async () => {
  const { keyId } = await newKey();
  await seen(keyId, securityRules.bad_signature.max - 1);
  await books.rows(`update security_event set at = now() - interval '1 hour' where key_id = $1`, [keyId]);
  expect(await seen(keyId, 1)).toEqual([]);
});

test('an unlocked key starts from nothing', async () => {
  const { keyId } = await newKey();
  await seen(keyId, securityRules.bad_signature.max);
  expect(await books.domain.security.unlock(keyId)).toBe(true);
  expect(await books.domain.security.unlock(keyId)).toBe(false);
  expect((await books.domain.security.locked()).map((lock) => lock.keyId)).not.toContain(keyId);
  expect(await seen(keyId, 1)).toEqual([]);
});

test('names that are no key leave nothing behind', async () => {
  expect(await seen('rk_test_nobody', 1_000)).toEqual([]);
  expect(await books.rows(`select 1 from security_event where key_id = 'rk_test_nobody'`)).toEqual([]);
});

/** An id as it would have been made so long ago. */
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

test("a sum far from the client's own is told once, and another client's habits do not count", async () => {
  await past(CLIENT, 60, 60_000);
  await books.domain.createRecharge(newRecharge({ amountMinor: 4_999n * 20n }));
  await books.domain.createRecharge(newRecharge({ clientId: OTHER_CLIENT, amountMinor: 9_999_999n }));
  expect(await books.domain.security.findOddities()).toEqual([]);
  await books.domain.createRecharge(newRecharge({ amountMinor: 4_999n * 20n + 1n }));
  expect(await books.domain.security.findOddities()).toEqual([
    { rule: 'amount', clientId: CLIENT, detail: '99981 USD, usually up to 4999' },
  ]);
  expect(await books.domain.security.findOddities()).toEqual([]);
});

test('ten times the usual pace is told', async () => {
  const clientId = uuidv7();
  await past(clientId, 60, 60_000);
  const burst = (count: number) =>
    Promise.all(Array.from({ length: count }, () => books.domain.createRecharge(newRecharge({ clientId }))));
  await burst(99);
  expect(await books.domain.security.findOddities()).toEqual([]);
  await burst(1);
  expect(await books.domain.security.findOddities()).toEqual([
    { rule: 'velocity', clientId, detail: expect.stringMatching(/^100 recharges, usually \d$/) },
  ]);
});
