import { type MonthLineKind, monthLineKindOf } from '../../core/money/month-line.js';
import { type Kind, wallet } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import type { EntryPlace } from './head.js';

/** One movement of an account's available money in a month. */
export type MonthLine = Readonly<{
  id: bigint;
  at: Date;
  kind: MonthLineKind;
  transactionId: string;
  /** The kind of the transaction. */
  of: Kind;
  /** Below zero: it was taken from the balance. */
  amountMinor: bigint;
  /** The balance after the line. */
  balanceMinor: bigint;
  orderReference: string | null;
  /** The recharge that the transaction pays back. */
  refundOf: string | null;
}>;

/** The entries of one wallet and currency after one place, up to another one. */
export type LineSpan = Readonly<{
  accountId: string;
  currency: string;
  after: EntryPlace;
  upTo: EntryPlace;
}>;

type Side = 'credit' | 'debit';

// A line touches about nine buffers: its entry, its journal and its transaction.
const LINES_PER_READ = 200;

/**
 * The lines of a span, oldest first, in batches. Each side of the wallet is read in the order of its index, and the two
 * are merged here, so each entry is read once and only `2 * LINES_PER_READ` lines are in memory. A wallet's entries are
 * never written between older ones, so reads at different times agree.
 */
export async function* monthLines(run: Run, span: LineSpan): AsyncGenerator<MonthLine[]> {
  const sides = [openSide(run, span, 'credit'), openSide(run, span, 'debit')];
  for (;;) {
    await Promise.all(sides.map((side) => side.fill()));
    const batch: MonthLine[] = [];
    for (;;) {
      if (sides.some((side) => side.isHungry())) break;
      const next = sides.filter((side) => side.first()).sort(byPlace)[0];
      if (!next) break;
      batch.push(next.take());
    }
    if (batch.length === 0) return;
    yield batch;
  }
}

type OpenSide = Readonly<{
  /** Reads more lines if none are left. */
  fill: () => Promise<void>;
  /** Whether no line is left here, although there may be more to read. */
  isHungry: () => boolean;
  first: () => MonthLine | undefined;
  take: () => MonthLine;
}>;

const byPlace = (a: OpenSide, b: OpenSide): number => {
  const [one, other] = [a.first()!, b.first()!];
  return one.at.getTime() - other.at.getTime() || (one.id < other.id ? -1 : 1);
};

function openSide(run: Run, span: LineSpan, side: Side): OpenSide {
  let { after } = span;
  let rows: readonly MonthLine[] = [];
  let taken = 0;
  let isComplete = false;
  return {
    fill: async () => {
      if (taken < rows.length || isComplete) return;
      rows = await linesOfSide(run, { ...span, after }, side);
      taken = 0;
      isComplete = rows.length < LINES_PER_READ;
      after = rows.at(-1) ?? after;
    },
    isHungry: () => taken === rows.length && !isComplete,
    first: () => rows[taken],
    take: () => rows[taken++]!,
  };
}

type LineRow = Omit<MonthLine, 'kind'> & Readonly<{ slot: string }>;

async function linesOfSide(
  run: Run,
  { accountId, currency, after, upTo }: LineSpan,
  side: Side,
): Promise<MonthLine[]> {
  const account = Prisma.raw(`entry.${side}_account`);
  const rows = await run<LineRow>(Prisma.sql`
    select
      entry.id,
      entry.at,
      journal.slot,
      entry.transaction_id as "transactionId",
      recharge.kind as "of",
      ${Prisma.raw(side === 'credit' ? '' : '-')}entry.amount_minor as "amountMinor",
      entry.${Prisma.raw(side)}_balance_minor as "balanceMinor",
      recharge.order_reference as "orderReference",
      recharge.refund_of as "refundOf"
    from (
      select entry.*
      from ledger_entry entry
      where ${account} = ${wallet(accountId, 'available')} and ${account} like 'wallet:%'
        and entry.currency = ${currency}
        and (entry.at, entry.id) > (${after.at.toISOString()}::timestamptz, ${after.id.toString()}::bigint)
        and (entry.at, entry.id) <= (${upTo.at.toISOString()}::timestamptz, ${upTo.id.toString()}::bigint)
      order by entry.at, entry.id
      limit ${Prisma.raw(String(LINES_PER_READ))}) entry
    join ledger_journal journal on journal.id = entry.journal_id
    join recharge_transaction recharge on recharge.id = entry.transaction_id
    order by entry.at, entry.id`);
  return rows.map(({ slot, ...row }) => ({ ...row, kind: monthLineKindOf(slot, row.of) }));
}
