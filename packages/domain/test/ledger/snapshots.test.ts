import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Books, deposit, openBooks, recharged, reportOf, times } from '../support/books.js';
import { BUFFERS_MAX, buffersOfWrites } from '../support/buffers.js';
import { writeHistory } from '../support/wallet-history.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await books.close();
});

/** The balances of all accounts but wallets, as finance reads them, and as all entries add up. */
async function balances(): Promise<[shown: unknown, added: unknown]> {
  const shown = await books.rows(
    `select account, currency, balance from report.account_balances where account not like 'wallet:%'
    order by 1, 2`,
  );
  const added = await books.rows(
    `select account, currency, sum(delta) as balance
    from (
      select credit_account as account, currency, amount_minor as delta from ledger_entry
      union all select debit_account, currency, -amount_minor from ledger_entry) side
    where account not like 'wallet:%' group by 1, 2 order by 1, 2`,
  );
  return [shown, added];
}

const expectRight = async () => {
  const [shown, added] = await balances();
  expect(shown).toEqual(added);
};

const kept = async () => Number((await books.rows('select count(*) from ledger_snapshot'))[0]!.count);

test('a balance is right without a snapshot, behind one, and behind several', async () => {
  const { domain } = books;
  await Promise.all(times(12, (n) => deposit(domain, `acct-${n}`, BigInt(n + 1))));
  await expectRight();
  expect(await domain.takeSnapshots({ everyEntries: 5 })).toBe(2);
  await expectRight();
  const late = await recharged(domain, { amountMinor: 45n }, 'submit', 'declined');
  await domain.applyNews(reportOf(late, 'settled', { money: { amountMinor: 45n, currency: 'USD' } }));
  await recharged(domain, { amountMinor: 9n, currency: 'EUR' }, 'submit', 'settled');
  await expectRight();
  // Ten of the fifteen entries come after the second snapshot. The next five touch three accounts.
  await deposit(domain, 'acct-0', 1n);
  expect(await domain.takeSnapshots({ everyEntries: 5 })).toBe(3);
  expect(await kept()).toBe(5);
  await expectRight();
  expect(await domain.verify()).toEqual([]);
});

test('few new entries make no snapshot, and processes that take one at once agree', async () => {
  const { domain } = books;
  const before = await kept();
  expect(await domain.takeSnapshots()).toBe(0);
  await Promise.all(times(20, () => deposit(domain, 'acct-1', 3n)));
  const other = books.open();
  await Promise.all([domain, other, domain].map((one) => one.takeSnapshots({ everyEntries: 7 })));
  expect(await kept()).toBeGreaterThan(before);
  await expectRight();
});

test('an entry that is committed behind later ones is in no snapshot before it is there', async () => {
  const { domain } = books;
  const slow = new pg.Client({ connectionString: books.url });
  await slow.connect();
  try {
    await slow.query('begin');
    await slow.query('set local session_replication_role = replica');
    // The transaction has taken an id, and ends after the entries with higher ids.
    await slow.query(
      `insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency)
      values (gen_random_uuid(), gen_random_uuid(), 'provider:sandbox:clearing', 'suspense:sandbox', 1000, 'USD')`,
    );
    await Promise.all(times(10, () => deposit(domain, 'acct-2', 3n)));
    expect(await domain.takeSnapshots({ everyEntries: 2, limitMs: 1_000 })).toBe(0);
    await expectRight();
    await slow.query('rollback');
  } finally {
    await slow.end();
  }
  expect(await domain.takeSnapshots({ everyEntries: 2 })).toBeGreaterThan(0);
  await expectRight();
});

test('a run touches few buffers however many entries there are, and a balance reads only those behind it', async () => {
  await writeHistory(books, {
    ...{ accountId: 'acct-many', count: 50_000, everyMs: 1 },
    from: new Date('2026-01-01T00:00:00Z'),
  });
  await books.rows('vacuum analyze');
  // Frozen money has no account in this history.
  await books.rows(`insert into ledger_account (name, currency) values ('provider:sandbox:clearing', 'USD')
    on conflict do nothing`);
  const touched = await buffersOfWrites(books.url, () => books.domain.takeSnapshots());
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
  await expectRight();
  const [row] = await books.rows<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    'explain (analyze, buffers, format json) select * from report.account_balances',
  );
  const plan = row!['QUERY PLAN'][0].Plan;
  expect(plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!).toBeLessThan(500);
  await books.rows(`
    begin; set local session_replication_role = replica;
    delete from ledger_snapshot where entry_id > (select max(entry_id) from ledger_snapshot) - 40000;
    delete from ledger_entry where 'wallet:acct-many:available' in (debit_account, credit_account);
    delete from ledger_account where name like 'wallet:acct-many:%';
    delete from ledger_journal where transaction_id in (select id from recharge_transaction where account_id = 'acct-many');
    delete from recharge_transaction where account_id = 'acct-many'; truncate ledger_snapshot; commit`);
});
