import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { ProviderCallRow, Reads } from '../../src/index.js';
import {
  type Books,
  CLIENT,
  deposit,
  newRecharge,
  OTHER_CLIENT,
  openBooks,
  recharged,
  reportOf,
} from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

describe('a list', () => {
  const accounts = ['acct-100', 'acct-1001', 'acct-2', 'acct_2', 'acct%2', 'acct\\2'];
  let ids: string[];
  beforeAll(async () => {
    ids = [];
    for (const accountId of accounts) {
      ids.push(await recharged(books.domain, { accountId, orderReference: `ref-${accountId}` }));
    }
    await books.domain.applyNews(reportOf(ids[0]!, 'submit'));
    await recharged(books.domain, { accountId: 'acct-100', clientId: OTHER_CLIENT });
  });

  const accountsOf = async (filter: Partial<Parameters<Reads['list']>[0]>) => {
    const { rows } = await books.domain.reads.list({
      clientId: CLIENT,
      accountPatterns: ['%'],
      limit: 100,
      ...filter,
    });
    return rows.map(({ accountId }) => accountId);
  };

  test('has the recharges of its own client, newest first', async () => {
    expect(await accountsOf({})).toEqual(accounts.toReversed());
    expect(await accountsOf({ clientId: OTHER_CLIENT })).toEqual(['acct-100']);
    expect(await accountsOf({ clientId: uuidv7() })).toEqual([]);
  });

  test.each([
    [['acct-10%'], ['acct-1001', 'acct-100']],
    [['acct-100'], ['acct-100']],
    [['acct\\_2'], ['acct_2']],
    [['acct\\%2'], ['acct%2']],
    [['acct\\\\2'], ['acct\\2']],
    [
      ['acct-2', 'acct\\_%'],
      ['acct_2', 'acct-2'],
    ],
    [['ACCT%'], []],
    [[], []],
    [["' or true --"], []],
  ])('is bounded by the accounts of the caller: %j', async (accountPatterns, expected) => {
    expect(await accountsOf({ accountPatterns })).toEqual(expected);
  });

  test('applies all filters at once, each exactly', async () => {
    expect(await accountsOf({ accountId: 'acct%2' })).toEqual(['acct%2']);
    expect(await accountsOf({ accountId: 'acct%' })).toEqual([]);
    expect(await accountsOf({ accountId: 'acct-1001', accountPatterns: ['acct-2'] })).toEqual([]);
    expect(await accountsOf({ orderReference: 'ref-acct-2' })).toEqual(['acct-2']);
    expect(await accountsOf({ states: ['SUBMITTED'] })).toEqual(['acct-100']);
    expect(await accountsOf({ states: ['CREATED', 'SUBMITTED'] })).toHaveLength(6);
    expect(await accountsOf({ states: [] })).toEqual([]);
  });

  test('includes the first moment of its window, and excludes the last', async () => {
    const { createdAt } = (await books.domain.reads.recharge(ids[5]!))!;
    expect(await accountsOf({ createdFrom: createdAt })).toContain('acct\\2');
    expect(await accountsOf({ createdTo: createdAt })).not.toContain('acct\\2');
    expect(await accountsOf({ createdTo: new Date(createdAt.getTime() + 1) })).toHaveLength(6);
    expect(await accountsOf({ createdFrom: new Date(createdAt.getTime() + 1) })).toEqual([]);
  });

  test('continues page by page, with no row twice and none missing', async () => {
    const pages: string[] = [];
    let beforeId: string | undefined;
    for (let page = 0; page < 3; page++) {
      const { rows, nextId } = await books.domain.reads.list({
        clientId: CLIENT,
        accountPatterns: ['%'],
        limit: 2,
        ...(beforeId !== undefined && { beforeId }),
      });
      beforeId = rows.at(-1)!.id;
      expect(nextId).toBe(page < 2 ? beforeId : null);
      pages.push(...rows.map(({ accountId }) => accountId));
      // Recharges that arrive meanwhile are newer than all later pages.
      await recharged(books.domain, { accountId: 'meanwhile', clientId: OTHER_CLIENT });
    }
    expect(pages).toEqual(accounts.toReversed());
    expect(await accountsOf({ beforeId: beforeId! })).toEqual([]);
  });
});

