import type { MonthLineKind } from '../../core/money/month-line.js';
import { monthLineKinds } from '../../core/money/month-line.js';
import type { Store } from '../database/database.js';
import { type MonthAsk, type MonthHead, monthHead } from './head.js';
import { type MonthLine, monthLines } from './lines.js';
import { type AccountTimeZone, clearTimeZone, setTimeZone, timeZoneOf } from './time-zone.js';

/** A statement of an account's available money in one calendar month and currency. */
export type AccountMonth = Pick<MonthHead, 'timeZone' | 'from' | 'to' | 'asOf' | 'openingMinor'> &
  Readonly<{
    currency: string;
    /** The lines up to `asOf`, oldest first, in batches of a few hundred. */
    lines: () => AsyncIterable<readonly MonthLine[]>;
  }>;

export type AccountMonthProblem =
  | Readonly<{ problem: 'month_ahead'; timeZone: string }>
  /** The caller asked for no currency, and the account has several or none. */
  | Readonly<{ problem: 'currency_needed'; currencies: readonly string[] }>;

export interface AccountMonths {
  /** A month before the first entry is empty. A month that has not begun is refused. */
  open(
    ask: MonthAsk,
  ): Promise<Readonly<{ ok: true; month: AccountMonth }> | ({ ok: false } & AccountMonthProblem)>;
  timeZoneOf(accountId: string): Promise<AccountTimeZone>;
  /**
   * Sets the time zone of an account, which also moves the bounds of its earlier months. Returns false if the database
   * does not know the time zone.
   */
  setTimeZone(zone: Readonly<{ accountId: string; timeZone: string; setBy: string }>): Promise<boolean>;
  /** Removes the time zone that was set, so that the payee gives it. Returns false if none was set. */
  clearTimeZone(accountId: string): Promise<boolean>;
}

export const openAccountMonths = ({ run, read }: Pick<Store, 'run' | 'read'>): AccountMonths => ({
  timeZoneOf: (accountId) => timeZoneOf(read, accountId),
  setTimeZone: (zone) => setTimeZone(run, zone),
  clearTimeZone: (accountId) => clearTimeZone(run, accountId),
  open: async (ask) => {
    const head = await monthHead(read, ask);
    const { currency, currencies, timeZone, from } = head;
    if (head.isAhead) return { ok: false, problem: 'month_ahead', timeZone };
    if (currency === null) return { ok: false, problem: 'currency_needed', currencies };
    const upTo = head.lastId === null ? { at: from, id: 0n } : { at: head.lastAt!, id: head.lastId };
    const span = { accountId: ask.accountId, currency, after: { at: from, id: 0n }, upTo };
    return { ok: true, month: { ...head, currency, lines: () => monthLines(read, span) } };
  },
});

/** Adds up lines by kind. */
export function openTally(): Readonly<{
  add: (lines: readonly MonthLine[]) => void;
  /** The sum of each kind that has lines, in the order of `monthLineKinds`. */
  totals: () => { kind: MonthLineKind; amountMinor: bigint }[];
}> {
  const sums = new Map<MonthLineKind, bigint>();
  return {
    add: (lines) => {
      for (const { kind, amountMinor } of lines) sums.set(kind, (sums.get(kind) ?? 0n) + amountMinor);
    },
    totals: () =>
      monthLineKinds.flatMap((kind) => {
        const amountMinor = sums.get(kind);
        return amountMinor === undefined ? [] : [{ kind, amountMinor }];
      }),
  };
}
