import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../src/run.js';
import type { CommandBooks } from '../support/command-books.js';
import { openJournalBooks } from '../support/journal-books.js';

let books: CommandBooks;
beforeAll(async () => {
  books = await openJournalBooks();
});
afterAll(() => books.close());

const exported = async (...args: string[]): Promise<string> => {
  const { exitCode, text } = await books.run('export', '--format', ...args);
  expect({ exitCode, text }).toMatchObject({ exitCode: 0 });
  return text;
};

test('an export reads no further page while its reader has no room for the last one', async () => {
  const events: string[] = [];
  const surroundings = {
    env: { DATABASE_URL: books.databaseUrl, REPLENISH_DIR: '/nowhere' },
    say: () => void events.push('said'),
    written: async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      events.push('written');
    },
    complain: () => {},
  };
  expect(await run(['export', '--format', 'hledger'], surroundings)).toBe(0);
  expect(events.length).toBeGreaterThan(4);
  expect(events).toEqual(events.map((_, at) => (at % 2 === 0 ? 'said' : 'written')));
});

describe('the ledger', () => {
  test('is a journal of hledger, with the decimals of each currency and one level per id', async () => {
    const text = await exported('hledger');
    expect(text).toMatch(/^account wallet:acct-1001:available {2}; type:L$/m);
    expect(text).toContain(`commodity 1000. JPY\n`);
    expect(text).toContain(`commodity 1000.000 KWD\n`);
    expect(text).toMatch(
      /^ {4}provider:sandbox:clearing +49\.99 USD\n {4}wallet:acct-1001:available +-49\.99 USD$/m,
    );
    expect(text).toMatch(/^ {4}wallet:a%3Ab:available +-500 JPY$/m);
    expect(text).toMatch(/^ {4}wallet:-\._%3Ax:available +-1234\.567 KWD$/m);
    expect(text).toMatch(/^ {4}suspense:sandbox +-0\.05 USD$/m);
    expect(text).toMatch(/^ {4}wallet:back:frozen {2}0\.00 USD = -1\.20 USD$/m);
  });

  test('is a journal of Beancount, in which no two ids have one name', async () => {
    const text = await exported('beancount');
    expect(text).toContain(
      'open Liabilities:Wallets:A-acct--1001:Available\n  name: "wallet:acct-1001:available"',
    );
    expect(text).toContain('  Assets:Providers:A-sandbox:Clearing  49.99 USD\n');
    expect(text).toContain('Liabilities:Wallets:A-A--B:Available');
    expect(text).toContain('Liabilities:Wallets:A-A----B:Available');
    expect(text).toContain(String.raw`  order: "PO \"7\", \\ ; x"`);
    expect(text).toMatch(/^\d{4}-\d\d-\d\d balance Liabilities:Wallets:A-back:Frozen {2}-1\.20 USD$/m);
  });

  test('is CSV with a line per entry', async () => {
    const lines = (await exported('csv')).split('\n');
    const { currencies } = await books.domain.proof();
    const count = currencies.reduce((sum, { entries }) => sum + Number(entries), 0);
    expect(lines).toHaveLength(1 + count);
    expect(lines[0]).toMatch(
      /^date,time,transactionId,journalId,entryId,slot,debitAccount,creditAccount,amount,curr/,
    );
    expect(lines[1]).toMatch(
      /,collect,provider:sandbox:clearing,wallet:acct-1001:available,49\.99,USD,"PO ""7"", \\ ; x","o,""1"" ;[^"]+"$/,
    );
  });

  test('of a time has the entries of that time only, and asserts no balance', async () => {
    expect((await exported('csv', '--to', '2020-01-01')).split('\n')).toHaveLength(1);
    expect((await exported('csv', '--from', '2020-01-01')).split('\n').length).toBeGreaterThan(5);
    expect(await exported('hledger', '--from', '2020-01-01')).not.toContain('kept balances');
    expect(
      (await books.run('export', '--format', 'csv', '--from', '2027-01-01', '--to', '2026-01-01')).exitCode,
    ).toBe(2);
    expect((await books.run('export', '--format', 'xls')).exitCode).toBe(2);
    expect((await books.run('export')).exitCode).toBe(2);
  });
});
