import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, CLIENT, openBooks } from '../support/books.js';
import { BUFFERS_MAX, buffersOf } from '../support/buffers.js';
import { refunding } from '../support/cases.js';

const LINES = 100_000;
// The kept lists take some hundred buffers, and a comparison of the day some thousand.
const KEPT_BUFFERS_MAX = 500;
const period = {
  ...{ provider: 'sandbox', providerAccount: 'main' },
  ...{ from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-01-02T00:00:00Z') },
};

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  // A day of lines. One in 50 has no recharge of ours, so more are found than a run shows.
  await books.rows(`
    set session_replication_role = replica;
    insert into statement_line (id, provider, provider_account, line_key, line, at, order_id, direction, amount_minor,
        currency)
      select ('0189a5b0-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'sandbox', 'main', n::text, n::text,
        '2026-01-01T00:00:00Z'::timestamptz + n * interval '0.8 seconds', 'sbx_' || n, 'in', 100, 'USD'
      from generate_series(1, ${LINES}) n;
    insert into statement_match (line_id, transaction_id, by)
      select id, id, 'order_id' from statement_line where line::int % 50 <> 0;
    reset session_replication_role`);
  await books.rows('vacuum analyze');
}, 300_000);
afterAll(() => books.close());

test('what a run of a full day found costs no more than a bounded number of buffers', async () => {
  const { reconciliations } = books.domain;
  const begun = await reconciliations.begin(period, 'tester');
  const running = await reconciliations.of(begun.id);
  expect(running).toMatchObject({ status: 'running', matched: 0, theirsOnly: [] });
  const ended = await reconciliations.read(begun, []);
  expect(ended).toMatchObject({ status: 'finished', matched: LINES - LINES / 50 });
  expect(ended.theirsOnly).toHaveLength(1_000);
  // What is found now differs, so the answer cannot come from a comparison.
  await books.rows(`
    begin;
    set local session_replication_role = replica;
    delete from statement_match;
    commit`);
  const touched = await buffersOf(books.url, async () => {
    expect(await reconciliations.of(begun.id)).toEqual(ended);
  });
  expect(touched.some(({ text }) => text.includes('select found'))).toBe(true);
  expect(touched.filter(({ buffers }) => buffers > KEPT_BUFFERS_MAX)).toEqual([]);
}, 120_000);

test('a page of lines without a recharge costs the same, however many orders have money in suspense', async () => {
  await books.rows(`
    set session_replication_role = replica;
    insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
        provider, provider_order_id)
      select ('0189a5b1-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '${CLIENT}', 'acct', 'collect', 'SUCCEEDED',
        1, 'USD', 'p', 'sandbox', 'own_' || n
      from generate_series(1, 20000) n;
    insert into reconciliation_case (id, subject, transaction_id, kind, detail, suspended)
      select id, id::text, id, 'several_orders', '{}',
        jsonb_build_array(jsonb_build_object('providerOrderId', 'other_' || id, 'currency', 'USD', 'amountMinor', '1'))
      from recharge_transaction;
    reset session_replication_role`);
  await books.rows('vacuum analyze');
  const filter = { viewer: null, status: 'open', kind: 'statement_theirs_only', limit: 100 } as const;
  const touched = await buffersOf(books.url, async () => {
    expect((await books.domain.cases.list(filter, refunding)).rows).toHaveLength(100);
  });
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
}, 120_000);
