import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { archivedTables, leftOutTables } from '../../src/index.js';
import { cutColumns } from '../../src/store/archive/tables.js';
import { type Books, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const archived: readonly string[] = archivedTables;

test('each table of the schema is either archived or left out for a reason', async () => {
  const tables = await books.rows<{ name: string }>(`
    select relname as name
    from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname <> '_prisma_migrations'`);
  expect([...archived, ...Object.keys(leftOutTables)].toSorted()).toEqual(
    tables.map(({ name }) => name).toSorted(),
  );
});

test('an archived table comes after each table that it refers to', async () => {
  const references = await books.rows<{ table: string; other: string }>(`
    select conrelid::regclass::text as table, confrelid::regclass::text as other
    from pg_constraint
    where contype = 'f' and connamespace = 'public'::regnamespace and conrelid <> confrelid`);
  const wrong = references.filter(
    ({ table, other }) =>
      archived.includes(table) && !archived.slice(0, archived.indexOf(table)).includes(other),
  );
  expect(references.length).toBeGreaterThan(5);
  expect(wrong).toEqual([]);
});

test('a column of sealed bytes is in no archive', async () => {
  const sealed = await books.rows<{ table: string; column: string }>(`
    select table_name as table, column_name as column
    from information_schema.columns
    where table_schema = 'public' and column_name like '%sealed' and data_type = 'bytea'`);
  expect(sealed.length).toBeGreaterThan(2);
  expect(
    sealed.filter(({ table, column }) => archived.includes(table) && !cutColumns[table]?.includes(column)),
  ).toEqual([]);
});
