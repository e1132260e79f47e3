import { isSameMoney, type Money } from './money/money.js';

/** The facts about the provider's order in a report. A missing fact is not compared. */
export type ReportedOrder = Readonly<{
  providerOrderId?: string | null;
  /** Our transaction id, which the provider repeats. */
  reference?: string | null;
  accountId?: string | null;
  money?: Money;
}>;

export type OwnOrder = Readonly<{
  id: string;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  /** The id of the provider's order. Null until the provider has given it. */
  providerOrderId: string | null;
}>;

/** The difference between a reported order and the one that we sent. It opens a case of the same kind. */
export type Difference = 'other_account' | 'several_orders' | 'wrong_amount';

/**
 * Compares a reported order with ours. Every report is compared before the table of states is consulted. Money that
 * arrived on another account, through another order or in another amount is not what our client asked for.
 */
export function differenceFrom(ours: OwnOrder, said: ReportedOrder): Difference | null {
  // A reference is a UUID, and a provider may spell its letters in upper case.
  if (isOther(said.reference?.toLowerCase(), ours.id.toLowerCase())) return 'other_account';
  if (isOther(said.accountId, ours.accountId)) return 'other_account';
  if (isOther(said.providerOrderId, ours.providerOrderId)) return 'several_orders';
  return said.money && !isSameMoney(said.money, ours) ? 'wrong_amount' : null;
}

/** Whether a report names another order id than the recharge has. */
export const isOtherOrder = (ours: OwnOrder, said: ReportedOrder): boolean =>
  isOther(said.providerOrderId, ours.providerOrderId);

const isOther = (said: string | null | undefined, ours: string | null): boolean =>
  said != null && ours !== null && said !== ours;
