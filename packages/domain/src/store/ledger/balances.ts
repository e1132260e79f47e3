import { wallet } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { momentOr, newestOf, type Place, placeBehind } from '../database/newest.js';

export type Balance = Readonly<{ currency: string; availableMinor: bigint; frozenMinor: bigint }>;

/**
 * One movement of a wallet's available funds. A positive amount came in, and a negative one went out. `balanceMinor` is
 * the balance after it.
 */
export type WalletEntry = Readonly<{
  id: bigint;
  at: Date;
  transactionId: string;
  slot: string;
  amountMinor: bigint;
  currency: string;
  balanceMinor: bigint;
  counterparty: string;
}>;

export type EntryFilter = Readonly<{
  accountId: string;
  currency?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  beforeId?: bigint | undefined;
  limit: number;
}>;

/**
 * With `at`, the answer is what held after all entries up to and including this moment. Without it, the answer is what
 * holds now.
 */
export type StatementFilter = Readonly<{
  accountId: string;
  currency?: string | undefined;
  at?: Date | undefined;
  limit: number;
}>;

/** Balances and entries of a wallet as of one moment. No entry is later than `asOf`. */
export type WalletStatement = Readonly<{
  balances: readonly Balance[];
  entries: readonly WalletEntry[];
  asOf: Date;
}>;

export interface Balances {
  /** The current running balances, read by key. */
  of(accountId: string, currency?: string): Promise<Balance[]>;
  /** The entries, newest first. */
  entries(filter: EntryFilter): Promise<WalletEntry[]>;
  /** Balances and newest entries from one statement, so that they agree. */
  statement(filter: StatementFilter): Promise<WalletStatement>;
}

export const openBalances = (run: Run): Balances => ({
  of: (accountId, currency) => run<Balance>(balancesStatement(accountId, currency)),
  entries: (filter) => run<WalletEntry>(entries(filter)),
  statement: (filter) => statement(run, filter),
});

/** One row per currency of the wallet. No row if nothing was ever posted. */
export function balancesStatement(accountId: string, currency: string | undefined): Prisma.Sql {
  const names = [wallet(accountId, 'available'), wallet(accountId, 'frozen')];
  return Prisma.sql`
    select
      currency,
      coalesce(sum(balance_minor) filter (where name = ${names[0]}), 0)::bigint as "availableMinor",
      coalesce(sum(balance_minor) filter (where name = ${names[1]}), 0)::bigint as "frozenMinor"
    from ledger_account
    where name = any(${names}::text[]) and (${currency ?? null}::text is null or currency = ${currency ?? null})
    group by currency
    order by currency`;
}

/**
 * The balances after the last entries before a time. Each is read from one end of an index, however long the history is.
 * A currency without an earlier entry has no row.
 */
function balancesAt(accountId: string, currency: string | undefined, before: Date): Prisma.Sql {
  const names = [wallet(accountId, 'available'), wallet(accountId, 'frozen')];
  return Prisma.sql`
    select
      account.currency,
      coalesce(sum(newest.balance) filter (where account.name = ${names[0]}), 0)::bigint as "availableMinor",
      coalesce(sum(newest.balance) filter (where account.name = ${names[1]}), 0)::bigint as "frozenMinor"
    from ledger_account account
    cross join lateral (
      select one_side.balance
      from (${lastBefore('credit', before)} union all ${lastBefore('debit', before)}) one_side
      order by one_side.at desc, one_side.id desc
      limit 1) newest
    where account.name = any(${names}::text[])
      and (${currency ?? null}::text is null or account.currency = ${currency ?? null})
    group by account.currency
    order by account.currency`;
}

const lastBefore = (side: 'credit' | 'debit', before: Date): Prisma.Sql => {
  const name = Prisma.raw(`entry.${side}_account`);
  return Prisma.sql`
    (select entry.at, entry.id, ${Prisma.raw(`entry.${side}_balance_minor`)} as balance
    from ledger_entry entry
    where ${name} = account.name and ${name} like 'wallet:%' and entry.currency = account.currency
      and entry.at < ${momentOr(before, 'infinity')}
    order by entry.at desc, entry.id desc limit 1)`;
};

