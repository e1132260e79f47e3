import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Prisma } from '../../src/generated/client.js';
import { type AuditCall, StoreUnavailable } from '../../src/index.js';
import { openAudit } from '../../src/store/audit/trail.js';
import type { Run } from '../../src/store/database/database.js';
import { type Books, CLIENT, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
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

test('calls are listed newest first, by each filter, page by page', async () => {
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

test('a repeated batch files no call twice, and a refused call does not fail the others of its batch', async () => {
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
])('the audit trail refuses: %s', async (sql, values) => {
  await books.domain.audit.write([aCall()]);
  await expect(books.rows(sql, values)).rejects.toThrow(/append-only/);
  const [partition] = await books.rows<{ name: string }>(
    `select tableoid::regclass::text as name from audit_call limit 1`,
  );
  await expect(books.rows(sql.replace('audit_call', partition!.name), values)).rejects.toThrow(/append-only/);
});

const netted = () => books.rows(`select correlation_id from audit.call_default order by at`);

test('coming months get their partitions, and old months are dropped whole', async () => {
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

test('calls of a month without a partition go to the default partition, and move when the month gets its own', async () => {
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

test('a month with too many calls to move at once stays in the default partition', async () => {
  await books.domain.audit.write(
    ['a', 'b'].map((correlationId) => aCall({ correlationId, at: new Date('2020-07-01T00:00:00Z') })),
  );
  expect(await books.rows(`select ensure_audit_partitions(2, 1) as made`)).toEqual([{ made: 0 }]);
  expect(await netted()).toHaveLength(2);
  expect(await books.rows(`select ensure_audit_partitions(2, 2) as made`)).toEqual([{ made: 1 }]);
  expect(await netted()).toEqual([]);
});

test('after a long stop the first call makes the partition of its month', async () => {
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
  'a process whose clock is %d ms off files calls by the database’s clock, repeated ones too',
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

test('a call that is filed again after a failure keeps its time, though the database’s clock has moved', async () => {
  let aheadMs = HOUR_MS;
  const sent: unknown[] = [];
  const run = async ({ text, values }: Prisma.Sql) => {
    if (text.includes('clock_timestamp')) return [{ nowMs: Date.now() + aheadMs, hasMonth: true }];
    sent.push(values);
    if (sent.length === 1) throw new StoreUnavailable('away');
    return [];
  };
  const audit = openAudit({ read: run as Run });
  const calls = [aCall()];
  await expect(audit.write(calls)).rejects.toThrow(StoreUnavailable);
  aheadMs = 2 * HOUR_MS;
  const laterMs = performance.now() + 60_000;
  jest.spyOn(performance, 'now').mockReturnValue(laterMs);
  await audit.write(calls);
  expect(sent[1]).toEqual(sent[0]);
});

test('a page that looked at too many calls ends, and the next page continues behind the last one looked at', async () => {
  const clientId = uuidv7();
  await books.rows(
    `insert into audit_call (id, at, ip, client_id, method, route, params, account_id, status, duration_ms, correlation_id)
      select gen_random_uuid(), now() - n * interval '1 ms', '10.0.0.7', $1, 'GET', '/', '{}', case when n = 5500 then 'rare' else 'acct' end,
        202, 1, 'c' from generate_series(1, 6000) n`,
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
