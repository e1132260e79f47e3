import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createDatabase } from '@replenish/testing';
import pg from 'pg';
import { migrate, schemaScript } from '../../src/store/database/migrate.js';
import { byHand } from './by-hand.js';

const migrationsDir = join(import.meta.dirname, '..', '..', '..', '..', 'prisma', 'migrations');

// The engine starts a timer of ten seconds. Jest would wait for it after this file.
const { setTimeout: startTimer } = globalThis;
globalThis.setTimeout = Object.assign(
  ((...args: Parameters<typeof startTimer>) => startTimer(...args).unref()) as typeof startTimer,
  startTimer,
);

/** All our own objects in the catalogs, as name and definition. */
const CATALOG = `
  select 'column ' || table_name || '.' || column_name as name, concat_ws(' ', udt_name, datetime_precision,
      is_nullable, column_default) as definition
    from information_schema.columns where table_schema = 'public'
  union all
  select case contype when 'c' then 'check ' when 'p' then 'primary key ' when 'f' then 'foreign key '
      else 'constraint ' end || conname, conrelid::regclass || ' ' || pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'public'::regnamespace
  union all
  -- ONLY is how Postgres writes the index of a partitioned table.
  select 'index ' || indexname, replace(indexdef, ' ON ONLY ', ' ON ') from pg_indexes where schemaname = 'public'
  union all
  select 'trigger ' || tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  union all
  select 'function ' || proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace
  union all
  select 'view ' || schemaname || '.' || viewname, definition from pg_views
    where schemaname not in ('pg_catalog', 'information_schema')`;

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function catalogOf(url: string): Promise<Record<string, string>> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ name: string; definition: string }>(CATALOG),
  );
  const ours = rows.filter(({ name, definition }) => !/_prisma_migrations/.test(`${name} ${definition}`));
  return Object.fromEntries(ours.map(({ name, definition }) => [name, definition]));
}

test('schema.prisma and the migrations make the same tables, but for the named definitions', async () => {
  const [described, migrated] = await Promise.all([
    createDatabase({ migrated: false }),
    createDatabase({ migrated: true }),
  ]);
  const script = await schemaScript({ databaseUrl: described.url });
  await withClient(described.url, (client) => client.query(script));
  const [schema, migrations] = await Promise.all([catalogOf(described.url), catalogOf(migrated.url)]);
  const shared = Object.entries(migrations).filter(([name]) => name in schema);
  const extra = Object.keys(migrations).filter((name) => !(name in schema));

  expect(Object.keys(schema).filter((name) => name.startsWith('column ')).length).toBeGreaterThan(90);
  expect(Object.fromEntries(shared)).toEqual(schema);
  expect(extra.toSorted()).toEqual(byHand);
  await Promise.all([described.release(), migrated.release()]);
});

test('two processes that migrate at once apply each migration once, and record it as Prisma does', async () => {
  const database = await createDatabase({ migrated: false });
  const names = readdirSync(migrationsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  const applied = await Promise.all([1, 2].map(() => migrate({ databaseUrl: database.url })));
  expect(applied.flat().toSorted()).toEqual(names);
  expect(await migrate({ databaseUrl: database.url })).toEqual([]);

  const { rows } = await withClient(database.url, (client) =>
    client.query(`select migration_name, checksum, finished_at, rolled_back_at, logs, applied_steps_count
      from _prisma_migrations order by migration_name`),
  );
  const expected = names.map((name) => ({
    migration_name: name,
    checksum: createHash('sha256')
      .update(readFileSync(join(migrationsDir, name, 'migration.sql')))
      .digest('hex'),
    finished_at: expect.any(Date),
    rolled_back_at: null,
    logs: null,
    applied_steps_count: 1,
  }));
  expect(rows).toEqual(expected);
  await database.release();
});
