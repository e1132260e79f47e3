import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { type BrokenLink, checkChain } from '../../src/store/chain/check.js';
import { seal } from '../../src/store/chain/seal.js';
import { databaseTypes, type Run } from '../../src/store/database/database.js';
import { type Books, deposit, openBooks, recharged } from '../support/books.js';
import { caseSteps, late } from '../support/cases.js';

let books: Books;
let session: pg.Client;
/** Constraints that would still refuse a change are dropped, as a faulty migration might do. */
const unchecked = `do $$
  declare one record;
  begin
    for one in select conrelid::regclass as of, conname as name from pg_constraint
      where contype = 'c' and conrelid::regclass::text = any('{ledger_journal,ledger_entry,transition,api_key}')
    loop execute format('alter table %s drop constraint %I', one.of, one.name); end loop;
  end $$`;
const run: Run = async <Row>({ text, values }: Parameters<Run>[0]) =>
  (await session.query({ text, values: [...values], types: databaseTypes })).rows as Row[];
const broken = async (): Promise<readonly BrokenLink[]> => (await checkChain(run)).broken;

beforeAll(async () => {
  books = await openBooks();
  session = new pg.Client(books.url);
  await session.connect();
  await deposit(books.domain, 'acct-1', 10_000n);
  await recharged(books.domain, { kind: 'deliver' }, 'submit', 'settled');
  const { withCase, resolve } = caseSteps(books);
  for (const verb of ['adopt', 'return'] as const) await resolve((await withCase({}, ...late)).caseId, verb);
  await session.query(
    `insert into api_key (id, client_id, secret_hash, scopes, accounts)
     select 'rk_test_' || n, (select min(id::text)::uuid from client), sha256(n::text::bytea), '{}', '{}'
     from generate_series(1, 3) n`,
  );
  while ((await books.domain.chain.head()).unsealed > 0) await books.domain.chain.seal();
  expect(await broken()).toEqual([]);
});
afterAll(async () => {
  await session.end();
  await books.close();
});
// Each test changes the books while their guards are off, as an owner of the database could, and takes it back.
const unguarded = () => session.query(`begin; set local session_replication_role = replica; ${unchecked}`);
beforeEach(async () => {
  await unguarded();
});
afterEach(async () => {
  await session.query('rollback');
});

/** The tables that the chain covers: what it calls their rows, and the key of a row as SQL. */
const tables: Readonly<Record<string, readonly [source: string, key: string]>> = {
  ledger_journal: ['journal', 'id::text'],
  ledger_entry: ['journal', 'journal_id::text'],
  transition: ['transition', `transaction_id || ' ' || seq`],
  reconciliation_case: ['case', 'id::text'],
  operator_action: ['action', 'id::text'],
  api_key: ['key', 'id'],
};

/**
 * What no hash covers. The first three tell a repeated request of an action. A sealed secret is sealed anew with another
 * master key, and the hash of the secret is covered.
 */
const notCovered = [
  'operator_action.client_id',
  'operator_action.fingerprint',
  'operator_action.idempotency_key',
  'api_key.previous_secret_sealed',
  'api_key.secret_sealed',
];

/** A little change of a column of each type. */
const changes: Readonly<Record<string, (column: string) => string>> = {
  uuid: () => 'gen_random_uuid()',
  text: (column) => `coalesce(${column}, '') || '.'`,
  int4: (column) => `coalesce(${column}, 0) + 1000`,
  int8: (column) => `coalesce(${column}, 0) + 1000`,
  bool: (column) => `not ${column}`,
  timestamptz: (column) => `coalesce(${column}, now()) + interval '1 ms'`,
  jsonb: (column) => `coalesce(nullif(${column}, 'null'), '{}') || '{"one": 1}'`,
  bytea: (column) =>
    `set_byte(coalesce(${column}, '\\x00'), 0, 255 - get_byte(coalesce(${column}, '\\x00'), 0))`,
  _text: (column) => `array_append(${column}, 'one')`,
};

type Column = Readonly<{ table: string; column: string; type: string }>;

const columnsOf = async (names: readonly string[]): Promise<Column[]> =>
  (
    await session.query<Column>(
      `select table_name as table, quote_ident(column_name) as column, udt_name as type
       from information_schema.columns where table_schema = 'public' and table_name = any($1)
       order by table_name, column_name`,
      [names],
    )
  ).rows;

/** Changes one column of one row. Returns the keys of the row before and after. */
async function changedRow({ table, column, type }: Column): Promise<[before: string, after: string]> {
  const [, key] = tables[table]!;
  const change = changes[type];
  if (!change) throw new Error(`${table}.${column} has type ${type}: say how it changes`);
  const { rows } = await session.query<{ before: string; after: string }>(
    `with one as (select ctid as place, ${key} as before from ${table} order by ${key} offset 1 limit 1)
     update ${table} set ${column} = ${change(column)} from one where ctid = one.place
     returning one.before, ${key} as after`,
  );
  return [rows[0]!.before, rows[0]!.after];
}

