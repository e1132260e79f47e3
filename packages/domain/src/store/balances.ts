import { wallet } from '../core/postings.js';
import { Prisma } from '../generated/client.js';
import type { Run } from './database.js';

export type Balance = Readonly<{ currency: string; availableMinor: bigint; frozenMinor: bigint }>;

/** One movement of a wallet's available funds: positive in, negative out, with the balance it left. */
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
  currency?: string;
  from?: Date;
  to?: Date;
  beforeId?: bigint;
  limit: number;
}>;

export interface Balances {
  /** Real time: the running balances, read by key. */
  of(accountId: string, currency?: string): Promise<Balance[]>;
  /** Newest first. */
  entries(filter: EntryFilter): Promise<WalletEntry[]>;
}

export const openBalances = (run: Run): Balances => ({
  of: async (accountId, currency) => {
    const names = [wallet(accountId, 'available'), wallet(accountId, 'frozen')];
    return run<Balance>(Prisma.sql`
      select currency,
        coalesce(sum(balance_minor) filter (where name = ${names[0]}), 0)::bigint as "availableMinor",
        coalesce(sum(balance_minor) filter (where name = ${names[1]}), 0)::bigint as "frozenMinor"
      from ledger_account
      where name = any(${names}::text[]) and (${currency ?? null}::text is null or currency = ${currency ?? null})
      group by currency order by currency`);
  },
  entries: (filter) => entries(run, filter),
});

function entries(run: Run, filter: EntryFilter): Promise<WalletEntry[]> {
  const name = wallet(filter.accountId, 'available');
  const wanted: Prisma.Sql[] = [Prisma.sql`true`];
  if (filter.currency !== undefined) wanted.push(Prisma.sql`e.currency = ${filter.currency}`);
  if (filter.from) wanted.push(Prisma.sql`e.at >= ${filter.from.toISOString()}::timestamptz`);
  if (filter.to) wanted.push(Prisma.sql`e.at < ${filter.to.toISOString()}::timestamptz`);
  if (filter.beforeId !== undefined) wanted.push(Prisma.sql`e.id < ${filter.beforeId.toString()}::bigint`);
  const where = Prisma.join(wanted, ' and ');
  const side = (mine: 'credit' | 'debit', other: 'credit' | 'debit', sign: string): Prisma.Sql => Prisma.sql`
    (select e.id, e.at, e.journal_id, e.transaction_id, ${Prisma.raw(sign)}e.amount_minor as amount, e.currency,
      e.${Prisma.raw(mine)}_balance_minor as balance, e.${Prisma.raw(other)}_account as counterparty
    from ledger_entry e
    where e.${Prisma.raw(mine)}_account = ${name} and e.${Prisma.raw(mine)}_account like 'wallet:%' and ${where}
    order by e.id desc limit ${filter.limit}::int)`;
  return run<WalletEntry>(Prisma.sql`
    select e.id, e.at, e.transaction_id as "transactionId", j.slot, e.amount::bigint as "amountMinor", e.currency,
      e.balance as "balanceMinor", e.counterparty
    from (${side('credit', 'debit', '')} union all ${side('debit', 'credit', '-')}) e
    join ledger_journal j on j.id = e.journal_id
    order by e.id desc limit ${filter.limit}::int`);
}
