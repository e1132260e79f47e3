import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDatabase, execute } from '@replenish/testing';
import { openDomain, StoreUnavailable } from '../../src/index.js';
import { type Books, newRecharge, openBooks } from '../support/books.js';

let books: Books;
let database: string;
beforeAll(async () => {
  books = await openBooks();
  database = new URL(books.url).pathname.slice(1);
});
afterAll(() => books.close());

const { TEST_POSTGRES_URL: server = '' } = process.env;
const waits = { reconcileAfterMs: 1_000, providerTimeoutMs: 1_000 };

test('a migrated, writable database is fit', async () => {
  await expect(books.domain.ping()).resolves.toBeUndefined();
});

test('a read-only database is not fit, and takes no recharge', async () => {
  await execute(server, `alter database ${database} set default_transaction_read_only = on`);
  try {
    const domain = books.open();
    await expect(domain.ping()).rejects.toThrow('the database takes no writes');
    await expect(domain.createRecharge(newRecharge())).rejects.toThrow(StoreUnavailable);
  } finally {
    await execute(server, `alter database ${database} reset default_transaction_read_only`);
  }
});

test('a database without our schema is not fit, and a recharge is refused as unavailable', async () => {
  const empty = await createDatabase({ migrated: false });
  const domain = openDomain({ databaseUrl: empty.url, ...waits });
  await expect(domain.ping()).rejects.toThrow('the database has no schema: run npx replenish migrate');
  await expect(domain.createRecharge(newRecharge())).rejects.toThrow(StoreUnavailable);
  await domain.close();
  await empty.release();
});

test.each([
  { sign: 1, says: /the clock of this process is 6[12] seconds ahead of the clock of the database/ },
  { sign: -1, says: /the clock of this process is 6[12] seconds behind the clock of the database/ },
])('a clock that is a minute off makes the database unfit ($sign)', async ({ sign, says }) => {
  const off = books.open({ now: () => new Date(Date.now() + sign * 61_000) });
  await expect(off.ping()).rejects.toThrow(says);
  const near = books.open({ now: () => new Date(Date.now() + sign * 50_000) });
  await expect(near.ping()).resolves.toBeUndefined();
});

test('a schema that is older than the release is not fit, and the message names the missing migration', async () => {
  const [last] = await books.rows<{ name: string }>(
    'select migration_name as name from _prisma_migrations order by 1 desc limit 1',
  );
  await books.rows('update _prisma_migrations set migration_name = $2 where migration_name = $1', [
    last!.name,
    '20200101000000_forgotten',
  ]);
  const older = `the schema is older than this release, run npx replenish migrate (missing: ${last!.name})`;
  await expect(books.domain.ping()).rejects.toThrow(older);
  await books.rows('update _prisma_migrations set migration_name = $1 where migration_name = $2', [
    last!.name,
    '20200101000000_forgotten',
  ]);
  await expect(books.domain.ping()).resolves.toBeUndefined();
});

test('a schema that is newer than the release is fit only if the options allow it', async () => {
  await books.rows(`insert into _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
    values ('future', '', '29990101000000_future', now(), 1)`);
  await expect(books.domain.ping()).rejects.toThrow(
    'the schema is newer than this release (unknown here: 29990101000000_future)',
  );
  await expect(books.open({ newerSchema: 'serve' }).ping()).resolves.toBeUndefined();
  await books.rows(`delete from _prisma_migrations where id = 'future'`);
});

test('a failed migration makes the database unfit', async () => {
  await books.rows(
    `insert into _prisma_migrations (id, checksum, migration_name) values ('half', '', '2999_half')`,
  );
  await expect(books.domain.ping()).rejects.toThrow('a migration is under way or has failed: 2999_half');
  await books.rows(`delete from _prisma_migrations where id = 'half'`);
});
