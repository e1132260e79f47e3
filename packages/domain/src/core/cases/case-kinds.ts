import type { Money } from '../money/money.js';
import type { Difference } from '../same-order.js';

export type CaseKind =
  | Difference
  | 'unsent_order'
  | 'late_money'
  | 'declined_after_success'
  | 'cancel_conflict'
  | 'absent_order'
  | 'absence_unproven'
  | 'booked_elsewhere'
  | 'unknown_order'
  | 'unread_event'
  | 'unprocessable'
  | 'unprocessable_event'
  | 'event_changed'
  | 'statement_ours_only'
  | 'statement_theirs_only'
  | 'statement_different'
  | 'statement_gap';

/** Money in suspense, with the provider's order that moved it. Null: the provider did not name the order. */
export type SuspendedMoney = Money & Readonly<{ providerOrderId: string | null }>;

/** A case of a recharge, open or closed, with the money that went to suspense for it. */
export type KnownCase = Readonly<{
  id: string;
  kind: string;
  isOpen: boolean;
  /** Whether the case is about the recharge itself. False: the case is about an event that names the recharge. */
  isAboutRecharge: boolean;
  suspended: readonly SuspendedMoney[];
  /** The money of the line of a statement that the case is about, if it is the money that the recharge asked for. */
  ownLine: SuspendedMoney | null;
}>;

/**
 * Kinds of cases that do not stop a recharge. Some are about an event only. For the others, the work is tried again
 * without a person, and the case is closed when a try succeeds.
 */
export const leavesGoing: readonly string[] = [
  'unprocessable',
  'unread_event',
  'unprocessable_event',
  'event_changed',
  'unknown_order',
] satisfies CaseKind[];

/** Whether a person has to decide before the recharge can go on. */
export const isStoppedBy = (kind: string): boolean => !leavesGoing.includes(kind);