test('many recharges read at once by id arrive in the order of the ids', async () => {
  const [one, two] = [
    await recharged(books.domain, {}),
    await recharged(books.domain, {}, 'submit', 'settled'),
  ];
  const asked = [two, uuidv7(), one, two];
  const [a, none, b, c] = await Promise.all(asked.map((id) => books.domain.reads.recharge(id)));
  expect([a, none, b, c]).toMatchObject([
    { id: two, state: 'SUCCEEDED' },
    null,
    { id: one },
    { id: two },
  ] as never);
  expect(a!.succeededAt).toBeInstanceOf(Date);
  expect(await books.domain.reads.outstanding(one)).toMatchObject({ nextStep: 'submit', attempt: 0 });
  expect(await books.domain.reads.outstanding(two)).toMatchObject({ nextStep: null, attempt: 1 });
  expect(await books.domain.reads.outstanding(uuidv7())).toBeNull();
});

test('a recharge whose submit may still be under way has no next step', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  const nextStep = async () => (await books.domain.reads.outstanding(id))!.nextStep;
  expect(await nextStep()).toBeNull();
  // In these books the time limit of a submit is eight seconds, margin included.
  for (const [age, step] of [
    ['7 s', null],
    ['9 s', 'ask'],
  ]) {
    await books.rows('update provider_call set started_at = now() - $2::interval where transaction_id = $1', [
      id,
      age,
    ]);
    expect(await nextStep()).toBe(step);
  }
  await books.rows(
    'update provider_call set started_at = now(), ended_at = now() where transaction_id = $1',
    [id],
  );
  expect(await nextStep()).toBe('ask');
});

/** Waits for the next millisecond, because times within one millisecond have no order to test. */
async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() <= now + 1) await new Promise(setImmediate);
}

test('a timeline has all that happened, in order', async () => {
  await deposit(books.domain, 'timed', 1_000n);
  const ask = newRecharge({ kind: 'deliver', accountId: 'timed', amountMinor: 300n });
  await books.domain.createRecharge(ask);
  const { claim } = await books.domain.applyNews(reportOf(ask.id, 'submit'));
  const call = (over: Partial<ProviderCallRow>): ProviderCallRow => ({
    id: uuidv7(),
    operation: 'query',
    attempt: 1,
    outcome: 'pending',
    providerCode: null,
    httpStatus: 200,
    startedAt: new Date(),
    endedAt: new Date(),
    ...over,
  });
  const answered = call({ id: claim!.callId, operation: 'submit', outcome: 'accepted' });
  await books.domain.applyNews(reportOf(ask.id, 'accepted', { calls: [answered] }));
  await nextMillisecond();
  await books.domain.applyNews(reportOf(ask.id, 'accepted', { source: 'poll', calls: [call({})] }));
  await nextMillisecond();
  const event = { id: uuidv7(), provider: 'sandbox', eventId: 'timed', rawBody: Buffer.from('{}') };
  await books.domain.inbox.keep({ ...event, correlationId: 'c' });
  await nextMillisecond();
  await books.domain.applyNews(reportOf(ask.id, 'settled', { source: 'webhook', eventId: event.id }));
  await books.domain.applyNews(reportOf(ask.id, 'declined'));

  const rows = await books.domain.reads.timeline(ask.id);
  const words = rows.map(({ kind, detail }) =>
    [kind, detail.news ?? detail.slot ?? detail.outcome ?? detail.eventId].filter(Boolean).join(' '),
  );
  expect(words).toEqual([
    'request',
    'posting hold',
    'transition submit',
    'provider_call accepted',
    'transition accepted',
    'poll pending',
    'webhook timed',
    'transition settled',
    'posting settle',
    'transition declined',
    'case',
  ]);
  const moments = rows.map(({ at }) => at.getTime());
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  expect(rows.at(-1)!.detail).toMatchObject({ caseKind: 'declined_after_success', closedAt: null });
  expect(await books.domain.reads.timeline(uuidv7())).toEqual([]);
});

test('overdue recharges and open cases are counted', async () => {
  const before = await books.domain.reads.pendingBeyond(0);
  await recharged(books.domain, { provider: 'slow' }, 'submit');
  await recharged(books.domain, { provider: 'slow' }, 'submit', 'settled');
  expect(await books.domain.reads.pendingBeyond(0)).toHaveLength(before.length + 1);
  expect(await books.domain.reads.pendingBeyond(0)).toContainEqual({ provider: 'slow', count: 1 });
  expect(await books.domain.reads.pendingBeyond(3_600_000)).toEqual([]);
  await recharged(books.domain, {}, 'submit', 'declined', 'settled', 'settled');
  expect(await books.domain.reads.openCases()).toContainEqual({ kind: 'late_money', count: 1 });
});
