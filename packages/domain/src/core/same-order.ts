import { isSameMoney, type Money } from './money.js';

/** What a report says of the provider's order. What it does not say is not compared. */
export type ReportedOrder = Readonly<{
  providerOrderId?: string | null;
  /** Our transaction id, as the provider repeats it. */
  reference?: string | null;
  accountId?: string | null;
  money?: Money;
}>;

type OwnOrder = Readonly<{
  id: string;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  /** Null until the provider has named its order. */
  providerOrderId: string | null;
}>;

/** How an order differs from the one that we sent. Each difference is the kind of the case that it opens. */
export type Difference = 'other_account' | 'several_orders' | 'wrong_amount';

/**
 * The one comparison of a provider's word with our order, asked of every report before the table of states. Money that
 * arrived on another account, through another order or in another amount is not what our producer asked for.
 */
export function differenceFrom(ours: OwnOrder, said: ReportedOrder): Difference | null {
  // A reference is a UUID, and a provider may spell its letters in upper case.
  if (isOther(said.reference?.toLowerCase(), ours.id.toLowerCase())) return 'other_account';
  if (isOther(said.accountId, ours.accountId)) return 'other_account';
  if (isOther(said.providerOrderId, ours.providerOrderId)) return 'several_orders';
  return said.money && !isSameMoney(said.money, ours) ? 'wrong_amount' : null;
}

/** Whether a report names another order than the one that the recharge is known by. */
export const isOtherOrder = (ours: OwnOrder, said: ReportedOrder): boolean =>
  isOther(said.providerOrderId, ours.providerOrderId);

const isOther = (said: string | null | undefined, ours: string | null): boolean =>
  said != null && ours !== null && said !== ours;
