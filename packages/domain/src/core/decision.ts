import type { NextStep } from './next-step.js';
import { type Journal, journalOnEntering, type Kind, quarantine } from './postings.js';
import { isFinal, type News, type State, step, type Verdict } from './recharge.js';
import { type Difference, differenceFrom, isOtherOrder, type ReportedOrder } from './same-order.js';

/** On whose word a report stands. */
export type ReportSource = 'submission' | 'webhook' | 'poll' | 'client' | 'operator';

export type CaseKind =
  | Difference
  | 'unsent_order'
  | 'late_money'
  | 'declined_after_success'
  | 'cancel_conflict'
  | 'absent_order'
  | 'unknown_order'
  | 'unread_event'
  | 'unprocessable'
  | 'unprocessable_event'
  | 'event_changed';

/** A recharge as read, with what was posted and is open about it. */
export type Recharge = Readonly<{
  id: string;
  kind: Kind;
  state: State;
  confirmation: 'acknowledged' | 'unknown' | null;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  provider: string;
  providerOrderId: string | null;
  nextStep: NextStep | null;
  attempt: number;
  slots: readonly string[];
  openCases: readonly string[];
}>;

/** News with its evidence. Of one transaction; nothing here names a time, which is the database's to say. */
export type Report = ReportedOrder &
  Readonly<{
    news: News;
    source: ReportSource;
    reason: string;
    failure?: Readonly<{ code: string; message: string }>;
    /** The submit attempt that this is the answer to. */
    attempt?: number;
    /** What may be done next while the recharge is not final; `ask` when not given. */
    nextStep?: NextStep;
    /** A doubt that a person shall look at although nothing contradicts. */
    doubt?: CaseKind;
  }>;

export type Decision = Readonly<{
  verdict: Verdict;
  to: State;
  confirmation: Recharge['confirmation'];
  /** Whether the report leaves a transition behind. */
  filed: boolean;
  /** Whether this opens attempt n: the caller, and nobody else, may now call the provider. */
  claimed: boolean;
  nextStep: NextStep | null;
  journal: Journal | null;
  openCase: CaseKind | null;
  /** The provider's order that this recharge is known by from now on, if it had none; null to leave that open. */
  providerOrderId: string | null;
}>;

/** Pure: what a report does to a recharge. The one place where it is decided. */
export function decide(r: Recharge, report: Report): Decision {
  if (report.news === 'submit') return decideClaim(r);
  if (report.news === 'withdraw' && !mayTakeBack(r)) return nothingToDo(r);
  if (isOutdated(r, report)) return outdated(r, report);
  const difference = differenceFrom(r, report);
  if (difference) return otherOrder(r, report, difference);
  const { verdict, to } = step(r.state, report.news);
  if (verdict === 'conflict') return conflict(r, report);
  if (verdict === 'stale') return nothingMoves(r, 'stale', report, null);
  return {
    verdict,
    to,
    confirmation: confirmationAfter(r, report),
    filed: true,
    claimed: false,
    nextStep: isFinal(to) ? null : nextUnlessAcknowledged(r, report, 'ask'),
    journal: journalOnEntering(to, parties(r)),
    openCase: report.doubt ?? null,
    providerOrderId: report.providerOrderId ?? null,
  };
}

/** Open cases that say that money may have moved: the submit that is to hear of it must not be taken back. */
const moneyMayHaveMoved: readonly string[] = [
  'unsent_order',
  'wrong_amount',
  'several_orders',
  'other_account',
] satisfies CaseKind[];

/** A client may only take back what was not sent; later the provider alone can confirm a cancel. */
const mayTakeBack = (r: Recharge): boolean =>
  r.state === 'CREATED' && !r.openCases.some((kind) => moneyMayHaveMoved.includes(kind));

const nothingToDo = (r: Recharge): Decision => ({
  verdict: 'stale',
  to: r.state,
  confirmation: r.confirmation,
  filed: false,
  claimed: false,
  nextStep: r.nextStep,
  journal: null,
  openCase: null,
  providerOrderId: null,
});

/** An intent is opened only where the row says that a submit is what comes next; everyone else goes away empty. */
function decideClaim(r: Recharge): Decision {
  if (r.nextStep !== 'submit') return nothingToDo(r);
  return { ...nothingToDo(r), ...step(r.state, 'submit'), filed: true, claimed: true, nextStep: 'ask' };
}

/**
 * A worker that slept through its own attempt must not speak for the next one: its "unknown" or "declined" is about
 * a call that no longer decides anything. That an order was accepted or settled stays true whoever says it.
 */
const isOutdated = (r: Recharge, report: Report): boolean =>
  report.attempt !== undefined &&
  report.attempt < r.attempt &&
  (report.news === 'unknown' || report.news === 'declined');

