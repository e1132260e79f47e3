import { createHash } from 'node:crypto';
import { openPool, plainSession } from '@replenish/runtime/postgres';
import type pg from 'pg';
import { Prisma } from '../../generated/client.js';
import { checkChain } from '../chain/check.js';
import { databaseTypes, type Run } from '../database/database.js';
import { verify } from '../proof/verify.js';
import { type AccountBalance, appliedMigrations, summedBalances } from './read.js';
import { archivedTables, rowsOfMigrations } from './tables.js';

/** What an archive says about itself, and its rows. */
export type ArchivedBooks = Readonly<{
  migrations: readonly string[];
  chain: Readonly<{ seq: bigint; hash: string }>;
  balances: BalancesDigest;
  /** The rows of a table, as lines of JSON in pages. */
  rows: (table: string) => AsyncIterable<readonly string[]>;
}>;

/** The number of accounts with an entry, and a hash over their balances. */
export type BalancesDigest = Readonly<{ accounts: number; sha256: string }>;

/** The archive or the database is not fit for an import. Nothing was changed. */
export class ArchiveFault extends Error {
  override readonly name = 'ArchiveFault';
}

/** Called before each step, with its name. */
export type RestoreStep = (step: string) => void;

/**
 * Puts an archive into an empty database, in one transaction. It is committed only if the balances of all accounts, the
 * head of the chain, every link and every invariant hold. The role has to own the tables, because the triggers that guard
 * the books forbid most of what an import does.
 * @throws ArchiveFault
 */
export async function restoreBooks(
  databaseUrl: string,
  archive: ArchivedBooks,
  telling: RestoreStep = () => {},
): Promise<Readonly<{ rows: Readonly<Record<string, number>> }>> {
  const pool = openPool({
    databaseUrl,
    max: 1,
    connectLimitMs: 10_000,
    pins: { ...plainSession, statement_timeout: ['0'], lock_timeout: ['0'] },
  });
  pool.on('error', () => {});
  const client = await pool.connect();
  try {
    await client.query('begin');
    const rows = await restored(runOn(client), archive, telling);
    await client.query('commit');
    return { rows };
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw (error as { code?: string }).code === '42501' ? new ArchiveFault(NOT_OWNER) : error;
  } finally {
    client.release(true);
    await pool.end();
  }
}

const NOT_OWNER = 'an import needs the role that owns the tables, as `migrate` does';

const runOn =
  (client: pg.PoolClient): Run =>
  async <Row>({ text, values }: Prisma.Sql) =>
    (await client.query({ text, values, types: databaseTypes })).rows as Row[];

async function restored(
  run: Run,
  archive: ArchivedBooks,
  telling: RestoreStep,
): Promise<Record<string, number>> {
  await requireSameSchema(run, archive.migrations);
  const counts: Record<string, number> = {};
  for (const table of archivedTables) await run(Prisma.raw(`alter table "${table}" disable trigger user`));
  for (const [table, rows] of Object.entries(rowsOfMigrations))
    await run(Prisma.raw(`delete from "${table}" where ${rows}`));
  for (const table of archivedTables) await requireEmpty(run, table);
  for (const table of archivedTables) {
    telling(`importing ${table}`);
    counts[table] = await insertAll(run, table, archive.rows(table));
  }
  for (const table of archivedTables) {
    await run(Prisma.raw(`alter table "${table}" enable trigger user`));
    await run(Prisma.raw(`analyze "${table}"`));
  }
  await continueSequences(run);
  await requireSameBooks(run, archive, telling);
  return counts;
}

async function requireSameSchema(run: Run, archived: readonly string[]): Promise<void> {
  const own = (await run<{ name: string }>(appliedMigrations)).map(({ name }) => name);
  const missing = archived.filter((name) => !own.includes(name));
  const further = own.filter((name) => !archived.includes(name));
  if (missing.length + further.length === 0) return;
  const words = [
    ...(missing.length > 0 ? [`missing here: ${missing.join(', ')}`] : []),
    ...(further.length > 0 ? [`missing in the archive: ${further.join(', ')}`] : []),
  ];
  throw new ArchiveFault(
    `the archive was made with another schema (${words.join('; ')}): import it with the release that made it, and migrate then`,
  );
}

async function requireEmpty(run: Run, table: string): Promise<void> {
  const [row] = await run<{ some: boolean }>(Prisma.raw(`select exists (select from "${table}") as some`));
  if (row!.some) throw new ArchiveFault(`the database is not empty: ${table} has rows`);
}

async function insertAll(run: Run, table: string, pages: AsyncIterable<readonly string[]>): Promise<number> {
  let count = 0;
  for await (const page of pages) {
    if (page.length === 0) continue;
    const values = Prisma.sql`${`[${page.join(',')}]`}::jsonb`;
    await run(Prisma.sql`
      insert into ${Prisma.raw(`"${table}"`)}
      select * from jsonb_populate_recordset(null::${Prisma.raw(`"${table}"`)}, ${values})`);
    count += page.length;
  }
  return count;
}

/** New rows get numbers after the imported ones. */
async function continueSequences(run: Run): Promise<void> {
  const serial = await run<{ table: string; column: string; sequence: string }>(Prisma.sql`
    select class.relname::text as "table", attribute.attname::text as "column",
      pg_get_serial_sequence(quote_ident(class.relname), attribute.attname) as sequence
    from pg_class class
    join pg_attribute attribute on attribute.attrelid = class.oid and attribute.attnum > 0
    where class.relnamespace = 'public'::regnamespace
      and class.relname = any(${[...archivedTables]}::text[])
      and pg_get_serial_sequence(quote_ident(class.relname), attribute.attname) is not null`);
  for (const { table, column, sequence } of serial)
    await run(
      Prisma.raw(`select setval('${sequence}', coalesce(max("${column}"), 0) + 1, false) from "${table}"`),
    );
}

async function requireSameBooks(run: Run, archive: ArchivedBooks, telling: RestoreStep): Promise<void> {
  telling('adding up the balances');
  const balances = digestOf(await run<AccountBalance>(summedBalances));
  if (balances.sha256 !== archive.balances.sha256)
    throw new ArchiveFault('the balances are not those of the archive');
  telling('checking the chain');
  const { head, broken } = await checkChain(run, (seq) => telling(`checked ${seq} links of the chain`));
  if (broken.length > 0)
    throw new ArchiveFault(
      `the chain does not hold: ${broken[0]!.source} ${broken[0]!.rowKey} ${broken[0]!.why}`,
    );
  if (head.seq !== archive.chain.seq || head.hash !== archive.chain.hash)
    throw new ArchiveFault('the head of the chain is not that of the archive');
  const findings = await verify(run, (invariant) => telling(`checking ${invariant}`));
  if (findings.length > 0)
    throw new ArchiveFault(
      `the books are broken: ${findings.map(({ invariant, count }) => `${invariant} (${count})`).join(', ')}`,
    );
}

const lineOf = ({ account, currency, balanceMinor }: AccountBalance): string =>
  `${account} ${currency} ${balanceMinor}\n`;

/** A hash over balances that come in pages. */
export function balancesDigest(): {
  add: (page: readonly AccountBalance[]) => void;
  end: () => BalancesDigest;
} {
  const hash = createHash('sha256');
  let accounts = 0;
  return {
    add: (page) => {
      accounts += page.length;
      for (const one of page) hash.update(lineOf(one));
    },
    end: () => ({ accounts, sha256: hash.digest('hex') }),
  };
}

function digestOf(all: readonly AccountBalance[]): BalancesDigest {
  const digest = balancesDigest();
  digest.add(all);
  return digest.end();
}
