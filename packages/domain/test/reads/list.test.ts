import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Reads } from '../../src/index.js';
import { type Books, CLIENT, OTHER_CLIENT, openBooks, times } from '../support/books.js';

type Filter = Parameters<Reads['list']>[0];
type Row = Readonly<{ id: string; account: string; state: string; reference: string | null; at: number }>;

const ROWS = 9_000;
const START = Date.parse('2026-11-01T00:00:00Z');

let books: Books;
let made: readonly Row[];

/**
 * Makes three rows per second. The time inside an id is one hour before, one hour after or three hours after the row's
 * time, so ids and times have different orders.
 */
beforeAll(async () => {
  books = await openBooks();
  made = await books.rows<Row>(
    `insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
        provider, order_reference, next_step, due_at, created_at)
      select (lpad(to_hex($1::bigint + n * 333 + (n % 3) * 7200000 - 3600000), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
        $2, case when n % 4 = 0 then 'shop:' || n % 7 else 'acct-' || n % 211 end, 'collect', 'CREATED', 1, 'USD', 'sandbox',
        'sandbox', case when n % 3 = 0 then 'order-' || n % 20 end, 'submit', now(),
        to_timestamp($1::float8 / 1000) + (n / 3) * interval '1 second'
      from generate_series(1, $3::int) n
      returning id, account_id as account, state, order_reference as reference,
        (extract(epoch from created_at) * 1000)::float8 as at`,
    [START, CLIENT, ROWS],
  );
  await books.rows(`alter table recharge_transaction disable trigger user`);
  await books.rows(
    `update recharge_transaction set state = (array['FAILED', 'CANCELED'])[1 + ('x' || right(id::text, 2))::bit(8)::int % 2],
      due_at = null, next_step = null where ('x' || right(id::text, 2))::bit(8)::int % 11 = 0 or account_id = 'shop:6'`,
  );
  await books.rows(`alter table recharge_transaction enable trigger user`);
  const states = await books.rows<{ id: string; state: string }>(
    `select id, state from recharge_transaction`,
  );
  const stateOf = new Map(states.map(({ id, state }) => [id, state]));
  made = made.map((row) => ({ ...row, state: stateOf.get(row.id)! }));
  await books.rows(
    `insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, correlation_id)
      select id, client_id, id::text, 'f', '{}', 'c' from recharge_transaction`,
  );
});
afterAll(() => books.close());

const regexOf = (like: string) => new RegExp(`^${like.replaceAll('.', '\\.').replaceAll('%', '.*')}$`);

/** The ids that a list should have, found by looking at each row. */
const expected = (filter: Partial<Filter>): string[] =>
  made
    .filter(
      (row) =>
        (filter.accountPatterns ?? ['%']).some((like) => regexOf(like).test(row.account)) &&
        (filter.accountId === undefined || row.account === filter.accountId) &&
        (!filter.states || filter.states.some((state) => state === row.state)) &&
        (filter.orderReference === undefined || row.reference === filter.orderReference) &&
        (!filter.createdFrom || row.at >= filter.createdFrom.getTime()) &&
        (!filter.createdTo || row.at < filter.createdTo.getTime()),
    )
    .toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);

async function walk(filter: Partial<Filter>): Promise<{ ids: string[]; pages: number[] }> {
  const ids: string[] = [];
  const pages: number[] = [];
  let beforeId: string | null = null;
  do {
    const page: Awaited<ReturnType<Reads['list']>> = await books.domain.reads.list({
      clientId: CLIENT,
      accountPatterns: ['%'],
      limit: 100,
      ...filter,
      ...(beforeId !== null && { beforeId }),
    });
    ids.push(...page.rows.map(({ id }) => id));
    pages.push(page.rows.length);
    beforeId = page.nextId;
  } while (beforeId !== null && pages.length < 1_000);
  return { ids, pages };
}

