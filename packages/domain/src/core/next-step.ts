import { isFinal, type State } from './recharge.js';

/** What shall happen to a recharge when its due time comes. */
export const nextSteps = ['submit', 'ask'] as const;
export type NextStep = (typeof nextSteps)[number];

export type ResubmitCapabilities = Readonly<{ idempotentSubmit: boolean; queryByReference: boolean }>;

/** What a query brought to light. */
export type QueryEvidence = 'found' | 'absent' | 'silent';

/**
 * What may be done about a recharge whose order the provider was asked about.
 * Silence is no answer, so it is asked again. Absence allows a second submit only where the provider folds two orders
 * of one reference into one; elsewhere a person decides, and until then the provider is asked again and again.
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
 * Gap before the next query: doubles from `afterMs` up to 64 times it, so that an order that never settles costs a
 * few calls a day instead of one a second. `jitter` in [0, 1) spreads a burst that fell silent together.
 */
export const gapMs = (asks: number, afterMs: number, jitter: number): number =>
  Math.round(afterMs * 2 ** Math.min(asks, 6) * (0.75 + jitter / 2));
