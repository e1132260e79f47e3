import { wallet } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

/** A wallet in one currency. */
export type AccountRow = Readonly<{
  accountId: string;
  currency: string;
  availableMinor: bigint;
  frozenMinor: bigint;
}>;

export type AccountPlace = Readonly<{ accountId: string; currency: string }>;

export type AccountPage = Readonly<{
  rows: readonly AccountRow[];
  /** The place to continue after. Null at the end. */
  next: AccountPlace | null;
}>;

/** The wallets in the byte order of their names. */
export async function accountPage(
  read: Run,
  after: AccountPlace | null,
  limit: number,
): Promise<AccountPage> {
  const place = after && { name: wallet(after.accountId, 'available'), currency: after.currency };
  const rows = await read<AccountRow>(Prisma.sql`
    with page as materialized (
      select name, currency, balance_minor
      from ledger_account
      where name like 'wallet:%:available'
        and (name collate "C", currency) > (${place?.name ?? ''}, ${place?.currency ?? ''})
      order by name collate "C", currency
      limit ${limit + 1}::int)
    select
      substring(page.name from 8 for length(page.name) - 17) as "accountId",
      page.currency,
      page.balance_minor as "availableMinor",
      coalesce(frozen.balance_minor, 0) as "frozenMinor"
    from page
    left join ledger_account frozen
      on frozen.name = left(page.name, -9) || 'frozen' and frozen.currency = page.currency
    order by page.name collate "C", page.currency`);
  const shown = rows.slice(0, limit);
  return { rows: shown, next: rows.length > limit ? shown.at(-1)! : null };
}
