import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { COUNTED_MAX } from '../../src/store/reads/gauges.js';
import { SUMMED_MAX } from '../../src/store/reads/waiting-sums.js';
import type { Books } from '../support/books.js';
import { CLIENT } from '../support/books.js';
import { BUFFERS_MAX, buffersOf } from '../support/buffers.js';
import { BUSY_ACCOUNT, NEWEST_AT, openManyRows, QUIET_CLIENT } from '../support/many-rows.js';

const RECHARGES = 100_000;

let books: Books;
beforeAll(async () => {
  books = await openManyRows(RECHARGES);
}, 300_000);
afterAll(() => books.close());

async function expectFew(work: () => Promise<unknown>, max = BUFFERS_MAX): Promise<void> {
  const touched = await buffersOf(books.url, work);
  expect(touched.length).toBeGreaterThan(0);
  expect(touched.filter(({ buffers }) => buffers > max)).toEqual([]);
}

const ago = (seconds: number): Date => new Date(NEWEST_AT.getTime() - seconds * 1_000);

describe('a list', () => {
  const filters: Record<string, object> = {
    'of everything': {},
    'of a state that is absent': { states: ['CANCELED'] },
    'of a state that was rare long ago': { states: ['FAILED'] },
    'of two states': { states: ['SUBMITTED', 'PENDING_CONFIRMATION'] },
    'of an account': { accountId: 'acct-77' },
    'of an account in a state that it never had': { accountId: 'acct-77', states: ['CANCELED'] },
    'of a narrow pattern': { accountPatterns: ['acct-777%'] },
    'of a narrow pattern in a rare state': { accountPatterns: ['acct-777%'], states: ['FAILED'] },
    'of many narrow patterns': { accountPatterns: Array.from({ length: 48 }, (_, n) => `acct-${n * 100}`) },
    'of more patterns than accounts may be looked at': {
      accountPatterns: Array.from({ length: 60 }, (_, n) => `acct-${n * 100}`),
    },
    'of patterns without a match': { accountPatterns: ['shop-%', 'acct-x'] },
    'of a pattern that covers a tenth': { accountPatterns: ['acct-7%'] },
    'of a pattern with its star in front': { accountPatterns: ['%-77'] },
    'of an order reference': { orderReference: 'ref-5000' },
    'of an order reference that thousands share': { orderReference: 'monthly', states: ['FAILED'] },
    'of a narrow pattern and a shared reference': { orderReference: 'monthly', accountPatterns: ['acct-77'] },
    'of a client with few': { clientId: QUIET_CLIENT },
    'of an absent state of a client with few': { clientId: QUIET_CLIENT, states: ['CANCELED'] },
  };
  const windows: Record<string, object> = {
    'first page': {},
    'an old hour': { createdFrom: ago(90_000), createdTo: ago(86_400) },
    'a future hour': { createdFrom: ago(-86_400) },
  };
  const cases = Object.entries(filters).flatMap(([what, filter]) =>
    Object.entries(windows).map(([when, window]) => ({ what, when, filter: { ...filter, ...window } })),
  );

  test.each(cases)('$what, $when', async ({ filter }) => {
    await expectFew(() =>
      books.domain.reads.list({ clientId: CLIENT, accountPatterns: ['%'], limit: 100, ...filter }),
    );
  });

  test.each(Object.entries(filters))('%s, from an old place', async (_, filter) => {
    const [deep] = await books.rows<{ id: string }>(
      `select id from recharge_transaction where client_id = $1 order by created_at limit 1 offset 30000`,
      [CLIENT],
    );
    await expectFew(() =>
      books.domain.reads.list({
        clientId: CLIENT,
        accountPatterns: ['%'],
        limit: 100,
        beforeId: deep!.id,
        ...filter,
      }),
    );
  });
});

describe('the ledger of a busy wallet', () => {
  const windows: Record<string, object> = {
    'from the newest': {},
    'of an old hour': { from: ago(90_000), to: ago(86_400) },
    'of an hour without any': { from: ago(-86_400), to: ago(-90_000) },
    'deep down': { beforeId: 30_000n },
    'deep down in a window': { beforeId: 30_000n, from: ago(99_000), to: ago(1_000) },
  };
  const cases = Object.entries(windows).flatMap(([when, window]) =>
    [undefined, 'EUR', 'JPY'].map((currency) => ({ when, currency, filter: { ...window, currency } })),
  );

  test.each(cases)('$when, currency $currency', async ({ filter }) => {
    await expectFew(() => books.domain.balances.entries({ accountId: BUSY_ACCOUNT, limit: 101, ...filter }));
  });

  test('with its balance', async () => {
    await expectFew(() => books.domain.balances.statement({ accountId: BUSY_ACCOUNT, limit: 20 }), 500);
    await expectFew(() => books.domain.balances.of(BUSY_ACCOUNT), 100);
  });

  test.each([0, 1_000, 50_000, 10_000_000])('with its balance of %d seconds ago', async (seconds) => {
    const at = ago(seconds);
    await expectFew(() => books.domain.balances.statement({ accountId: BUSY_ACCOUNT, at, limit: 20 }), 500);
  });
});

test('a read by id', async () => {
  const rows = await books.rows<{ id: string }>(
    `select id from recharge_transaction order by id limit 100 offset 500`,
  );
  const ids = rows.map(({ id }) => id);
  const { recharge, outstanding, timeline } = books.domain.reads;
  await expectFew(() => Promise.all(ids.map((id) => recharge(id))));
  await expectFew(() => Promise.all(ids.map((id) => outstanding(id))));
  await expectFew(() => timeline(ids[0]!), 100);
});

describe('statements on a timer, behind a backlog', () => {
  beforeAll(async () => {
    await books.rows(
      `insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
          provider, next_step, due_at, created_at)
        select gen_random_uuid(), $1, 'acct-1', 'collect', 'CREATED', 100, 'USD', 'sandbox', 'sandbox', 'submit', now(),
          now() - n * interval '10 ms'
        from generate_series(1, 20000) n`,
      [CLIENT],
    );
    await books.rows(
      `insert into reconciliation_case (id, subject, kind, detail)
        select gen_random_uuid(), n::text, 'unknown_order', '{}' from generate_series(1, 20000) n`,
    );
    await books.rows(
      `insert into webhook_event (id, provider, event_id, raw_body, body_hash, correlation_id, due_at)
        select gen_random_uuid(), 'sandbox', n::text, '', '', 'c-1', now() from generate_series(1, 20000) n`,
    );
    await books.rows('vacuum analyze');
  });

  test('the gauges', async () => {
    await expectFew(() => books.domain.reads.pendingBeyond(60_000));
    await expectFew(() => books.domain.reads.pendingBeyond(3_600_000_000));
    await expectFew(() => books.domain.reads.openCases());
    await expectFew(() => books.domain.reads.waitingSums());
    await expectFew(() => books.domain.reads.webhookBacklog());
    const sums = await books.domain.reads.waitingSums();
    expect(sums.reduce((sum, { count }) => sum + count, 0)).toBe(SUMMED_MAX);
    expect(await books.domain.reads.pendingBeyond(60_000)).toEqual([
      { provider: 'sandbox', count: COUNTED_MAX },
    ]);
    expect((await books.domain.reads.webhookBacklog()).count).toBe(COUNTED_MAX);
  });

  test('the search for anomalies', async () => {
    await expectFew(() => books.domain.security.findAnomalies());
  });
});
