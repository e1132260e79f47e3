import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Books, openBooks } from '../support/books.js';
import { CloudYear } from '../support/cloud-year-run.js';

jest.setTimeout(300_000);

const { RULE_YEAR_ACCOUNTS: accounts = '20', RULE_YEAR_DAYS: days = '40', SEED: seed = '11' } = process.env;

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

test(`${days} days of ${accounts} cloud accounts: no cap is passed, one recharge is under way, and no account is left dry that may be filled (SEED=${seed})`, async () => {
  const wishes = { accounts: Number(accounts), days: Number(days), seed: Number(seed) };
  const year = new CloudYear(books, wishes);
  await year.run(wishes.days);
  await year.judge();
  expect(Object.keys(year.counts)).toEqual(
    expect.arrayContaining([
      ...[
        'BELOW_THRESHOLD',
        'ENOUGH',
        'UNDER_WAY',
        'CAP_REACHED',
        'COOLDOWN',
        'QUIET_HOURS',
        'BALANCE_UNKNOWN',
      ],
      ...['BACK_OFF', 'doubled jobs'],
    ]),
  );
  expect(await books.domain.verify()).toEqual([]);
});
