import { z } from 'zod';
import { fromMajor } from './amounts.js';
import { fromChinaTime } from './times.js';

/** A row of a fund account's transaction list. */
export type ListedRow = Readonly<{
  number: string;
  direction: 'IN' | 'OUT';
  amountMinor: bigint;
  currency: string;
  remark: string;
  at: Date;
  /** The balance of the account after the row. Null: it is not told, or in another form. */
  balanceMinor: bigint | null;
}>;

export type ListedPage = Readonly<{ total: number; rows: readonly ListedRow[] }>;

const digits = z.string().regex(/^\d{1,19}$/);

const row = z.object({
  TransactionNumber: digits,
  TransactionDirection: z.enum(['IN', 'OUT']),
  TransactionAmount: z.string().max(40),
  Currency: z.string().regex(/^[A-Z]{3}$/),
  TransactionTime: z.string(),
  Remark: z.string().nullish(),
  Balance: z.string().max(40).nullish(),
});

const page = z.object({ TotalCount: z.string().regex(/^\d{1,9}$/), Data: z.array(row).nullish() });

/**
 * Reads a page of the list. Null when a row or the total is missing or has another form: a row that is skipped could be
 * the order that is sought.
 */
export function readPage(json: unknown): ListedPage | null {
  const read = page.safeParse(json).data;
  if (!read) return null;
  const rows = (read.Data ?? []).map(rowOf);
  return rows.includes(null) ? null : { total: Number(read.TotalCount), rows: rows as ListedRow[] };
}

function rowOf(read: z.infer<typeof row>): ListedRow | null {
  const amountMinor = fromMajor(read.TransactionAmount, read.Currency);
  const at = fromChinaTime(read.TransactionTime);
  if (amountMinor === null || at === null) return null;
  return {
    number: read.TransactionNumber,
    direction: read.TransactionDirection,
    // Whether amounts of outgoing rows have a minus sign is not published.
    amountMinor: amountMinor < 0n ? -amountMinor : amountMinor,
    currency: read.Currency,
    remark: read.Remark ?? '',
    at,
    balanceMinor: fromMajor(read.Balance ?? '', read.Currency),
  };
}
