import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { News, ProviderCallRow, RechargeReport } from '../../src/index.js';
import { type Books, openBooks, recharged, reportOf, times } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());
beforeEach(() =>
  books.rows(`update recharge_transaction set due_at = now() - interval '1 day' where due_at is not null`),
);

const call = (
  operation: ProviderCallRow['operation'],
  outcome: string | null,
  httpStatus: number | null,
): ProviderCallRow => ({
  ...{ id: uuidv7(), operation, attempt: 1, outcome, providerCode: null, httpStatus },
  // The call is later than the claim, whose time comes from the database.
  ...{ startedAt: new Date(Date.now() + 60_000), endedAt: new Date(Date.now() + 60_000) },
});

/** A recharge with this news and this call, due in an hour as after many queries. */
async function waiting(news: News, over: Partial<RechargeReport>, provider = 'sandbox'): Promise<string> {
  const id = await recharged(books.domain, { provider }, 'submit');
  await books.domain.applyNews(reportOf(id, news, over));
  await later(id);
  return id;
}

const later = (id: string) =>
  books.rows(`update recharge_transaction set due_at = now() + interval '1 hour' where id = $1`, [id]);

const isDue = async (id: string): Promise<boolean> => {
  const [row] = await books.rows<{ due: boolean }>(
    'select due_at <= now() as due from recharge_transaction where id = $1',
    [id],
  );
  return row!.due;
};

const polled = (outcome: string, httpStatus: number | null): Partial<RechargeReport> => ({
  source: 'poll',
  calls: [call('query', outcome, httpStatus)],
});

const refusedAtOnce = (httpStatus: number | null): Partial<RechargeReport> => ({
  nextStep: 'submit',
  calls: [call('submit', 'not_executed', httpStatus)],
});

test.each([
  ['whose submit had no answer', 'unknown', { calls: [call('submit', 'unknown', null)] }],
  ['that could not be sent', 'unknown', refusedAtOnce(null)],
  ['whose query brought nothing', 'unknown', polled('unknown', 500)],
  ['whose query could not be sent', 'unknown', polled('not_executed', null)],
] satisfies [string, News, Partial<RechargeReport>][])(
  'a recharge %s is due once its provider answers again',
  async (_, news, over) => {
    const id = await waiting(news, over);
    const elsewhere = await waiting(news, { ...over, calls: [] }, 'alipay');
    expect(await books.domain.pullForward({ provider: 'sandbox', providerAccount: 'main' })).toBe(1);
    expect([await isDue(id), await isDue(elsewhere)]).toEqual([true, false]);
  },
);

test('a recharge that was never sent is due too, and one whose query was dropped', async () => {
  const [fresh, accepted] = [
    await recharged(books.domain, {}),
    await recharged(books.domain, {}, 'submit', 'accepted'),
  ];
  await books.rows(`update recharge_transaction set due_at = now() - interval '1 s' where id = $1`, [
    accepted,
  ]);
  await books.domain.takeDue(10_000);
  await books.rows(
    `update recharge_transaction set due_at = now() - interval '1 day' where due_at is not null`,
  );
  for (const id of [fresh, accepted]) await later(id);
  expect(await books.domain.pullForward({ provider: 'sandbox', providerAccount: 'main' })).toBe(2);
  expect([await isDue(fresh), await isDue(accepted)]).toEqual([true, true]);
});

test.each([
  ['that the provider has answered about', 'accepted', polled('found', 200)],
  ['that the provider asked to come later', 'unknown', refusedAtOnce(429)],
  [
    'that the provider cannot end yet',
    'accepted',
    { ...polled('found', 200), nextStep: 'cancel', calls: [call('cancel', 'still_payable', 200)] },
  ],
  ['that waits for its webhook', 'accepted', { calls: [call('submit', 'accepted', 201)] }],
] satisfies [string, News, Partial<RechargeReport>][])(
  'a recharge %s keeps its due time',
  async (_, news, over) => {
    const id = await waiting(news, over);
    expect(await books.domain.pullForward({ provider: 'sandbox', providerAccount: 'main' })).toBe(0);
    expect(await isDue(id)).toBe(false);
  },
);

test('a recharge whose call is under way keeps its due time', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  expect(await books.domain.pullForward({ provider: 'sandbox', providerAccount: 'main' })).toBe(0);
  expect(await isDue(id)).toBe(false);
});

test('a backlog of more than one batch becomes due as a whole', async () => {
  const ids = await Promise.all(times(1_100, () => recharged(books.domain, {})));
  await books.rows(
    `update recharge_transaction set due_at = now() + interval '1 hour' + random() * interval '1 hour' where id = any($1)`,
    [ids],
  );
  expect(await books.domain.pullForward({ provider: 'sandbox', providerAccount: 'main' })).toBe(1_100);
});

test('recharges that share a due time become due as a whole', async () => {
  const ids = await Promise.all(times(90, () => recharged(books.domain, {})));
  await books.rows(
    `update recharge_transaction set due_at = date_trunc('hour', now()) + interval '2 hours' where id = any($1)`,
    [ids],
  );
  expect(await books.domain.pullForward({ provider: 'sandbox', providerAccount: 'main' })).toBe(90);
});
