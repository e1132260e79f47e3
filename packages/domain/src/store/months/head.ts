import { wallet } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { zoneOfAccount } from './time-zone.js';

export type MonthAsk = Readonly<{
  accountId: string;
  /** The calendar month, as `2026-11`. */
  month: string;
  /** The currency that is asked for. Undefined: the only currency of the account. */
  currency?: string | undefined;
}>;

/** The place of an entry in the order of its wallet. */
export type EntryPlace = Readonly<{ at: Date; id: bigint }>;

/** Where a month of an account begins and ends, with the balance before it. */
export type MonthHead = Readonly<{
  /** The currency of the statement. Null if the account has several currencies or none, and none was asked for. */
  currency: string | null;
  /** The currencies of the account, in alphabetical order. */
  currencies: readonly string[];
  timeZone: string;
  /** The first moment of the month. */
  from: Date;
  /** The first moment of the next month. */
  to: Date;
  /** The time of this read, by the database's clock. */
  asOf: Date;
  isAhead: boolean;
  openingMinor: bigint;
  lastId: bigint | null;
  lastAt: Date | null;
}>;

/**
 * The bounds of a month, its opening balance, and the last entry that belongs to it now. It reads one row of an index
 * per bound and side, for a history of any length.
 */
export async function monthHead(run: Run, { accountId, month, currency }: MonthAsk): Promise<MonthHead> {
  const name = wallet(accountId, 'available');
  const rows = await run<MonthHead>(Prisma.sql`
    with
    zone as materialized (${zoneOfAccount(accountId)}),
    bounds as materialized (
      select
        name,
        ${`${month}-01`}::timestamp at time zone name as begins,
        (${`${month}-01`}::timestamp + interval '1 month') at time zone name as ends
      from zone),
    held as materialized (
      select coalesce(array_agg(currency order by currency), '{}') as currencies
      from ledger_account
      where name = ${name}),
    chosen as materialized (
      select coalesce(${currency ?? null}::text, case when cardinality(currencies) = 1 then currencies[1] end) as code
      from held)
    select
      chosen.code as currency,
      held.currencies,
      bounds.name as "timeZone",
      bounds.begins as "from",
      bounds.ends as "to",
      now() as "asOf",
      bounds.begins > now() as "isAhead",
      coalesce(opening.balance, 0)::bigint as "openingMinor",
      final.id as "lastId",
      final.at as "lastAt"
    from bounds
    cross join held
    cross join chosen
    left join lateral (${lastBefore(name, 'begins')}) opening on true
    left join lateral (${lastBefore(name, 'ends')}) final on true`);
  return rows[0]!;
}

const lastBefore = (name: string, bound: 'begins' | 'ends'): Prisma.Sql => Prisma.sql`
  select one_side.at, one_side.id, one_side.balance
  from (${lastOfSide('credit', name, bound)} union all ${lastOfSide('debit', name, bound)}) one_side
  order by one_side.at desc, one_side.id desc
  limit 1`;

const lastOfSide = (side: 'credit' | 'debit', name: string, bound: string): Prisma.Sql => {
  const account = Prisma.raw(`entry.${side}_account`);
  return Prisma.sql`
    (select entry.at, entry.id, ${Prisma.raw(`entry.${side}_balance_minor`)} as balance
    from ledger_entry entry
    where ${account} = ${name} and ${account} like 'wallet:%' and entry.currency = chosen.code
      and entry.at < bounds.${Prisma.raw(bound)}
    order by entry.at desc, entry.id desc limit 1)`;
};
