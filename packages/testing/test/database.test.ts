import { expect, test } from '@jest/globals';
import pg from 'pg';
import { createDatabase } from '../src/fleet/database.js';

async function tables(url: string): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const question = `select table_schema || '.' || table_name as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema')`;
    return (await client.query<{ name: string }>(question)).rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

test('a database is migrated or empty, and separate from the others', async () => {
  const [one, other, empty] = await Promise.all([
    createDatabase(),
    createDatabase(),
    createDatabase({ migrated: false }),
  ]);
  expect(await tables(one.url)).toContain('report.recharges');
  expect(await tables(empty.url)).toEqual([]);
  expect(new Set([one.url, other.url, empty.url]).size).toBe(3);
  for (const database of [one, other, empty]) await database.release();
});

test('a released database is dropped, unless its file failed', async () => {
  const database = await createDatabase({ migrated: false });
  await database.release(false);
  expect(await tables(database.url)).toEqual([]);
  await database.release();
  await expect(tables(database.url)).rejects.toThrow('does not exist');
});
