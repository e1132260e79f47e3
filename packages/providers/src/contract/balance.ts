import type { CallAnswer, NoDefiniteAnswer } from './order.js';

/**
 * The result of reading an account. `refused`: the provider has no such account for us, or we have no right to read it.
 * `noSuchAccount`: it definitely has none.
 */
export type BalanceOutcome =
  | Readonly<{
      kind: 'read';
      amountMinor: bigint;
      currency: string;
      /** The cash in the amount. Missing or null: it is not told apart from credit and vouchers. */
      cashMinor?: bigint | null;
    }>
  | Readonly<{ kind: 'refused'; code: string; message: string; noSuchAccount?: true }>
  | NoDefiniteAnswer;

/** Reads the money of our account that pays the deliveries. */
export interface BalanceReads {
  /** The currencies that are always read. Another currency is read once an order in it waits for money. */
  readonly currencies: readonly string[];
  /** What the account can transfer now, in minor units. Makes one attempt and moves nothing. */
  read(currency: string, signal: AbortSignal): Promise<CallAnswer<BalanceOutcome>>;
  /** Whether `readTarget` also tells the cash. */
  readonly tellsCash?: boolean;
  /** What an account that we deliver to has available. Missing: the provider does not say. */
  readTarget?(account: string, signal: AbortSignal): Promise<CallAnswer<BalanceOutcome>>;
}
