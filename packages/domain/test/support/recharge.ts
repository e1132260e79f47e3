import type { KnownCase } from '../../src/core/cases/case-kinds.js';
import type { Recharge, Report } from '../../src/core/decision.js';
import type { News, State } from '../../src/core/recharge.js';

const nextStepIn: Record<State, Recharge['nextStep']> = {
  CREATED: 'submit',
  SUBMITTED: 'ask',
  PENDING_CONFIRMATION: 'ask',
  SUCCEEDED: null,
  FAILED: null,
  CANCELED: null,
};

/** A typical recharge in `state`. */
export const recharge = (state: State, over: Partial<Recharge> = {}): Recharge => ({
  id: 'r-1',
  kind: 'collect',
  state,
  confirmation: null,
  accountId: 'acct-1',
  amountMinor: 4_999n,
  currency: 'USD',
  provider: 'sandbox',
  providerAccount: 'main',
  funding: 'wallet',
  payee: null,
  providerOrderId: null,
  nextStep: nextStepIn[state],
  isPayable: false,
  attempt: state === 'CREATED' ? 0 : 1,
  settledSaidAt: null,
  slots: [],
  openCases: [],
  cases: [],
  ...over,
});

/** An open case of a recharge, with the money that is in suspense for it. */
export const openCase = (kind: string, ...suspended: KnownCase['suspended']): KnownCase => ({
  id: `case-${kind}`,
  kind,
  isOpen: true,
  isAboutRecharge: true,
  suspended,
  ownLine: null,
});

export const report = (news: News, over: Partial<Report> = {}): Report => ({
  news,
  source: 'webhook',
  reason: 'as tested',
  ...over,
});

/** All orders of `items`. */
export const permutations = <T>(items: readonly T[]): T[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