/** An index has the entries of a wallet in the order of time, per currency and side. A page merges these streams. */
function entries(filter: EntryFilter): Prisma.Sql {
  const name = wallet(filter.accountId, 'available');
  return Prisma.sql`
    with recursive
    streams as materialized (
      select account.currency, side.name as side
      from ledger_account account, unnest(array['credit', 'debit']) as side(name)
      where account.name = ${name}
        and (${filter.currency ?? null}::text is null or account.currency = ${filter.currency ?? null})),
    ${newestOf({
      names: ['currency', 'side'],
      walk: (stream, behind, condition) => Prisma.sql`
        select one_side.at, one_side.id
        from (
          ${newestEntry('credit', { name, stream, from: filter.from ?? null, behind, condition })}
          union all
          ${newestEntry('debit', { name, stream, from: filter.from ?? null, behind, condition })}) one_side`,
      behind: startOf(filter),
      limit: filter.limit,
    })}
    select
      entry.id,
      entry.at,
      entry.transaction_id as "transactionId",
      journal.slot,
      case when entry.credit_account = ${name} then entry.amount_minor else -entry.amount_minor end as "amountMinor",
      entry.currency,
      case when entry.credit_account = ${name} then entry.credit_balance_minor else entry.debit_balance_minor end
        as "balanceMinor",
      case when entry.credit_account = ${name} then entry.debit_account else entry.credit_account end as counterparty
    from newest_rows
    join ledger_entry entry on entry.id = newest_rows.id
    join ledger_journal journal on journal.id = entry.journal_id
    order by entry.at desc, entry.id desc`;
}

const newestEntry = (
  side: 'credit' | 'debit',
  of: { name: string; stream: string; from: Date | null; behind: Place; condition: Prisma.Sql },
): Prisma.Sql => {
  const account = Prisma.raw(`entry.${side}_account`);
  const stream = Prisma.raw(of.stream);
  return Prisma.sql`
    (select entry.at, entry.id
    from ledger_entry entry
    where ${account} = ${of.name} and ${account} like 'wallet:%' and entry.currency = ${stream}.currency
      and ${stream}.side = ${side}
      and entry.at >= ${momentOr(of.from, '-infinity')}
      and (entry.at, entry.id) < (${of.behind.at}, ${of.behind.id})
      and ${of.condition}
    order by entry.at desc, entry.id desc limit 1)`;
};

/** The place of a cursor. If the client invented the cursor, it stands for the entry with the next lower id. */
function startOf({ beforeId, to }: EntryFilter): Place {
  const id = Prisma.sql`${beforeId?.toString()}::bigint`;
  const at = Prisma.sql`coalesce(
    (select at from ledger_entry where id <= ${id} order by id desc limit 1), '-infinity'::timestamptz)`;
  const cursor = beforeId === undefined ? null : { at, id };
  return placeBehind(cursor, momentOr(to ?? null, 'infinity'), Prisma.sql`0::bigint`);
}

type StatementRow = { asOf: Date; balances: { [name in keyof Balance]: string }[] } & (
  | WalletEntry
  | { [name in keyof WalletEntry]: null }
);

/**
 * Balances and entries come from one statement, because one statement has one snapshot. The newest entry may be later
 * than now(), which is the beginning of the statement.
 */
async function statement(
  run: Run,
  { accountId, currency, at, limit }: StatementFilter,
): Promise<WalletStatement> {
  // Times of entries are whole milliseconds.
  const until = at && new Date(at.getTime() + 1);
  const balancesThen = until
    ? balancesAt(accountId, currency, until)
    : balancesStatement(accountId, currency);
  const rows = await run<StatementRow>(Prisma.sql`
    with
    balances as materialized (${balancesThen}),
    entries as materialized (${entries({ accountId, currency, to: until, limit })})
    select
      greatest(now(), (select max(at) from entries)) as "asOf",
      (select coalesce(jsonb_agg(jsonb_build_object(
          'currency', currency,
          'availableMinor', "availableMinor"::text,
          'frozenMinor', "frozenMinor"::text) order by currency), '[]'::jsonb)
        from balances) as balances,
      entries.*
    from (select) always
    left join entries on true
    order by entries.at desc, entries.id desc`);
  const [first] = rows as [StatementRow];
  return {
    balances: first.balances.map((one) => ({
      currency: one.currency,
      availableMinor: BigInt(one.availableMinor),
      frozenMinor: BigInt(one.frozenMinor),
    })),
    entries: rows.flatMap(({ asOf: _, balances: __, ...entry }) => (entry.id === null ? [] : [entry])),
    asOf: at ?? first.asOf,
  };
}
