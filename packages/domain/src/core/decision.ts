import type { CaseKind, KnownCase, SuspendedMoney } from './cases/case-kinds.js';
import { settledCases } from './cases/case-verbs.js';
import { isOlderThanSettlement, isSameSuspended, movedElsewhere } from './cases/moved-money.js';
import { type Resolution, type Resolved, resolve } from './cases/resolution.js';
import type { Money } from './money/money.js';
import {
  type Funding,
  type Journal,
  journalOnEntering,
  type Kind,
  keepsSuspense,
  nextSlot,
  partiesOf,
  suspenseJournal,
} from './money/postings.js';
import type { NextStep } from './next-step.js';
import type { Payee } from './payee.js';
import type { PayersAction } from './payers-action.js';
import { isFinal, isOfPersons, type News, type State, step, type Verdict } from './recharge.js';
import { type Difference, differenceFrom, type ReportedOrder } from './same-order.js';
import { mayAskToCancel, mayWithdraw } from './withdrawal.js';

/** The origin of a report. */
export type ReportSource = 'submission' | 'webhook' | 'poll' | 'client' | 'operator';

/** A recharge as read, with the slots of its journals and its cases. */
export type Recharge = Readonly<{
  id: string;
  kind: Kind;
  state: State;
  confirmation: 'acknowledged' | 'unknown' | null;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  provider: string;
  /** The name of our account at the provider. */
  providerAccount: string;
  funding: Funding;
  returnedFunding?: Funding | null;
  /** The target of a delivery. Of a collect: where its money is delivered. Null: the money stays in the wallet. */
  payee: Payee | null;
  providerOrderId: string | null;
  nextStep: NextStep | null;
  /** Whether somebody has to pay before the provider settles the order. */
  isPayable: boolean;
  attempt: number;
  /** When the provider settled the order, by its own clock. Null: it did not say. */
  settledSaidAt: Date | null;
  slots: readonly string[];
  /** The kinds of the open cases of the recharge. */
  openCases: readonly string[];
  /** All cases of the recharge, open and closed. */
  cases: readonly KnownCase[];
}>;

/** News about one transaction, with its evidence. It has no time, because the database gives the time. */
export type Report = ReportedOrder &
  Readonly<{
    news: News;
    source: ReportSource;
    reason: string;
    /** When the provider says that this happened. Missing: it does not say. */
    saidAt?: Date;
    failure?: Readonly<{ code: string; message: string }>;
    externalReference?: string;
    /** What the payer has to do. Missing: nothing new. It is forgotten when the recharge is final. */
    action?: PayersAction;
    /** The time after which nobody can pay the order any more. Null: there is no such time. */
    payableUntil?: Date | null;
    /** The submit attempt that this report answers. */
    attempt?: number;
    /** The next step that is allowed while the recharge is not final. Default: `ask`. */
    nextStep?: NextStep;
    /** Whether the provider can end an order that nobody has paid. Only then a sent recharge can be withdrawn. */
    isCancelable?: boolean;
    /** The kind of case to open although the report contradicts nothing. */
    doubt?: CaseKind;
    /** Whether a second person has approved the recharge, which may go on now. */
    isApproved?: boolean;
    /** The decision of a person about a case. The other facts of the report are then ignored. */
    resolution?: Resolution;
  }>;

export type Decision = Readonly<{
  verdict: Verdict;
  to: State;
  confirmation: Recharge['confirmation'];
  /** Whether the report leaves a transition behind. */
  filed: boolean;
  /** Whether the report is a claim that was granted: its caller, and no other, may now call the provider. */
  claimed: boolean;
  nextStep: NextStep | null;
  journal: Journal | null;
  /** The second journal of a resolution that posts two. Null for every other report. */
  furtherJournal: Journal | null;
  openCase: CaseKind | null;
  /** The money that the journal puts into suspense. It belongs to the case that is opened, or is open already. */
  suspended: SuspendedMoney | null;
  /** The open cases that the report settles, because it answers their question. */
  settled: readonly Readonly<{ caseId: string; because: string }>[];
  /** The provider's order id for a recharge that has none yet. Null leaves the recharge without one. */
  providerOrderId: string | null;
  /** What a resolution does. Null for every other report. */
  resolved: Pick<Resolved, 'reported' | 'failure' | 'returned' | 'isSentAgain'> | null;
  /** The delivery that follows a collect: its wallet and its money. Null: nothing is delivered. */
  continuation: Readonly<{ accountId: string; money: Money }> | null;
  /** Whether the case whose money this refund should have returned is opened again. */
  reopens: boolean;
}>;

