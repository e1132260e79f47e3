import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CaseFilter, ConsoleFilter } from '../../src/index.js';
import type { Books } from '../support/books.js';
import { BUFFERS_MAX, buffersOf } from '../support/buffers.js';
import { addManyCases, BUSY_ACCOUNT, BUSY_PERSON, openManyRows, QUIET_CLIENT } from '../support/many-rows.js';

const RECHARGES = 100_000;

let books: Books;
beforeAll(async () => {
  books = await openManyRows(RECHARGES);
  await addManyCases(books, RECHARGES);
}, 300_000);
afterAll(() => books.close());

async function expectFew(work: () => Promise<unknown>): Promise<void> {
  const touched = await buffersOf(books.url, work);
  expect(touched.length).toBeGreaterThan(0);
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
}

const id = async (): Promise<string> =>
  (await books.rows<{ id: string }>('select id from recharge_transaction limit 1'))[0]!.id;

test.each<[what: string, read: () => Promise<unknown>]>([
  ['the money at risk', () => books.domain.console.agedRisks()],
  ['the newest work', () => books.domain.console.recentWork()],
  ['the backlog of events', () => books.domain.console.eventBacklog()],
  ['the providers', () => books.domain.console.providers()],
  ['the first accounts', () => books.domain.console.accounts(null, 50)],
  [
    'accounts in the middle',
    () => books.domain.console.accounts({ accountId: 'acct-5', currency: 'USD' }, 50),
  ],
  ['decisions of people', () => books.domain.console.actions(null, 50)],
  ['security events', () => books.domain.console.securityEvents(null, 50)],
  ['the calls of a recharge', async () => books.domain.console.callsOf(await id())],
  ['the events of a recharge', async () => books.domain.console.eventsOf(await id())],
])('%s cost no more than a bounded number of buffers', async (_, read) => {
  await expectFew(read);
});

test.each<Partial<ConsoleFilter>>([
  {},
  { states: ['CANCELED'] },
  { states: ['FAILED'] },
  { states: ['CREATED', 'SUBMITTED', 'PENDING_CONFIRMATION'] },
  { accountId: 'acct-77' },
  { accountId: BUSY_ACCOUNT },
  { accountId: 'acct-77', states: ['CANCELED'] },
  { amountMinor: 7n },
  { provider: 'stripe', currency: 'EUR' },
  { createdTo: new Date('2026-10-31T12:00:00Z') },
  { waiting: 'any' },
  { waiting: 'PROVIDER', olderThanS: 60 },
])('a list with %j costs no more than a bounded number of buffers', async (filter) => {
  await expectFew(() => books.domain.console.list({ ...filter, limit: 50 }));
});

const ALL_STATES = [
  ...['CREATED', 'SUBMITTED', 'PENDING_CONFIRMATION', 'SUCCEEDED', 'FAILED', 'CANCELED'],
] as NonNullable<ConsoleFilter['states']>;

test('a list for a file or a bulk verb looks further than a page', async () => {
  const since = async (table: string, place: string | null) => {
    const [row] = await books.rows<{ n: number }>(`select count(*)::int as n from ${table} where id >= $1`, [
      place,
    ]);
    return row!.n;
  };
  const recharges = async (limit: number) => {
    const { rows, next } = await books.domain.console.list({ amountMinor: 7n, limit });
    return [rows.length, await since('recharge_transaction', next)];
  };
  expect([await recharges(50), await recharges(1_000)]).toEqual([
    [0, 3_000],
    [0, 6_000],
  ]);
  const cases = async (limit: number) => {
    const { rows, nextId } = await books.domain.cases.list(
      { viewer: null, kind: 'late_money', limit },
      () => false,
    );
    return [rows.length, await since('reconciliation_case', nextId)];
  };
  expect([await cases(50), await cases(1_000)]).toEqual([
    [0, 2_400],
    [0, 6_000],
  ]);
  // Each walk of a client and a state brings only its part of a statement, and the list is filled nevertheless.
  const { rows } = await books.domain.console.list({ states: ALL_STATES, limit: 1_000 });
  expect(rows).toHaveLength(1_000);
});

test.each(['ref-5000', 'monthly', 'acct-77', 'no-such-thing', '0189a5b0-0000-7000-8000-000000000001'])(
  'the search for %s costs no more than a bounded number of buffers',
  async (text) => {
    await expectFew(() => books.domain.console.find(text, ['sandbox', 'stripe']));
  },
);

const DAY_MS = 86_400_000;
const ofClient = { clientId: QUIET_CLIENT, accountPatterns: ['%'] };

test.each<[what: string, filter: Partial<CaseFilter>]>([
  ['all', {}],
  ['of a common kind', { kind: 'unknown_order' }],
  ['of a rare kind', { kind: 'late_money' }],
  ['of a kind that none has', { kind: 'other_account' }],
  ['of one person', { desk: { assignee: BUSY_PERSON } }],
  ['of one person and a rare kind', { desk: { assignee: BUSY_PERSON }, kind: 'late_money' }],
  ['of a person who has none', { desk: { assignee: 'nobody-here' } }],
  ['of nobody', { desk: { assignee: null } }],
  ['overdue', { desk: { overdueAfterMs: DAY_MS } }],
  ['overdue of a rare kind', { desk: { overdueAfterMs: DAY_MS }, kind: 'late_money' }],
  ['overdue, where none is', { desk: { overdueAfterMs: 3_650 * DAY_MS } }],
  ['of a client with few', { viewer: ofClient }],
  ['older than a place in the middle', { beforeId: '019a1800-0000-7000-8000-000000000000' }],
  ['closed', { status: 'closed' }],
])('open cases: %s cost no more than a bounded number of buffers', async (_, filter) => {
  const ask = { viewer: null, status: 'open', limit: 100, ...filter } as const;
  await expectFew(() => books.domain.cases.list(ask, () => true));
});

test('the cases of one person and those of a rare kind are found however old they are', async () => {
  const list = async (filter: Partial<CaseFilter>): Promise<number> =>
    (await books.domain.cases.list({ viewer: null, status: 'open', limit: 50, ...filter }, () => true)).rows
      .length;
  expect(await list({ desk: { assignee: BUSY_PERSON } })).toBeGreaterThan(10);
  expect(await list({ kind: 'late_money' })).toBe(50);
});

test('a rare state is found however old it is', async () => {
  const { rows, isCut } = await books.domain.console.list({ states: ['FAILED'], limit: 50 });
  expect([rows.length, isCut, rows.every(({ state }) => state === 'FAILED')]).toEqual([50, false, true]);
});

test('pages of a rare state show every recharge once, newest first', async () => {
  const [wanted] = await books.rows<{ ids: string[] }>(
    "select array_agg(id order by id desc) as ids from recharge_transaction where state = 'FAILED'",
  );
  const seen: string[] = [];
  let before: string | undefined;
  do {
    const page = await books.domain.console.list({ states: ['FAILED'], limit: 100, before });
    seen.push(...page.rows.map((row) => row.id));
    before = page.next ?? undefined;
  } while (before !== undefined);
  expect(seen).toEqual(wanted!.ids);
});

test('the money at risk by age adds up to the sums that the gauges show', async () => {
  const [aged, sums] = await Promise.all([
    books.domain.console.agedRisks(),
    books.domain.reads.waitingSums(),
  ]);
  const total = (rows: readonly { amountMinor: bigint }[]): bigint =>
    rows.reduce((sum, row) => sum + row.amountMinor, 0n);
  expect(sums.length).toBeGreaterThan(0);
  expect(total(aged)).toBe(total(sums));
});