test('a change of any column of any covered row is named, and nothing else is', async () => {
  const columns = await columnsOf(Object.keys(tables));
  expect(columns.length).toBeGreaterThan(70);
  const unnamed: string[] = [];
  for (const one of columns) {
    await session.query('savepoint sound');
    const [before, after] = await changedRow(one);
    const found = await broken();
    await session.query('rollback to savepoint sound');
    const [source] = tables[one.table]!;
    if (found.length === 0) unnamed.push(`${one.table}.${one.column}`);
    else expect(found).toContainEqual(expect.objectContaining({ source, rowKey: before }));
    for (const { rowKey } of found) expect([before, after]).toContain(rowKey);
  }
  expect(unnamed.toSorted()).toEqual(notCovered.toSorted());
}, 60_000);

test('a change of a link is named, but for the time at which it was made', async () => {
  const unnamed: string[] = [];
  for (const { column, type } of await columnsOf(['chain_link'])) {
    await session.query('savepoint sound');
    await session.query(`update chain_link set ${column} = ${changes[type]!(column)} where seq = 4`);
    if ((await broken()).length === 0) unnamed.push(column);
    await session.query('rollback to savepoint sound');
  }
  expect(unnamed).toEqual(['sealed_at']);
});

test.each(Object.entries(tables))(
  'a deleted row of %s is named, the first and the last',
  async (table, [source, key]) => {
    for (const direction of ['asc', 'desc']) {
      await session.query('savepoint sound');
      const { rows } = await session.query<{ key: string }>(
        `delete from ${table} where ctid = (select ctid from ${table} order by ${key} ${direction} limit 1)
       returning ${key} as key`,
      );
      const why = table === 'ledger_entry' ? 'changed' : 'deleted';
      expect(await broken()).toEqual([expect.objectContaining({ source, rowKey: rows[0]!.key, why })]);
      await session.query('rollback to savepoint sound');
    }
  },
);

test('an entry that was put into a journal, or has none, is named', async () => {
  const journal = '00000000-0000-7000-8000-0000000000ff';
  const put = (into: string) =>
    session.query<{ key: string }>(
      `insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency)
       select ${into}, transaction_id, 'provider:sandbox:clearing', 'house:main', 7, 'USD'
       from ledger_entry order by id limit 1
       returning journal_id::text as key`,
    );
  await session.query('savepoint sound');
  const { rows } = await put('journal_id');
  expect(await broken()).toEqual([
    expect.objectContaining({ source: 'journal', rowKey: rows[0]!.key, why: 'changed' }),
  ]);
  await session.query('rollback to savepoint sound');
  await put(`'${journal}'`);
  expect(await broken()).toEqual([{ seq: null, source: 'journal', rowKey: journal, why: 'not sealed' }]);
});

// The last tests, because they leave rows unsealed.

test('a row that is deleted before it is sealed is named, before and after the seal', async () => {
  await session.query('rollback');
  const { withCase, resolve } = caseSteps(books);
  await resolve((await withCase({}, ...late)).caseId, 'adopt');
  await books.rows(
    `insert into api_key (id, client_id, secret_hash, scopes, accounts)
     select 'rk_test_new', client_id, '', '{}', '{}' from api_key limit 1`,
  );
  await unguarded();
  for (const [table, [source, key]] of Object.entries(tables).filter(([name]) => name !== 'ledger_entry')) {
    await session.query('savepoint sound');
    const { rows } = await session.query<{ key: string }>(
      `delete from ${table} where ${key} = (
         select max(noted.key) from unsealed, unnest(keys) as noted(key) where source = $1) returning ${key} as key`,
      [source],
    );
    const deleted = { source, rowKey: rows[0]!.key, why: 'deleted' };
    expect(await broken()).toEqual([{ ...deleted, seq: null }]);
    await seal(run, 60_000);
    expect(await broken()).toEqual([{ ...deleted, seq: expect.any(BigInt) }]);
    await session.query('rollback to savepoint sound');
  }
});

test('a chain that is checked while rows are written and sealed holds', async () => {
  await session.query('rollback');
  const writer = books.open();
  let isOver = false;
  const written = Promise.all(
    Array.from({ length: 120 }, () => recharged(writer, { accountId: 'acct-2' }, 'submit', 'settled')),
  ).finally(() => {
    isOver = true;
  });
  let checks = 0;
  do {
    const [check] = await Promise.all([books.domain.chain.check(), books.domain.chain.seal()]);
    expect(check.broken).toEqual([]);
    checks++;
  } while (!isOver || (await books.domain.chain.head()).unsealed > 0);
  await written;
  expect(checks).toBeGreaterThan(1);
  await session.query('begin');
}, 60_000);
