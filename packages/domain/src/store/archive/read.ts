import { Prisma } from '../../generated/client.js';
import { headOf } from '../chain/check.js';
import type { Head } from '../chain/links.js';
import type { Run } from '../database/database.js';
import { archivedTables, cutColumns, leftOutTables as reasons } from './tables.js';

/** An entry of the ledger, with the names that its recharge has outside of the books. */
export type LedgerLine = Readonly<{
  id: bigint;
  journalId: string;
  transactionId: string;
  slot: string;
  debit: string;
  credit: string;
  amountMinor: bigint;
  currency: string;
  at: Date;
  orderReference: string | null;
  providerOrderId: string | null;
}>;

export type AccountBalance = Readonly<{ account: string; currency: string; balanceMinor: bigint }>;

export type LeftOut = Readonly<{ table: string; rows: number; why: string }>;

/** The books as of one moment. Lists come in pages, so they may be of any length. */
export interface BooksSnapshot {
  readonly at: Date;
  /** The entries with a time from `from` on and before `to`, in the order in which they were written. */
  entries(period: Readonly<{ from?: Date | undefined; to?: Date | undefined }>): AsyncGenerator<LedgerLine[]>;
  /** The kept balances of the wallets, in the order of their names. */
  wallets(): AsyncGenerator<AccountBalance[]>;
  /** The sums of the entries of each account, in the order of their names. */
  balances(): AsyncGenerator<AccountBalance[]>;
  /** The rows of an archived table, each as a line of JSON. */
  rows(table: string): AsyncGenerator<string[]>;
  head(): Promise<Head & Readonly<{ unsealed: number }>>;
  /** The names of the applied migrations. */
  migrations(): Promise<string[]>;
  /** The tables that no archive has, with their approximate numbers of rows and the reason. */
  leftOut(): Promise<LeftOut[]>;
}

const PAGE = 2_000;

export async function openSnapshot(run: Run): Promise<BooksSnapshot> {
  const [moment] = await run<{ at: Date }>(Prisma.sql`select now() as at`);
  return {
    at: moment!.at,
    entries: (period) => entriesIn(run, period),
    wallets: () => fetched<AccountBalance>(run, keptBalances),
    balances: () => fetched<AccountBalance>(run, summedBalances),
    rows: (table) => linesOf(run, table),
    head: () => headOf(run),
    migrations: async () => (await run<{ name: string }>(appliedMigrations)).map(({ name }) => name),
    leftOut: async () =>
      (await run<Omit<LeftOut, 'why'>>(tablesLeftOut)).map((one) => ({
        ...one,
        why: reasons[one.table] ?? '',
      })),
  };
}

async function* entriesIn(
  run: Run,
  { from, to }: Readonly<{ from?: Date | undefined; to?: Date | undefined }>,
): AsyncGenerator<LedgerLine[]> {
  let after = 0n;
  for (;;) {
    const page = await run<LedgerLine>(Prisma.sql`
      select
        entry.id,
        entry.journal_id as "journalId",
        entry.transaction_id as "transactionId",
        journal.slot,
        entry.debit_account as debit,
        entry.credit_account as credit,
        entry.amount_minor as "amountMinor",
        entry.currency,
        entry.at,
        recharge.order_reference as "orderReference",
        recharge.provider_order_id as "providerOrderId"
      from (
        select *
        from ledger_entry
        where id > ${after}::bigint
          and (${from ?? null}::timestamptz is null or at >= ${from ?? null}::timestamptz)
          and (${to ?? null}::timestamptz is null or at < ${to ?? null}::timestamptz)
        order by id
        limit ${PAGE}::int) entry
      join ledger_journal journal on journal.id = entry.journal_id
      left join recharge_transaction recharge on recharge.id = entry.transaction_id
      order by entry.id`);
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.id;
  }
}

let cursors = 0;

/** Reads a query through a cursor of the transaction, page by page. */
async function* fetched<Row>(run: Run, query: Prisma.Sql): AsyncGenerator<Row[]> {
  cursors += 1;
  const name = `archived_${cursors}`;
  await run(Prisma.raw(`declare ${name} no scroll cursor for ${query.sql}`));
  for (;;) {
    const page = await run<Row>(Prisma.raw(`fetch ${PAGE} from ${name}`));
    if (page.length > 0) yield page;
    if (page.length < PAGE) break;
  }
  await run(Prisma.raw(`close ${name}`));
}

async function* linesOf(run: Run, table: string): AsyncGenerator<string[]> {
  if (!(archivedTables as readonly string[]).includes(table)) throw new Error(`${table} is not archived`);
  const cut = (cutColumns[table] ?? []).map((column) => ` - '${column}'`).join('');
  const query = Prisma.raw(`select (to_jsonb(archived)${cut})::text as line from "${table}" archived`);
  for await (const page of fetched<{ line: string }>(run, query))
    yield page.map(({ line }) => onOneLine(line));
}

/** Some readers of lines end one at these two characters, too. */
const onOneLine = (json: string): string =>
  json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');

const keptBalances = Prisma.sql`
  select name as account, currency, balance_minor as "balanceMinor"
  from ledger_account
  where name like 'wallet:%'
  order by name collate "C", currency`;

/** The balance of every account with an entry, from the entries alone: credits less debits. */
export const summedBalances = Prisma.sql`
  select side.account, side.currency, sum(side.amount)::bigint as "balanceMinor"
  from (
    select debit_account as account, currency, -amount_minor as amount from ledger_entry
    union all
    select credit_account, currency, amount_minor from ledger_entry) side
  group by side.account, side.currency
  order by side.account collate "C", side.currency`;

export const appliedMigrations = Prisma.sql`
  select migration_name as name
  from _prisma_migrations
  where finished_at is not null and rolled_back_at is null
  order by migration_name`;

// The months of a partitioned table are its partitions, and are counted as one.
const tablesLeftOut = Prisma.sql`
  select class.relname::text as "table",
    (greatest(0, class.reltuples) + coalesce((
      select sum(greatest(0, part.reltuples))
      from pg_inherits
      join pg_class part on part.oid = inhrelid
      where class.relkind = 'p' and inhparent = class.oid and part.reltuples > class.reltuples), 0))::float8 as rows
  from pg_class class
  where class.relnamespace = 'public'::regnamespace
    and class.relkind in ('r', 'p')
    and not class.relispartition
    and class.relname <> '_prisma_migrations'
    and class.relname <> all(${[...archivedTables]}::text[])
  order by 1`;
