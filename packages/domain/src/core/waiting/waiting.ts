import { isStoppedBy } from '../cases/case-kinds.js';
import type { NextStep } from '../next-step.js';
import { isFinal, type State } from '../recharge.js';
import type { WaitingNote } from './waiting-note.js';

/** What an unfinished recharge waits for. docs/design.md explains each reason. */
export const waitingReasons = [
  'QUEUE',
  'PROVIDER',
  'ANSWER',
  'PROOF',
  'PAYER',
  'PROVIDER_DOWN',
  'SOURCE_FUNDS',
  'LANE',
  'DELIVERY',
  'APPROVAL',
  'PERSON',
] as const;
export type WaitingReason = (typeof waitingReasons)[number];

/** The facts of a recharge that tell what it waits for. */
export type Unfinished = Readonly<{
  state: State;
  confirmation: 'acknowledged' | 'unknown' | null;
  nextStep: NextStep | null;
  /** The note that a claim or an answer left on the row because it could not go on. */
  waiting: Pick<WaitingNote, 'reason'> | null;
  /** Whether its payer has something to do. */
  hasAction: boolean;
  openCases: readonly string[];
  /** Whether a worker has told lately that it makes no calls to the provider. */
  isProviderDown: boolean;
}>;

/**
 * What a recharge waits for. Null if it is final. The SQL function `waiting_reason` decides the same, and a test holds
 * the two equal.
 */
export function waitingReasonOf(r: Unfinished): WaitingReason | null {
  if (isFinal(r.state)) return null;
  if (r.openCases.some(isStoppedBy)) return 'PERSON';
  if (r.waiting) return r.waiting.reason;
  if (r.state === 'CREATED' || r.nextStep === 'submit') return r.isProviderDown ? 'PROVIDER_DOWN' : 'QUEUE';
  if (r.state === 'SUBMITTED') return 'ANSWER';
  if (r.confirmation !== 'acknowledged') return r.isProviderDown ? 'PROVIDER_DOWN' : 'ANSWER';
  return r.hasAction ? 'PAYER' : 'PROVIDER';
}

/** What a collect waits for whose money is being delivered. Null if the delivery is final. */
export function waitingReasonOfDelivery(delivery: Unfinished): WaitingReason | null {
  const reason = waitingReasonOf(delivery);
  return reason === 'QUEUE' ? 'DELIVERY' : reason;
}