/** Decides what a report does to a recharge. No other place decides it. */
export function decide(r: Recharge, report: Report): Decision {
  if (report.resolution) return decideResolution(r, report.resolution);
  const decision = decideNews(r, report);
  const settled = settledCases(r.cases, { verdict: decision.verdict, to: decision.to, news: report.news });
  return settled.length > 0 ? { ...decision, settled, filed: true } : decision;
}

function decideResolution(r: Recharge, resolution: Resolution): Decision {
  const { verdict, to, journal, furtherJournal, ...resolved } = resolve(r, partiesOf(r), resolution);
  const { isSentAgain, reported, providerOrderId } = resolved;
  const decision = {
    ...nothingToDo(r),
    ...{ verdict, to, journal, furtherJournal, resolved, providerOrderId, filed: true },
    confirmation: isSentAgain ? ('unknown' as const) : r.confirmation,
    nextStep: isFinal(to) ? null : isSentAgain ? ('submit' as const) : r.nextStep,
    reopens: keepsSuspense(r, to),
  };
  const settled = settledCases(r.cases, { ...decision, news: reported });
  return { ...decision, settled: settled.filter(({ caseId }) => caseId !== resolution.caseId) };
}

function decideNews(r: Recharge, report: Report): Decision {
  if (report.news === 'submit') return decideClaim(r);
  if (report.isApproved && r.nextStep === 'approve')
    return { ...nothingToDo(r), filed: true, nextStep: 'submit' };
  if (isOfPersons(report.news)) return nothingToDo(r);
  if (report.news === 'withdraw' && !mayWithdraw(r))
    return mayAskToCancel(r, report)
      ? { ...nothingToDo(r), filed: true, nextStep: 'cancel' }
      : nothingToDo(r);
  if (isOutdated(r, report)) return outdated(r, report);
  const difference = differenceFrom(r, report);
  if (difference) return otherOrder(r, report, difference);
  const { verdict, to } = step(r.state, report.news);
  if (verdict === 'conflict' && !isOlderThanSettlement(r, report)) return conflict(r, report);
  if (verdict !== 'moved') return nothingMoves(r, 'stale', report, null);
  return {
    ...nothingToDo(r),
    verdict,
    to,
    filed: true,
    confirmation: confirmationAfter(r, report),
    nextStep: isFinal(to) ? null : nextUnlessAcknowledged(r, report, 'ask'),
    journal: journalOnEntering(to, partiesOf(r)),
    openCase: report.doubt ?? null,
    providerOrderId: report.providerOrderId ?? null,
    reopens: keepsSuspense(r, to),
    continuation: to === 'SUCCEEDED' && r.kind === 'collect' && r.payee !== null ? partiesOf(r) : null,
  };
}

const nothingToDo = (r: Claimable): Decision => ({
  verdict: 'stale',
  to: r.state,
  confirmation: r.confirmation,
  filed: false,
  claimed: false,
  nextStep: r.nextStep,
  journal: null,
  furtherJournal: null,
  openCase: null,
  suspended: null,
  settled: [],
  providerOrderId: null,
  resolved: null,
  continuation: null,
  reopens: false,
});

/** The fields of a recharge that the decision about a claim reads. */
export type Claimable = Pick<Recharge, 'state' | 'confirmation' | 'nextStep'>;

/** A claim is granted only if the recharge's next step is a submit. */
export function decideClaim(r: Claimable): Decision {
  if (r.nextStep !== 'submit') return nothingToDo(r);
  const { verdict, to } = step(r.state, 'submit');
  return { ...nothingToDo(r), verdict, to, filed: true, claimed: true, nextStep: 'ask' };
}

/**
 * Whether the report answers an attempt that is no longer the last. A worker that was suspended during its attempt
 * reports late. Its "unknown" or "declined" must not decide the next attempt. "Accepted" and "settled" are true for any
 * attempt.
 */
const isOutdated = (r: Recharge, report: Report): boolean =>
  report.attempt !== undefined &&
  report.attempt < r.attempt &&
  (report.news === 'unknown' || report.news === 'declined');

/** The report is filed and changes nothing. Its next step and its doubt do not concern the present attempt. */
const outdated = (r: Recharge, { news, source, reason }: Report): Decision => ({
  ...nothingMoves(r, 'stale', { news, source, reason }, null),
  nextStep: r.nextStep,
  confirmation: r.confirmation,
});

/**
 * The report is about another order than the one we sent. It moves nothing, and money that the order took goes to
 * suspense. The recharge takes over the order's id only if nothing but the amount differs.
 */
