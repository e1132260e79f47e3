import type { CaseKind } from './cases/case-kinds.js';
import type { NextStep } from './next-step.js';
import type { State } from './recharge.js';

type Withdrawable = Readonly<{
  state: State;
  isPayable: boolean;
  nextStep: NextStep | null;
  openCases: readonly string[];
}>;

/**
 * Kinds of cases that suggest that the provider has moved money. A recharge with such a case must not be withdrawn,
 * because the answer to its submit will report that money.
 */
const moneyMayHaveMoved: readonly string[] = [
  'unsent_order',
  'wrong_amount',
  'several_orders',
  'other_account',
  'statement_different',
] satisfies CaseKind[];

/** A client may withdraw only a recharge that was not sent. After that only the provider can confirm a cancel. */
export const mayWithdraw = (r: Withdrawable): boolean =>
  r.state === 'CREATED' && !r.openCases.some((kind) => moneyMayHaveMoved.includes(kind));

/**
 * Whether a client may ask to cancel a recharge that was sent. It may as long as the payer has not paid. The next step
 * then becomes `cancel`, so a second request changes nothing.
 */
export const mayAskToCancel = (
  r: Withdrawable,
  { isCancelable = false }: { isCancelable?: boolean },
): boolean =>
  isCancelable &&
  r.state === 'PENDING_CONFIRMATION' &&
  r.isPayable &&
  r.nextStep !== 'cancel' &&
  !r.openCases.some((kind) => moneyMayHaveMoved.includes(kind));
