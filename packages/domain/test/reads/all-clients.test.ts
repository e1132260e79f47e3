import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Reads } from '../../src/index.js';
import { type Books, CLIENT, OTHER_CLIENT, openBooks } from '../support/books.js';
import { BUFFERS_MAX, buffersOf } from '../support/buffers.js';

type Filter = Parameters<Reads['list']>[0];

const ROWS = 2_000;
const START = Date.parse('2026-11-01T00:00:00Z');

let books: Books;
let made: readonly { id: string; account: string; state: string; reference: string; at: number }[];
beforeAll(async () => {
  books = await openBooks();
  await books.rows(
    `insert into client (id, name, env) select gen_random_uuid(), 'c' || n, 'test' from generate_series(1, 50) n`,
  );
  await books.rows('set session_replication_role = replica');
  made = await books.rows(
    `with one as (
      insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
          provider, order_reference, next_step, due_at, created_at)
        select (lpad(to_hex($1::bigint + n * 1000), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
          case when n % 3 = 0 then $2 else $3 end::uuid, 'acct-' || n % 7, 'collect', 'CREATED', 1, 'USD', 'sandbox', 'sandbox',
          'order-' || n % 5, 'submit', now(), to_timestamp($1::float8 / 1000) + n * interval '1 second'
        from generate_series(1, $4::int) n
        returning *),
    asked as (
      insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, correlation_id)
        select id, client_id, id::text, 'f', '{}', 'c' from one)
    select id, account_id as account, state, order_reference as reference,
      (extract(epoch from created_at) * 1000)::float8 as at
    from one`,
    [START, CLIENT, OTHER_CLIENT, ROWS],
  );
  await books.rows('vacuum analyze');
});
afterAll(() => books.close());

const expected = (filter: Partial<Filter>): string[] =>
  made
    .filter(
      (row) =>
        (filter.accountPatterns ?? ['%']).some((like) => like === '%' || row.account === like) &&
        (filter.accountId === undefined || row.account === filter.accountId) &&
        (filter.orderReference === undefined || row.reference === filter.orderReference) &&
        (!filter.states || filter.states.some((state) => state === row.state)) &&
        (!filter.createdFrom || row.at >= filter.createdFrom.getTime()) &&
        (!filter.createdTo || row.at < filter.createdTo.getTime()),
    )
    .toSorted((a, b) => b.at - a.at)
    .map(({ id }) => id);

const filters: Record<string, Partial<Filter>> = {
  everything: {},
  'an account': { accountId: 'acct-3' },
  'an account outside the patterns': { accountId: 'acct-3', accountPatterns: ['acct-4'] },
  'an order reference': { orderReference: 'order-2' },
  'an order reference of an account': { orderReference: 'order-2', accountId: 'acct-1' },
  'a pattern': { accountPatterns: ['acct-6'] },
  'a state that none has': { states: ['FAILED'] },
  'a span that begins with the first id of all': { createdFrom: new Date(0) },
  'a span that begins before every id': { createdFrom: new Date('0001-01-01T00:00:00Z') },
  'a span that ends after every id': { createdTo: new Date('9999-12-31T23:59:59.999Z') },
  'a span of time': { createdFrom: new Date(START + 500_000), createdTo: new Date(START + 900_000) },
};

test.each(Object.entries(filters))('the recharges of all clients: %s', async (_, filter) => {
  const listed: string[] = [];
  let beforeId: string | undefined;
  do {
    const asked = { clientId: null, accountPatterns: ['%'], limit: 97, beforeId, ...filter };
    const touched = await buffersOf(books.url, async () => {
      const page = await books.domain.reads.list(asked);
      listed.push(...page.rows.map(({ id }) => id));
      beforeId = page.nextId ?? undefined;
    });
    expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
  } while (beforeId !== undefined);
  expect(listed).toEqual(expected(filter));
});
