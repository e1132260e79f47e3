import type { CaseKind, Verb } from '@replenish/domain';

/** What each kind of case asks, in a sentence. */
export const questions: Readonly<Record<CaseKind, string>> = {
  other_account: 'The provider reports another account than ours.',
  several_orders: 'The provider has more than one order for this recharge.',
  wrong_amount: 'The provider reports another amount or currency than the one asked for.',
  unsent_order: 'The provider reports an order that was not sent.',
  late_money: 'The provider reports money for a recharge that had ended.',
  declined_after_success: 'The provider says that a recharge failed that had succeeded.',
  cancel_conflict: 'The provider reports a cancellation that does not fit.',
  absent_order: 'The provider does not have the order that was sent.',
  absence_unproven: 'It cannot be proven whether the provider has the order.',
  booked_elsewhere: 'The provider reports an order that is booked for another recharge.',
  unknown_order: 'The provider reports an order that names no recharge of ours.',
  unread_event: 'The provider reports something that cannot be read yet.',
  unprocessable: 'What the provider reports could not be recorded.',
  unprocessable_event: 'An event of the provider could not be processed.',
  event_changed: 'The provider sent an event again with other content.',
  statement_ours_only: 'The books have money that is not on the statement of the provider.',
  statement_theirs_only: 'The statement of the provider has money that is not in the books.',
  statement_different: 'The statement of the provider and the books differ.',
  statement_gap: 'The statement of the provider has a gap.',
};

/** The button of each verb. */
export const verbWords: Readonly<Record<Verb, string>> = {
  adopt: 'Credit the money',
  return: 'Pay the money back',
  fail: 'Mark as failed',
  resubmit: 'Send it again',
  dismiss: 'Close without a change',
};

export const verbMeaning: Readonly<Record<Verb, string>> = {
  adopt: 'The money belongs to the account of the recharge.',
  return: 'The provider pays the money in suspense back to its payer.',
  fail: 'The order moved no money and never will.',
  resubmit: 'The provider never had the order, and it is sent again.',
  dismiss: 'Nothing has to change.',
};
