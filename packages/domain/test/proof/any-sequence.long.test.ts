import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkSequences } from '../support/any-sequence.js';
import { type Books, deposit, newRecharge, openBooks, recharged, reportOf, times } from '../support/books.js';

jest.setTimeout(900_000);

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

test('hundreds of sequences of requests, reports and decisions leave the books whole', async () => {
  expect(await checkSequences(books, { numRuns: 300, stepsMax: 40 })).toBe(300);
  const slots = await books.rows<{ slot: string }>(
    `select distinct regexp_replace(slot, '_[0-9]+$', '') as slot from report.postings order by 1`,
  );
  expect(slots.map(({ slot }) => slot)).toEqual([
    'adopt',
    'collect',
    'credit',
    'hold',
    'reverse',
    'settle',
    'suspense',
  ]);
  const verbs = await books.rows<{ verb: string }>(
    'select distinct verb from report.operator_actions order by 1',
  );
  expect(verbs.map(({ verb }) => verb)).toEqual(['adopt', 'dismiss', 'fail', 'resubmit', 'return']);
});

test('hundreds of sequences whose steps meet each other leave the books whole', async () => {
  expect(await checkSequences(books, { numRuns: 200, stepsMax: 60, atOnce: 4 })).toBe(200);
});

test('of 1,000 deliveries at once on a wallet with money for 600, exactly 600 are accepted', async () => {
  await deposit(books.domain, 'acct-600', 60_000n);
  const doors = times(4, () => books.open());
  const asks = times(1_000, () => newRecharge({ kind: 'deliver', accountId: 'acct-600', amountMinor: 100n }));
  const answers = await Promise.all(asks.map((ask, n) => doors[n % 4]!.createRecharge(ask)));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(600);
  expect(answers.filter((answer) => !answer.ok && answer.problem === 'insufficient_balance')).toHaveLength(
    400,
  );
  expect(
    await books.rows(`select available, frozen from report.wallets where account_id = 'acct-600'`),
  ).toEqual([{ available: '0', frozen: '60000' }]);
});

test('of 1,000 recharges that are canceled while they succeed, each that ends otherwise has its case', async () => {
  const [ours, theirs] = [books.open(), books.open()];
  const accountId = 'acct-race';
  const race = async (n: number): Promise<string> => {
    // Half of them are taken back before they are sent, the others are canceled at the provider.
    const isSent = n % 2 === 0;
    const id = await recharged(
      books.domain,
      { accountId, amountMinor: 100n },
      ...(isSent ? (['submit'] as const) : []),
    );
    const canceled = isSent
      ? reportOf(id, 'canceled', { source: 'poll', providerOrderId: `order ${id}` })
      : reportOf(id, 'withdraw', { source: 'client' });
    const settled = reportOf(id, 'settled', { source: 'webhook', providerOrderId: `order ${id}` });
    const reports = [() => ours.applyNews(canceled), () => theirs.applyNews(settled)];
    await Promise.all((n % 4 < 2 ? reports : reports.toReversed()).map((report) => report()));
    return id;
  };
  const ids: string[] = [];
  for (let at = 0; at < 1_000; at += 20) ids.push(...(await Promise.all(times(20, (n) => race(at + n)))));
  const ends = await books.rows<{ state: string; kinds: string[]; held: number; transactions: number }>(
    `select state, kinds, held::int, count(*)::int as transactions
     from (
       select recharge.state, recharge.transaction_id,
         array(select kind from report.cases some_case
           where some_case.transaction_id = recharge.transaction_id and closed_at is null order by 1) as kinds,
         coalesce((select sum(amount) from report.postings posting
           where posting.transaction_id = recharge.transaction_id and credit_account like 'suspense:%'), 0) as held
       from report.recharges recharge
       where transaction_id = any($1)) ended
     group by 1, 2, 3`,
    [ids],
  );
  const allowed = [
    // The recharge succeeded, and the cancel came too late, or before the order was known to be there.
    { state: 'SUCCEEDED', kinds: ['cancel_conflict'], held: 0 },
    { state: 'SUCCEEDED', kinds: [], held: 0 },
    // The recharge was taken back, and its money came all the same.
    { state: 'CANCELED', kinds: ['late_money'], held: 100 },
    // The provider has an order that was never sent. The submit will be answered with it, so it has no money yet.
    { state: 'CREATED', kinds: ['unsent_order'], held: 0 },
  ];
  for (const { transactions, ...end } of ends) expect(allowed).toContainEqual(end);
  expect(ends.reduce((sum, { transactions }) => sum + transactions, 0)).toBe(1_000);
  expect(ends.length).toBeGreaterThan(1);
});
