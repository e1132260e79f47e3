import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import type { CommandBooks } from '../support/command-books.js';
import { openJournalBooks, recharged } from '../support/journal-books.js';

let books: CommandBooks;
const dir = mkdtempSync(join(tmpdir(), 'replenish-journal-'));
beforeAll(async () => {
  books = await openJournalBooks();
});
afterAll(async () => {
  await books.close();
  rmSync(dir, { recursive: true });
});

async function exported(form: string): Promise<string> {
  const { exitCode, text } = await books.run('export', '--format', form);
  expect(exitCode).toBe(0);
  const file = join(dir, form === 'hledger' ? 'books.journal' : `books.${form}`);
  writeFileSync(file, `${text}\n`);
  return file;
}

/** The output of a program of Debian. It throws with what the program complains about. */
const ran = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Balances of `report.wallets` that are not zero, by account and currency, in minor units. */
async function wallets(): Promise<Map<string, bigint>> {
  const pool = new pg.Pool({ connectionString: books.databaseUrl, max: 1 });
  const { rows } = await pool.query<Record<'account_id' | 'currency' | 'available' | 'frozen', string>>(
    'select account_id, currency, available, frozen from report.wallets',
  );
  await pool.end();
  return new Map(
    rows
      .flatMap(({ account_id: id, currency, available, frozen }) => [
        [`wallet:${id}:available ${currency}`, BigInt(available)] as const,
        [`wallet:${id}:frozen ${currency}`, BigInt(frozen)] as const,
      ])
      .filter(([, minor]) => minor !== 0n),
  );
}

const minorOf = (major: string): bigint => BigInt(major.replaceAll(/[.,"]/g, ''));

/** The balances that hledger reports for wallets, with the sign of what is owed. */
function balancesOf(...source: string[]): Map<string, bigint> {
  const csv = ran(
    'hledger',
    ...source,
    'balance',
    '--flat',
    '--no-total',
    '--layout=bare',
    '-O',
    'csv',
    '^wallet:',
  );
  const lines = csv.trim().split('\n').slice(1);
  return new Map(
    lines.map((line) => {
      const [, account = '', currency = '', amount = ''] = /^"(.*)","(.*)","(.*)"$/.exec(line)!;
      return [`${decodeURIComponent(account)} ${currency}`, -minorOf(amount)] as const;
    }),
  );
}

const sorted = (balances: Map<string, bigint>) =>
  [...balances].filter(([, minor]) => minor !== 0n).toSorted();

test('hledger accepts the export strictly, and its balances are those of report.wallets', async () => {
  const file = await exported('hledger');
  ran('hledger', '-f', file, 'check', '--strict');
  const kept = await wallets();
  expect(kept.size).toBeGreaterThan(8);
  expect(sorted(balancesOf('-f', file))).toEqual(sorted(kept));
});

test('an export that is made while money moves is one moment of the books', async () => {
  let isOver = false;
  const moving = (async () => {
    let moved = 0;
    for (; !isOver; moved++)
      await recharged(books.domain, { accountId: 'moving', amountMinor: 3n }, 'submit', 'settled');
    return moved;
  })();
  const counts: number[] = [];
  try {
    for (let n = 0; n < 5; n++) {
      const file = await exported('hledger');
      ran('hledger', '-f', file, 'check', '--strict');
      counts.push(Number(balancesOf('-f', file).get('wallet:moving:available USD') ?? 0n));
    }
  } finally {
    isOver = true;
  }
  expect(await moving).toBeGreaterThan(0);
  expect(counts.at(-1)).toBeGreaterThan(counts[0]!);
});

test('hledger refuses an export with another amount in it, by the balances at its end', async () => {
  const file = await exported('hledger');
  const { text } = await books.run('export', '--format', 'hledger');
  writeFileSync(file, `${text.replace('49.99 USD', '50.99 USD').replace('-49.99 USD', '-50.99 USD')}\n`);
  expect(() => ran('hledger', '-f', file, 'check')).toThrow(/balance assertion/i);
});

test('bean-check accepts the export, with its balances', async () => {
  const file = await exported('beancount');
  expect(ran('bean-check', file)).toBe('');
  const { text } = await books.run('export', '--format', 'beancount');
  writeFileSync(file, `${text.replace(/ -1\.20 USD$/m, ' -1.21 USD')}\n`);
  expect(() => ran('bean-check', file)).toThrow();
});

test('hledger reads the CSV with a few rules, and its balances are those of report.wallets', async () => {
  const file = await exported('csv');
  const rules = join(dir, 'csv.rules');
  writeFileSync(
    rules,
    `skip 1
fields date, time, transaction, journal, entry, slot, account1, account2, amount, currency, order, provider_order
description %slot
date-format %Y-%m-%d
decimal-mark .
amount1 %amount %currency
amount2 -%amount %currency
currency
`,
  );
  const found = balancesOf('-f', file, '--rules-file', rules);
  expect([...found.values()].reduce((sum, minor) => sum + minor, 0n)).toBe(
    [...(await wallets()).values()].reduce((sum, minor) => sum + minor, 0n),
  );
});
