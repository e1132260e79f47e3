import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Books, CLIENT, OTHER_CLIENT, openBooks } from '../support/books.js';
import { BUFFERS_MAX, buffersOf } from '../support/buffers.js';

const CALLS = 100_000;

let books: Books;
/** Six months of calls. One in a hundred of the older half is refused, and none is answered 418. */
beforeAll(async () => {
  books = await openBooks();
  for (let month = 1; month <= 6; month++)
    await books.rows(`select make_audit_partition('2026-0${month}-01', 0)`);
  await books.rows(
    `insert into audit_call (id, at, ip, client_id, key_id, method, route, params, account_id, status, duration_ms,
        correlation_id)
      select gen_random_uuid(), '2026-01-01'::timestamptz + n * interval '150 s', '10.0.0.7', $1::uuid,
        'rk_test_' || n % 2, 'POST', '/v1/recharges', '{"body":{"accountId":"acct-1"}}', 'acct-' || (n * 7919 % 10000),
        case when n % 100 = 0 and n < $2::int / 2 then 403 else 202 end, 1, 'c-' || n
      from generate_series(1, $2::int) n`,
    [CLIENT, CALLS],
  );
  await books.rows('vacuum analyze audit_call');
}, 300_000);
afterAll(() => books.close());

const filters: Record<string, object> = {
  everything: {},
  'a status of many calls': { status: 202 },
  'a refusal that was rare long ago': { status: 403 },
  'a status that is absent': { status: 418 },
  'a success that is absent': { status: 204 },
  'an account': { accountId: 'acct-77' },
  'an account that is absent': { accountId: 'nobody' },
  'a key': { keyId: 'rk_test_1' },
  'a correlation id': { correlationId: 'c-100' },
  'a refused correlation id': { correlationId: 'c-100', status: 403 },
  'a client without any': { clientId: OTHER_CLIENT },
};
const windows: Record<string, object> = {
  'from the newest': {},
  'in an old day': { from: new Date('2026-02-01T00:00:00Z'), to: new Date('2026-02-02T00:00:00Z') },
  'deep down': { before: { at: new Date('2026-02-15T00:00:00Z'), id: uuidv7() } },
};
const cases = Object.entries(filters).flatMap(([what, filter]) =>
  Object.entries(windows).map(([when, window]) => ({ what, when, filter: { ...filter, ...window } })),
);

test.each(cases)('calls of $what, $when', async ({ filter }) => {
  for (const clientId of [CLIENT, undefined]) {
    const touched = await buffersOf(books.url, () =>
      books.domain.audit.list({ clientId, limit: 100, ...filter }),
    );
    expect(touched.length).toBeGreaterThan(0);
    expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
  }
});

test('making and dropping the partitions of months', async () => {
  const touched = await buffersOf(books.url, () => books.domain.audit.ensurePartitions());
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
});