const at = (second: number) => new Date(START + second * 1_000);
const accounts: Record<string, Partial<Filter>> = {
  'of all accounts': {},
  'of one account': { accountId: 'acct-7' },
  'of one of many patterns': { accountId: 'shop:3', accountPatterns: ['acct-%', 'shop:%'] },
  'of an account beyond its patterns': { accountId: 'shop:3', accountPatterns: ['acct-%'] },
  'of a few accounts': { accountPatterns: ['acct-7', 'acct-20%', 'acct-7%'] },
  'of the accounts of a pattern': { accountPatterns: ['shop:%'] },
  'of accounts by their end': { accountPatterns: ['%-11'] },
  'of no account': { accountPatterns: ['nobody%'] },
};
const others: Record<string, Partial<Filter>> = {
  '': {},
  'in final states': { states: ['FAILED', 'CANCELED'] },
  'in a state that none has': { states: ['SUCCEEDED'] },
  'of a reference': { orderReference: 'order-6' },
  'of a reference in a state': { orderReference: 'order-6', states: ['FAILED'] },
  'in a window': { createdFrom: at(700), createdTo: at(900) },
  'in a window and a state': { createdFrom: at(100), createdTo: at(2_000), states: ['CREATED'] },
};

test.each(
  Object.entries(accounts).flatMap(([which, some]) =>
    Object.entries(others).map(([how, more]) => [which, how, { ...some, ...more }] as const),
  ),
)('a list %s %s has each recharge once, newest first by the database’s time', async (_, __, filter) => {
  const { ids } = await walk(filter);
  expect(ids).toEqual(expected(filter));
});

test.each([1, 7, 299, 300, 301])('pages of %d rows together are the whole list', async (limit) => {
  const window = { createdFrom: at(0), createdTo: at(150), limit };
  for (const filter of [{}, { accountPatterns: ['shop:%'] }, { accountPatterns: ['acct-1%'] }])
    expect((await walk({ ...window, ...filter })).ids).toEqual(expected({ ...window, ...filter }));
});

test('for many accounts with rare recharges, a page may be short and still have a next one', async () => {
  const names = times(120, (n) => `rare-${n}`);
  await books.rows(
    `insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
        provider, next_step, due_at, created_at)
      select gen_random_uuid(), $1, name, 'collect', 'CREATED', 1, 'USD', 'sandbox', 'sandbox', 'submit', now(), $2::timestamptz
      from unnest($3::text[]) as name`,
    [CLIENT, at(-60).toISOString(), names],
  );
  await books.rows(
    `insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, correlation_id)
      select id, client_id, id::text, 'f', '{}', 'c' from recharge_transaction where account_id like 'rare-%'`,
  );
  const { ids, pages } = await walk({ accountPatterns: ['rare-%'] });
  expect(new Set(ids).size).toBe(names.length);
  expect(pages).toEqual([0, 0, 0, 0, 100, 20]);
});

test('a cursor never leads out of the window, and a made-up cursor stands for the time in its id', async () => {
  const window = { createdFrom: at(10), createdTo: at(20) };
  const newest = expected({})[0]!;
  const ids = async (beforeId: string) =>
    (
      await books.domain.reads.list({
        clientId: CLIENT,
        accountPatterns: ['%'],
        limit: 100,
        beforeId,
        ...window,
      })
    ).rows.map(({ id }) => id);
  expect(await ids(newest)).toEqual(expected(window));
  const ownTime = (START + 15_500).toString(16).padStart(12, '0');
  const madeUp = `${ownTime.slice(0, 8)}-${ownTime.slice(8)}-7000-8000-000000000000`;
  expect(await ids(madeUp)).toEqual(expected({ ...window, createdTo: at(15.5) }));
});

test('another client gets no row of it', async () => {
  const page = await books.domain.reads.list({ clientId: OTHER_CLIENT, accountPatterns: ['%'], limit: 100 });
  expect(page).toEqual({ rows: [], nextId: null });
});
