import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate } from '../../src/index.js';
import { currencies } from '../../src/rules.js';
import { type Books, CLIENT, deposit, newRefund, openBooks, recharged, reportOf } from '../support/books.js';

const ROLE = 'replenish_bi_of_a_test';
const NO_RIGHT = '42501';

let books: Books;
let reader: pg.Client;
let original: string;
beforeAll(async () => {
  books = await openBooks();
  await books.rows(`create role ${ROLE} login password 'of-tests-only'`);
  // Rights that the role should not have.
  await books.rows(`grant all on all tables in schema public to ${ROLE}`);
  await migrate({ databaseUrl: books.url, reportRole: ROLE });
  const url = Object.assign(new URL(books.url), { username: ROLE, password: 'of-tests-only' }).href;
  reader = new pg.Client(url);
  await reader.connect();
  original = await deposit(books.domain, 'acct-1', 1_000n);
  await recharged(books.domain, { accountId: 'acct-1', amountMinor: 45n }, 'submit', 'declined');
});
afterAll(async () => {
  await reader.end();
  await books.rows(`drop owned by ${ROLE}`);
  await books.rows(`drop role ${ROLE}`);
  await books.close();
});

const codeOf = (sql: string): Promise<string> =>
  reader.query(sql).then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

describe('the role of finance', () => {
  test('reads every view of schema report', async () => {
    const views = await books.rows<{ name: string }>(
      `select viewname as name from pg_views where schemaname = 'report'`,
    );
    expect(views.length).toBeGreaterThan(14);
    for (const { name } of views)
      expect([name, await codeOf(`select * from report.${name} limit 1`)]).toEqual([name, 'done']);
  });

  test.each([
    'select * from recharge_transaction',
    'select * from api_key',
    'select * from client',
    'select * from ledger_entry',
    'select * from audit_call',
    'select * from audit.call_default',
    'insert into nonce values (1)',
    'create table public.mine (n int)',
    'create view report.mine as select 1',
    "select nextval('ledger_entry_id_seq')",
    'select ensure_audit_partitions(1)',
  ])('cannot %s', async (sql) => {
    expect(await codeOf(sql)).toBe(NO_RIGHT);
  });

  test('cannot change a view', async () => {
    expect(await codeOf(`insert into report.recharges default values`)).toBe(NO_RIGHT);
  });
});

test('the role of the processes and the role of finance are two', async () => {
  await expect(migrate({ databaseUrl: books.url, reportRole: 'a', appRole: 'a' })).rejects.toThrow(
    'name one role',
  );
  await expect(migrate({ databaseUrl: books.url, reportRole: 'nobody_there' })).rejects.toThrow(
    'DATABASE_REPORT_ROLE',
  );
});

test('the decimals of each currency in the database are those of this release', async () => {
  const rows = await books.rows<{ code: string; exponent: number }>(
    'select code, currency_exponent(code) as exponent from unnest($1::text[]) code order by 1',
    [currencies().map(({ code }) => code)],
  );
  expect(rows).toEqual(currencies());
  expect(await books.rows(`select currency_exponent('ANG') as exponent`)).toEqual([{ exponent: null }]);
});

test('recharges are shown with the name of their client, the code of their failure and the decimals of their currency', async () => {
  const rows = await books.rows(
    'select client_name, failure_code, currency_exponent, amount from report.recharges order by created_at',
  );
  expect(rows).toEqual([
    { client_name: 'books', failure_code: null, currency_exponent: 2, amount: '1000' },
    { client_name: 'books', failure_code: expect.any(String), currency_exponent: 2, amount: '45' },
  ]);
});

test('settlements are below zero for money that went out', async () => {
  const paid = { accountId: 'acct-1', kind: 'deliver', paymentMethod: 'balance', amountMinor: 300n } as const;
  const delivery = await recharged(books.domain, paid, 'submit', 'settled');
  for (const [of, amountMinor] of [
    [original, 100n],
    [delivery, 20n],
  ] as const) {
    const refund = await books.domain.createRefund(newRefund(of, { amountMinor, clientId: CLIENT }));
    if (!refund.ok) throw new Error(refund.problem);
    for (const news of ['submit', 'settled'] as const)
      await books.domain.applyNews(reportOf(refund.refund.id, news));
  }
  const rows = await books.rows('select kind, amount from report.settlements order by settled_at');
  expect(rows).toEqual([
    { kind: 'collect', amount: '1000' },
    { kind: 'deliver', amount: '-300' },
    { kind: 'refund', amount: '-100' },
    { kind: 'recall', amount: '20' },
  ]);
  // What moved through the provider is what the wallet holds.
  const [wallet] = await books.rows('select available from report.wallets');
  const [sum] = await books.rows('select sum(amount) as available from report.settlements');
  expect(wallet).toEqual(sum);
});

test('cases are shown with their account and the name of their client', async () => {
  await recharged(books.domain, { accountId: 'acct-late', amountMinor: 7n }, 'submit', 'declined', 'settled');
  const rows = await books.rows(
    `select kind, amount, currency_exponent, account_id, client_id, client_name from report.cases
     where account_id = 'acct-late'`,
  );
  expect(rows).toEqual([
    {
      ...{ kind: 'late_money', amount: '7', currency_exponent: 2, account_id: 'acct-late' },
      ...{ client_id: CLIENT, client_name: 'books' },
    },
  ]);
});
