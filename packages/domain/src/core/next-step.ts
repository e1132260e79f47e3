import { isFinal, type State } from './recharge.js';

/** The actions for a recharge whose due time has come: send its order, or ask the provider about it. */
export const nextSteps = ['submit', 'ask'] as const;
export type NextStep = (typeof nextSteps)[number];

export type ResubmitCapabilities = Readonly<{ idempotentSubmit: boolean; queryByReference: boolean }>;

/** What a query found out about the order. `silent`: the provider did not answer. */
export type QueryEvidence = 'found' | 'absent' | 'silent';

/**
 * The next step after a query about a recharge's order. After silence the provider is asked again. Absence allows a
 * second submit only if the provider keeps one order per reference. With any other provider a person decides, and until
 * then the provider is asked again.
 */
export function nextStep(
  state: State,
  evidence: QueryEvidence,
  can: ResubmitCapabilities,
): NextStep | 'person' | null {
  if (isFinal(state)) return null;
  if (state === 'CREATED') return 'submit';
  if (evidence !== 'absent') return 'ask';
  return can.idempotentSubmit && can.queryByReference ? 'submit' : 'person';
}

/**
 * The gap before the next query. It doubles from `afterMs` up to 64 times that, so an order that never settles costs a
 * few calls per day instead of one per second. `jitter` in [0, 1) spreads the queries of recharges whose provider
 * stopped answering at one time.
 */
export const gapMs = (asks: number, afterMs: number, jitter: number): number =>
  Math.round(afterMs * 2 ** Math.min(asks, 6) * (0.75 + jitter / 2));