function otherOrder(r: Recharge, report: Report, difference: Difference): Decision {
  const isLate = report.news === 'settled' && (r.state === 'FAILED' || r.state === 'CANCELED');
  const kind = difference === 'wrong_amount' && isLate ? 'late_money' : difference;
  return {
    ...contradicted(r, report, kind),
    providerOrderId: difference === 'wrong_amount' ? (report.providerOrderId ?? null) : null,
  };
}

const conflictKinds: Record<Exclude<News, 'adopted' | 'resolved'>, (state: State) => CaseKind> = {
  submit: () => 'unsent_order',
  withdraw: () => 'cancel_conflict',
  accepted: () => 'unsent_order',
  unknown: () => 'unsent_order',
  settled: (state) => (state === 'CREATED' ? 'unsent_order' : 'late_money'),
  declined: (state) => (state === 'CREATED' ? 'unsent_order' : 'declined_after_success'),
  canceled: (state) => (state === 'CREATED' ? 'unsent_order' : 'cancel_conflict'),
};

const conflict = (r: Recharge, report: Report): Decision =>
  contradicted(r, report, conflictKinds[report.news as keyof typeof conflictKinds](r.state));

/** A report that contradicts the books. Its money goes to suspense once. After a person's decision it is stale. */
function contradicted(r: Recharge, report: Report, kind: CaseKind): Decision {
  const money = movedElsewhere(r, report);
  const known =
    money && r.cases.filter(({ suspended }) => suspended.some((some) => isSameSuspended(some, money)));
  if (!money || !known) return nothingMoves(r, 'conflict', report, kind);
  if (known.length === 0) return suspends(r, report, kind, money);
  const open = known.find(({ isOpen }) => isOpen);
  return nothingMoves(r, open ? 'conflict' : 'stale', report, (open?.kind as CaseKind | undefined) ?? null);
}

const suspends = (r: Recharge, report: Report, kind: CaseKind, money: SuspendedMoney): Decision => ({
  ...nothingMoves(r, 'conflict', report, kind),
  filed: true,
  openCase: kind,
  suspended: money,
  journal: suspenseJournal(
    partiesOf(r),
    { amountMinor: money.amountMinor, currency: money.currency },
    nextSlot('suspense', r.slots),
  ),
});

/**
 * The state does not move, but the report's facts are kept. A poll that only repeats known facts leaves no transition,
 * because its provider call is on record.
 */
function nothingMoves(r: Recharge, verdict: Verdict, report: Report, kind: CaseKind | null): Decision {
  const openCase = kind ?? report.doubt ?? doubtOf(r, report);
  const isNew = openCase !== null && !r.openCases.includes(openCase);
  return {
    ...nothingToDo(r),
    verdict,
    confirmation: isFinal(r.state) ? r.confirmation : confirmationAfter(r, report),
    filed: report.source !== 'poll' || isNew,
    nextStep: nextAfter(r, report),
    openCase: isNew ? openCase : null,
    providerOrderId: report.providerOrderId ?? null,
  };
}

function nextAfter(r: Recharge, report: Report): NextStep | null {
  if (isFinal(r.state)) return null;
  return r.state === 'CREATED' ? r.nextStep : nextUnlessAcknowledged(r, report, r.nextStep);
}

/**
 * The next step. If the provider has acknowledged the order, it is asked about the order, which is never sent again. A
 * provider that no longer knows the order may also have forgotten its key, so it could carry out a second order. An
 * order that is to be canceled stays so until the recharge is final.
 */
function nextUnlessAcknowledged(r: Recharge, report: Report, otherwise: NextStep | null): NextStep | null {
  if (confirmationAfter(r, report) !== 'acknowledged') return report.nextStep ?? otherwise;
  return r.nextStep === 'cancel' || report.nextStep === 'cancel' ? 'cancel' : 'ask';
}

/** The kind of case to open because the provider acknowledged the order and now does not know it. */
const doubtOf = (r: Recharge, { source, nextStep }: Report): CaseKind | null =>
  source === 'poll' && nextStep === 'submit' && r.confirmation === 'acknowledged' ? 'absent_order' : null;

const acknowledging: readonly News[] = ['accepted', 'settled', 'declined', 'canceled'];

function confirmationAfter(r: Recharge, report: Report): Recharge['confirmation'] {
  if (acknowledging.includes(report.news)) return 'acknowledged';
  return report.news === 'unknown' && r.confirmation === null ? 'unknown' : r.confirmation;
}