/** On file, and nothing more: neither what it would have done next nor what it doubted is of this attempt. */
const outdated = (r: Recharge, { news, source, reason }: Report): Decision => ({
  ...nothingMoves(r, 'stale', { news, source, reason }, null),
  nextStep: r.nextStep,
  confirmation: r.confirmation,
});

/**
 * The provider speaks of an order that is not the one we sent. It moves nothing; money that it took is put aside. The
 * recharge is known by such an order only where nothing but the amount differs.
 */
function otherOrder(r: Recharge, report: Report, difference: Difference): Decision {
  const isLate = report.news === 'settled' && (r.state === 'FAILED' || r.state === 'CANCELED');
  const kind = difference === 'wrong_amount' && isLate ? 'late_money' : difference;
  return {
    ...nothingMoves(r, 'conflict', report, kind),
    journal: suspended(r, report),
    providerOrderId: difference === 'wrong_amount' ? (report.providerOrderId ?? null) : null,
  };
}

/**
 * Money that moved is put aside once. In CREATED it is not: nobody here has sent the order yet, and its submit, which
 * the provider answers with the very same order, will hear of that money and post it. In SUCCEEDED it is only where
 * another order took it: what the order of the recharge took is posted.
 */
function suspended(r: Recharge, report: Report): Journal | null {
  if (report.news !== 'settled' || r.state === 'CREATED' || r.slots.includes('suspense')) return null;
  if (r.state === 'SUCCEEDED' && !isOtherOrder(r, report)) return null;
  return quarantine(parties(r), report.money ?? parties(r).money);
}

const conflictKinds: Record<News, (state: State) => CaseKind> = {
  submit: () => 'unsent_order',
  withdraw: () => 'cancel_conflict',
  accepted: () => 'unsent_order',
  unknown: () => 'unsent_order',
  settled: (state) => (state === 'CREATED' ? 'unsent_order' : 'late_money'),
  declined: (state) => (state === 'CREATED' ? 'unsent_order' : 'declined_after_success'),
  canceled: (state) => (state === 'CREATED' ? 'unsent_order' : 'cancel_conflict'),
};

const conflict = (r: Recharge, report: Report): Decision => ({
  ...nothingMoves(r, 'conflict', report, conflictKinds[report.news](r.state)),
  journal: suspended(r, report),
});

/**
 * Nothing moves, but what was learnt on the way is kept. A poll that only repeats what is known leaves no transition:
 * its provider call is on record already.
 */
function nothingMoves(r: Recharge, verdict: Verdict, report: Report, kind: CaseKind | null): Decision {
  const openCase = kind ?? report.doubt ?? doubtOf(r, report);
  const isNew = openCase !== null && !r.openCases.includes(openCase);
  return {
    verdict,
    to: r.state,
    confirmation: isFinal(r.state) ? r.confirmation : confirmationAfter(r, report),
    filed: report.source !== 'poll' || isNew,
    claimed: false,
    nextStep: nextAfter(r, report),
    journal: null,
    openCase: isNew ? openCase : null,
    providerOrderId: report.providerOrderId ?? null,
  };
}

function nextAfter(r: Recharge, report: Report): NextStep | null {
  if (isFinal(r.state)) return null;
  return r.state === 'CREATED' ? r.nextStep : nextUnlessAcknowledged(r, report, r.nextStep);
}

/**
 * An order that the provider has acknowledged is asked about, never sent again: by the time it says that there is no
 * such order it may have forgotten the key that would fold a second one into the first.
 */
const nextUnlessAcknowledged = (r: Recharge, report: Report, otherwise: NextStep | null): NextStep | null =>
  confirmationAfter(r, report) === 'acknowledged' ? 'ask' : (report.nextStep ?? otherwise);

/** What a person has to look at although nothing contradicts: the provider took the order and knows nothing of it now. */
const doubtOf = (r: Recharge, { source, nextStep }: Report): CaseKind | null =>
  source === 'poll' && nextStep === 'submit' && r.confirmation === 'acknowledged' ? 'absent_order' : null;

const acknowledging: readonly News[] = ['accepted', 'settled', 'declined', 'canceled'];

function confirmationAfter(r: Recharge, report: Report): Recharge['confirmation'] {
  if (acknowledging.includes(report.news)) return 'acknowledged';
  return report.news === 'unknown' && r.confirmation === null ? 'unknown' : r.confirmation;
}

const parties = (r: Recharge) => ({
  kind: r.kind,
  accountId: r.accountId,
  provider: r.provider,
  money: { amountMinor: r.amountMinor, currency: r.currency },
});
