import { isSameMoney, type Money } from './money.js';
import type { NextStep } from './next-step.js';
import { type Journal, journalOnEntering, type Kind, quarantine } from './postings.js';
import { isFinal, type News, type State, step, type Verdict } from './recharge.js';

/** On whose word a report stands. */
export type Source = 'submission' | 'webhook' | 'poll' | 'client' | 'operator';

export type CaseKind =
  | 'unsent_order'
  | 'late_money'
  | 'wrong_amount'
  | 'declined_after_success'
  | 'cancel_conflict'
  | 'absent_order'
  | 'several_orders'
  | 'unknown_order'
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
export type Report = Readonly<{
  news: News;
  source: Source;
  reason: string;
  providerOrderId?: string | null;
  /** What the provider says it moved or will move. Differing from ours it is a conflict, whatever the state. */
  money?: Money;
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
}>;

/** Pure: what a report does to a recharge. The one place where it is decided. */
export function decide(r: Recharge, report: Report): Decision {
  if (report.news === 'submit') return decideClaim(r);
  if (report.news === 'cancel' && report.source === 'client' && !mayTakeBack(r)) return nothingToDo(r);
  // An order that was canceled was taken before: its end is heard again when it is asked about.
  if (report.news === 'cancel' && r.state === 'SUBMITTED') return decide(r, { ...report, news: 'accepted' });
  if (isOutdated(r, report)) return outdated(r, report);
  const hasOtherMoney = report.money !== undefined && !isSameMoney(report.money, r);
  if (hasOtherMoney && !isFinal(r.state)) return wrongMoney(r, report);
  const { verdict, to } = step(r.state, report.news);
  if (verdict === 'conflict') return conflict(r, report);
  if (verdict === 'stale')
    return nothingMoves(
      r,
      hasOtherMoney ? 'conflict' : 'stale',
      report,
      hasOtherMoney ? 'wrong_amount' : null,
    );
  return {
    verdict,
    to,
    confirmation: confirmationAfter(r, report),
    filed: true,
    claimed: false,
    nextStep: isFinal(to) ? null : nextUnlessAcknowledged(r, report, 'ask'),
    journal: journalOnEntering(to, parties(r)),
    openCase: report.doubt ?? null,
  };
}

/**
 * A client may only take back what was not sent; later the provider alone can confirm a cancel. Money that was seen
 * already would be forgotten with the submit that is to hear of it.
 */
const mayTakeBack = (r: Recharge): boolean =>
  r.state === 'CREATED' && !r.openCases.some((kind) => kind === 'unsent_order' || kind === 'wrong_amount');

const nothingToDo = (r: Recharge): Decision => ({
  verdict: 'stale',
  to: r.state,
  confirmation: r.confirmation,
  filed: false,
  claimed: false,
  nextStep: r.nextStep,
  journal: null,
  openCase: null,
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

const wrongMoney = (r: Recharge, report: Report): Decision => ({
  ...nothingMoves(r, 'conflict', report, 'wrong_amount'),
  journal: suspended(r, report),
});

/**
 * Money that moved is put aside once. In CREATED it is not: nobody here has sent the order yet, and its submit, which
 * the provider answers with the very same order, will hear of that money and post it.
 */
function suspended(r: Recharge, report: Report): Journal | null {
  if (report.news !== 'settled' || r.state === 'CREATED' || r.slots.includes('suspense')) return null;
  return quarantine(parties(r), report.money ?? parties(r).money);
}

const conflictKinds: Record<News, (state: State) => CaseKind> = {
  submit: () => 'unsent_order',
  accepted: () => 'unsent_order',
  unknown: () => 'unsent_order',
  settled: (state) => (state === 'CREATED' ? 'unsent_order' : 'late_money'),
  declined: (state) => (state === 'CREATED' ? 'unsent_order' : 'declined_after_success'),
  cancel: () => 'cancel_conflict',
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

/** What a person has to look at although nothing contradicts. */
function doubtOf(r: Recharge, { news, source, nextStep, providerOrderId }: Report): CaseKind | null {
  // The provider took the order once and knows nothing of it now.
  if (source === 'poll' && nextStep === 'submit' && r.confirmation === 'acknowledged') return 'absent_order';
  // What settled is no echo of the order that did before: somebody may have paid twice.
  const isOther =
    r.providerOrderId !== null && providerOrderId != null && providerOrderId !== r.providerOrderId;
  return r.state === 'SUCCEEDED' && news === 'settled' && isOther ? 'several_orders' : null;
}

function confirmationAfter(r: Recharge, report: Report): Recharge['confirmation'] {
  if (report.news === 'accepted' || report.news === 'settled' || report.news === 'declined')
    return 'acknowledged';
  return report.news === 'unknown' && r.confirmation === null ? 'unknown' : r.confirmation;
}

const parties = (r: Recharge) => ({
  kind: r.kind,
  accountId: r.accountId,
  provider: r.provider,
  money: { amountMinor: r.amountMinor, currency: r.currency },
});
