import { isFinal, type News, type State, type Verdict } from '../recharge.js';
import type { KnownCase, SuspendedMoney } from './case-kinds.js';
import { isStoppedBy } from './case-kinds.js';

/**
 * The decisions that a person can make about a case.
 * - `adopt`: the money in suspense belongs to the account of the recharge. Of a line that no recharge fits: the money
 *   that came in belongs to the account that the evidence names. Of a line whose recharge had failed: it succeeded.
 * - `return`: the provider pays the money in suspense back.
 * - `fail`: the order moved no money and never will.
 * - `resubmit`: the order is not there and is sent again.
 * - `dismiss`: nothing has to change.
 */
export const verbs = ['adopt', 'return', 'fail', 'resubmit', 'dismiss'] as const;
export type Verb = (typeof verbs)[number];

export const isVerb = (text: string): text is Verb => (verbs as readonly string[]).includes(text);

/** Verbs that state a fact about the provider. The person who states it has to show why. */
export const needsEvidence = (verb: Verb): boolean =>
  verb === 'adopt' || verb === 'fail' || verb === 'resubmit';

/** What decides which verbs a case has. A case without a recharge has the state null. */
export type CaseFacts = Readonly<{
  state: State | null;
  isOpen: boolean;
  /** The money of this case in suspense. */
  suspended: readonly SuspendedMoney[];
  /** Whether any open case of the recharge has money in suspense. */
  hasSuspense: boolean;
  /** Whether any case of the recharge, open or closed, had money in suspense. */
  hadSuspense: boolean;
  /** Whether the case is about a line of a statement that has the money that the recharge asked for. */
  hasOwnLine: boolean;
  /** Whether the provider of the recharge pays back an order of its kind. */
  isReturnable: boolean;
  /** Whether the case is about money that came in, by a line of a statement that names no recharge. Missing: it is not. */
  isLineIn?: boolean;
}>;

/** The verbs that a case of this kind has now, in the order of `verbs`. A closed case has none. */
export function verbsFor(kind: string, facts: CaseFacts): readonly Verb[] {
  if (!facts.isOpen) return [];
  if (facts.isLineIn === true) return ['adopt', 'dismiss'];
  if (facts.suspended.length > 0) return canReturn(facts) ? ['adopt', 'return'] : ['adopt'];
  if (facts.hasOwnLine && hasEndedWithoutMoney(facts)) return ['adopt', 'dismiss'];
  if (!isStoppedBy(kind) || !isUnderWay(facts.state)) return ['dismiss'];
  return [
    // `fail` would give the hold back. So it is not offered where money has moved: some is in suspense, or a line of a
    // statement says so.
    ...(facts.hasSuspense || kind === 'statement_different' ? [] : (['fail'] as const)),
    ...(kind === 'absent_order' && !facts.hadSuspense ? (['resubmit'] as const) : []),
    'dismiss',
  ];
}

/** Whether the recharge failed or was canceled, and no money of it has come since. */
const hasEndedWithoutMoney = ({ state, hadSuspense }: CaseFacts): boolean =>
  (state === 'FAILED' || state === 'CANCELED') && !hadSuspense;

/** One refund pays back money of one order in one currency. */
const canReturn = ({ isReturnable, suspended }: CaseFacts): boolean =>
  isReturnable &&
  suspended[0]!.providerOrderId !== null &&
  suspended.every(
    ({ providerOrderId, currency }) =>
      providerOrderId === suspended[0]!.providerOrderId && currency === suspended[0]!.currency,
  );

/** Whether an order of the recharge may be at the provider. */
export const isUnderWay = (state: State | null): boolean =>
  state === 'SUBMITTED' || state === 'PENDING_CONFIRMATION';

/** The facts of one of a recharge's cases. */
export const factsOf = (
  one: KnownCase,
  { state, cases, isReturnable }: Pick<CaseFacts, 'state' | 'isReturnable'> & { cases: readonly KnownCase[] },
): CaseFacts => ({
  state,
  isReturnable,
  isOpen: one.isOpen,
  suspended: one.suspended,
  hasOwnLine: one.ownLine !== null,
  hasSuspense: cases.some(({ isOpen, suspended }) => isOpen && suspended.length > 0),
  hadSuspense: cases.some(({ suspended }) => suspended.length > 0),
});

/** A decision that was made about a recharge, as far as it may settle cases. */
export type Settling = Readonly<{ verdict: Verdict; news: News; to: State }>;

/**
 * Why a case has no question left after a report that agrees with our order. Null: its question stays. A case with money
 * in suspense is closed by a person only.
 */
export function settledBy({ kind, isOpen, suspended }: KnownCase, settling: Settling): string | null {
  if (!isOpen || suspended.length > 0 || settling.verdict === 'conflict') return null;
  return settlers[kind]?.(settling) ?? null;
}

const found: readonly News[] = ['accepted', 'settled', 'declined', 'canceled'];

const settlers: Readonly<Record<string, (settling: Settling) => string | null>> = {
  absent_order: (by) => whenFound(by),
  absence_unproven: (by) => whenFound(by),
  booked_elsewhere: (by) => whenFinal(by),
  unsent_order: ({ verdict, news }) =>
    verdict === 'moved' && found.includes(news) ? 'the order was sent, and the provider has it' : null,
  wrong_amount: ({ verdict, to }) =>
    verdict === 'moved' && isFinal(to) ? 'the order ended, and no other amount was paid' : null,
};

const whenFound = (by: Settling): string | null =>
  found.includes(by.news) ? 'the provider has the order' : whenFinal(by);

const whenFinal = ({ verdict, to }: Settling): string | null =>
  verdict === 'moved' && isFinal(to) ? 'the recharge is final' : null;

/** The cases that a report settles, each with the reason. */
export const settledCases = (
  cases: readonly KnownCase[],
  { verdict, news, to }: Settling,
): Readonly<{ caseId: string; because: string }>[] =>
  cases.flatMap((one) => {
    const because = settledBy(one, { verdict, news, to });
    return because === null ? [] : [{ caseId: one.id, because }];
  });
