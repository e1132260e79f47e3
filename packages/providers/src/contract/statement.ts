import type { CallAnswer, NoDefiniteAnswer } from './order.js';

/** A line of the provider's statement of our account. Amounts are minor units. */
export type ProviderLine = Readonly<{
  /** The provider's number of the line. */
  line: string;
  at: Date;
  /** The provider's id of the order that moved the money. */
  orderId: string | null;
  /** Our transaction id, where the line tells it. */
  reference: string | null;
  /** The direction of the money as our account at the provider sees it. */
  direction: 'in' | 'out';
  amountMinor: bigint;
  currency: string;
  /** The balance of our account after the line. Null: the statement has none. */
  balanceMinor: bigint | null;
}>;

/** A page of a statement. `next`: where the next page begins. Null: this is the last one. */
export type StatementPage = Readonly<{ kind: 'read'; lines: readonly ProviderLine[]; next: string | null }>;

/** `refused`: the provider has no statement for us, or we have no right to read it. */
export type StatementOutcome =
  | StatementPage
  | Readonly<{ kind: 'refused'; code: string; message: string }>
  | NoDefiniteAnswer;

export type StatementPageAsk = Readonly<{
  from: Date;
  /** The first moment that is not in the statement. */
  to: Date;
  /** `next` of the page before. Null: the first page. */
  after: string | null;
}>;

/** The days that a provider makes its statement of. `readyAfterMs`: the time after the end of a day until it is made. */
export type StatementDays = Readonly<{ utcOffsetMs: number; readyAfterMs: number }>;

/** Reads the provider's own statement of our account. Its lines are in order of time, either way. */
export interface StatementReads {
  /** The days of the statement. Missing: a line can be read as soon as it exists. */
  readonly days?: StatementDays;
  /** Makes one attempt and moves nothing. */
  read(ask: StatementPageAsk, signal: AbortSignal): Promise<CallAnswer<StatementOutcome>>;
}
