import { isFinal, type State } from './recharge.js';
import type { WaitingNote } from './waiting/waiting-note.js';

/**
 * The actions for a recharge whose due time has come: send its order, ask the provider about it, ask the provider to
 * end it before anybody pays, or see what became of its approval.
 */
export const nextSteps = ['submit', 'ask', 'cancel', 'approve'] as const;
export type NextStep = (typeof nextSteps)[number];

export type ResubmitCapabilities = Readonly<{
  idempotentSubmit: boolean;
  queryByReference: boolean;
  /** How absence is proven where orders are sought in a list. Missing: the provider is not searched that way. */
  proof?: Readonly<{ scans: number; visibilityDelayMs: number; resubmit: 'auto' | 'person' }>;
}>;

/**
 * What a query found out about the order. `unproven`: the provider answered, and its answer proves neither that the
 * order is there nor that it is not. `silent`: the provider did not answer.
 */
export type QueryEvidence = 'found' | 'absent' | 'unproven' | 'silent';

/** What is known about an order after a query. Times are those of the database's clock. */
export type Asked = Readonly<{
  state: State;
  confirmation: 'acknowledged' | 'unknown' | null;
  evidence: QueryEvidence;
  /** When each complete search without a result began, in order. */
  absentAt: readonly Date[];
  /** The time after which no submit of the order can be executed any more. Null: there was none. */
  lastSubmitEndedAt: Date | null;
  now: Date;
}>;

/** `doubt`: the kind of case that shows the order to a person. The provider is asked all the same. */
export type StepAfterQuery = Readonly<{
  step: NextStep | null;
  waiting: Extract<WaitingNote, { reason: 'PROOF' }> | null;
  doubt: 'absent_order' | 'absence_unproven' | null;
}>;

/**
 * The next step after a query about a recharge's order.
 * - Silence: the provider is asked again. Where it has no look-up and takes an order once per reference, sending again
 *   is the only question.
 * - Absence allows a second submit if the provider keeps one order per reference, or if the absence is proven and the
 *   provider account allows it. An order that was acknowledged is never sent again. Otherwise a person decides.
 */
export function nextStep(asked: Asked, can: ResubmitCapabilities): StepAfterQuery {
  const { state, confirmation, evidence } = asked;
  if (isFinal(state)) return only(null);
  if (state === 'CREATED') return only('submit');
  if (evidence === 'found') return only('ask');
  if (can.proof) return nextAfterSearch(asked, can.proof);
  if (can.idempotentSubmit && !can.queryByReference)
    return only(confirmation === 'acknowledged' ? 'ask' : 'submit');
  if (evidence !== 'absent') return only('ask');
  return can.idempotentSubmit ? only('submit') : { ...only('ask'), doubt: 'absent_order' };
}

const only = (step: NextStep | null): StepAfterQuery => ({ step, waiting: null, doubt: null });

type Proof = NonNullable<ResubmitCapabilities['proof']>;

function nextAfterSearch(asked: Asked, proof: Proof): StepAfterQuery {
  const { confirmation, evidence, now } = asked;
  const { isProven, visibleAtMs, waiting } = progressOf(asked, proof);
  const isSendable = confirmation !== 'acknowledged';
  if (evidence === 'absent' && isProven)
    return isSendable && proof.resubmit === 'auto'
      ? only('submit')
      : { ...only('ask'), doubt: 'absent_order' };
  // Every row must be visible by now, so a search that still proves nothing has met something that a person must see.
  const doubt = evidence === 'unproven' && now.getTime() >= visibleAtMs ? 'absence_unproven' : null;
  return { step: 'ask', waiting: isSendable ? waiting : null, doubt };
}

/**
 * The progress of a proof. Searches count if they began after the last submit had ended, and some time after the search
 * that counted before. The last of them must begin when every row is visible.
 */
function progressOf({ absentAt, lastSubmitEndedAt, now }: Asked, { scans, visibilityDelayMs }: Proof) {
  const endedMs = (lastSubmitEndedAt ?? now).getTime();
  const visibleAtMs = endedMs + visibilityDelayMs;
  const gapBetweenMs = visibilityDelayMs / scans;
  const begunMs = absentAt.map((at) => at.getTime()).filter((ms) => ms >= endedMs);
  const counted: number[] = [];
  for (const ms of begunMs)
    if (counted.length === 0 || ms >= counted.at(-1)! + gapBetweenMs) counted.push(ms);
  const isProven = counted.length >= scans && begunMs.at(-1)! >= visibleAtMs;
  const afterLastMs = counted.length === 0 ? endedMs : counted.at(-1)! + gapBetweenMs;
  const isLast = counted.length >= scans - 1;
  const notBeforeMs =
    counted.length >= scans ? visibleAtMs : isLast ? Math.max(afterLastMs, visibleAtMs) : afterLastMs;
  const waiting = {
    reason: 'PROOF',
    done: Math.min(counted.length, isProven ? scans : Math.max(scans - 1, 0)),
    needed: scans,
    notBefore: new Date(Math.round(notBeforeMs)).toISOString(),
  } as const;
  return { isProven, visibleAtMs, waiting };
}

/**
 * The gap before the next query. It doubles from `afterMs` up to 64 times that, so an order that never settles costs a
 * few calls per day instead of one per second. `jitter` in [0, 1) spreads the queries of recharges whose provider
 * stopped answering at one time.
 */
export const gapMs = (asks: number, afterMs: number, jitter: number): number =>
  Math.round(afterMs * 2 ** Math.min(asks, 6) * (0.75 + jitter / 2));
