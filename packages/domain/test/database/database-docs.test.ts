import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, deposit, openBooks, recharged, reportOf } from '../support/books.js';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/database.md'), 'utf8');

/** The statements of the page, each by the sentence that introduces it. */
const examples = new Map(
  [...page.matchAll(/\n\n([^\n`|#][^`|]*?):?[^:`]*\n\n```sql\n(.*?)```/gs)].map(([, words, sql]) => [
    words!,
    sql!,
  ]),
);

let books: Books;
let late: string;

/** 1,000 are collected, 300 of them delivered, and 70 under way. 45 were settled after their recharge had failed. */
beforeAll(async () => {
  books = await openBooks();
  const { domain } = books;
  await deposit(domain, 'acct-1', 1_000n);
  const paid = { accountId: 'acct-1', kind: 'deliver', paymentMethod: 'balance' } as const;
  await recharged(domain, { ...paid, amountMinor: 300n }, 'submit', 'settled');
  await recharged(domain, { amountMinor: 70n }, 'submit', 'accepted');
  late = await recharged(domain, { amountMinor: 45n }, 'submit', 'declined');
  const money = { amountMinor: 45n, currency: 'USD' };
  await domain.applyNews(reportOf(late, 'settled', { money }));
});
afterAll(() => books.close());

/** The rows of the statement that follows these words. */
async function answerOf(words: string): Promise<Record<string, unknown>[]> {
  const [, sql] = [...examples].find(([introduction]) => introduction.startsWith(words)) ?? [];
  if (!sql) throw new Error(`no statement follows "${words}"`);
  return books.rows(sql);
}

test('each statement of the page has a test here', () => {
  expect(examples.size).toBe(page.split('```sql').length - 1);
  expect([...examples.keys()].map((words) => words.split(/[:,]/)[0])).toEqual([
    'Recharges of a day by kind and state. Amounts of recharges are never below zero',
    'What moved through each provider on a day',
    'Balances of the accounts that are no wallets',
    'What a provider owes us',
    'Money whose outcome is not known yet',
    'Money in suspense by recharge',
  ]);
});

test('recharges of a day are counted by kind, state and currency', async () => {
  expect(await answerOf('Recharges of a day')).toEqual([
    { kind: 'collect', state: 'FAILED', currency: 'USD', count: '1', sum: '45' },
    { kind: 'collect', state: 'PENDING_CONFIRMATION', currency: 'USD', count: '1', sum: '70' },
    { kind: 'collect', state: 'SUCCEEDED', currency: 'USD', count: '1', sum: '1000' },
    { kind: 'deliver', state: 'SUCCEEDED', currency: 'USD', count: '1', sum: '300' },
  ]);
});

test('what moved through a provider is what came in less what went out', async () => {
  expect(await answerOf('What moved through each provider')).toEqual([
    { provider: 'sandbox', client_name: 'books', currency: 'USD', count: '2', moved: '700' },
  ]);
});

test('a clearing account is below zero by what the provider owes us', async () => {
  expect(await answerOf('Balances of the accounts')).toEqual([
    { account: 'provider:sandbox:clearing', currency: 'USD', balance: '-745', major: '-7.45' },
    { account: 'suspense:sandbox', currency: 'USD', balance: '45', major: '0.45' },
  ]);
});

test('a provider owes us what it collected and has not delivered', async () => {
  expect(await answerOf('What a provider owes us')).toEqual([{ currency: 'USD', owed_to_us: '745' }]);
});

test('money of unknown outcome is the money of unfinished recharges', async () => {
  expect(await answerOf('Money whose outcome')).toEqual([
    {
      provider: 'sandbox',
      state: 'PENDING_CONFIRMATION',
      currency: 'USD',
      count: '1',
      amount: '70',
      oldest: expect.any(Date),
    },
  ]);
});

test('money in suspense is shown with its recharge and its open cases', async () => {
  expect(await answerOf('Money in suspense')).toEqual([
    { transaction_id: late, currency: 'USD', in_suspense: '45', open_cases: 'late_money' },
  ]);
});
