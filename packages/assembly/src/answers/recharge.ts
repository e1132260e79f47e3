import type { CaseKind, RechargeView, RefundView, State, TimelineRow } from '@replenish/domain';
import { addShownTexts, isFinal } from '@replenish/domain/rules';
import { waitingBody } from './waits-for.js';

export type Status = 'accepted' | 'in_progress' | 'succeeded' | 'failed' | 'canceled';

/** The status that producers see for each state. */
export const statusOf: Record<State, Status> = {
  CREATED: 'accepted',
  SUBMITTED: 'in_progress',
  PENDING_CONFIRMATION: 'in_progress',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELED: 'canceled',
};

/**
 * The status of the whole. A collect whose money goes on to a cloud account is in progress until its delivery is final,
 * and a failed or canceled delivery fails it.
 */
export function wholeStatusOf({ kind, state, payee, delivery }: RechargeView): Status {
  if (kind !== 'collect' || state !== 'SUCCEEDED' || payee === null) return statusOf[state];
  // Money that a person adopted stays in the wallet. Every other collect has its delivery once it succeeds.
  if (delivery === null) return 'succeeded';
  if (!isFinal(delivery.state)) return 'in_progress';
  return delivery.state === 'SUCCEEDED' ? 'succeeded' : 'failed';
}

export const isWholeFinal = (r: RechargeView): boolean =>
  isFinal(r.state) && wholeStatusOf(r) !== 'in_progress';

const WAITS_FOR_APPROVAL = 'Accepted; a second person has to approve it.';

const messages: Record<State, string> = {
  CREATED: 'Accepted; it will be sent to the provider.',
  SUBMITTED: 'It is being sent to the provider; the answer is not known yet.',
  PENDING_CONFIRMATION: 'The provider has the order; its outcome is not known yet.',
  SUCCEEDED: 'The recharge succeeded.',
  FAILED: 'The recharge failed; the account was not credited.',
  CANCELED: 'The recharge was canceled; the account was not credited.',
};

/** The messages for open cases. A recharge may have several, so the most important comes first. */
const caseMessages: readonly (readonly [kind: CaseKind, message: string])[] = [
  ['wrong_amount', 'The provider reported another amount or currency.'],
  ['other_account', 'The provider reported another account.'],
  ['several_orders', 'The provider has more than one order for this recharge.'],
  ['booked_elsewhere', 'The provider reported an order that is booked for another recharge.'],
  ['late_money', 'The provider reported money after that.'],
  ['declined_after_success', 'The provider later reported that it failed.'],
  ['cancel_conflict', 'The provider reported a cancellation that does not fit.'],
  ['absent_order', 'The provider does not find the order.'],
  ['absence_unproven', 'It cannot be proven whether the provider has the order.'],
  ['unsent_order', 'The provider reported an order before it was sent.'],
  ['unprocessable', 'What the provider reported could not be recorded yet.'],
  ['unread_event', 'The provider reported something that cannot be read yet.'],
];

/**
 * The text for people. It follows from the state, the confirmation by the provider and the open cases at the time of
 * the answer.
 */
function messageOf(r: RechargeView): string {
  const { state, confirmation, openCases } = r;
  if (openCases.length === 0 && wholeStatusOf(r) !== statusOf[state])
    return wholeStatusOf(r) === 'failed'
      ? DELIVERY_FAILED
      : 'The money is collected; its delivery is under way.';
  if (openCases.length === 0 && r.nextStep === 'approve') return WAITS_FOR_APPROVAL;
  if (openCases.length === 0 && r.failureCode === 'WRONG_AMOUNT') return WRONG_AMOUNT;
  if (openCases.length === 0)
    return state === 'PENDING_CONFIRMATION' && confirmation === 'unknown'
      ? 'It is not known whether the provider has the order. The provider is being asked.'
      : messages[state];
  const [, found] = caseMessages.find(([kind]) => openCases.includes(kind)) ?? [];
  const ended = r.failureCode === 'WRONG_AMOUNT' ? WRONG_AMOUNT : messages[state];
  const outcome = isFinal(state) ? `${ended} ` : '';
  return `${outcome}${found ?? 'The provider reported something that does not fit.'} A person has to look into it.`;
}

const WRONG_AMOUNT =
  'The recharge failed, because another amount was paid. `failure` says where that money is.';
const DELIVERY_FAILED = 'The money was collected and is in the wallet; its delivery failed.';

function failureOf(r: RechargeView): { code: string; message: string } | null {
  if (r.failureCode !== null) return { code: r.failureCode, message: r.failureMessage ?? '' };
  if (r.state !== 'SUCCEEDED' || wholeStatusOf(r) !== 'failed') return null;
  const { failureCode, failureMessage } = r.delivery!;
  const why = failureMessage === null ? '' : ` ${failureMessage}`;
  return { code: failureCode ?? 'PROVIDER_ERROR', message: `${DELIVERY_FAILED}${why}` };
}

function destinationOf({ kind, payee }: RechargeView): 'wallet' | 'cloud' | null {
  if (kind === 'deliver') return 'cloud';
  if (kind !== 'collect') return null;
  return payee === null ? 'wallet' : 'cloud';
}

/** Finds the source of a provider account: the account at the provider that pays if a payee names none. */
export type OwnSources = Readonly<{
  raw: (provider: string, account: string) => Readonly<{ source?: string }> | undefined;
}>;

/** The account at the provider that pays a delivery. Null: the provider has no accounts that pay. */
const sourceOf = ({ kind, payee, provider, providerAccount }: RechargeView, providers: OwnSources) =>
  kind === 'deliver' && payee
    ? (payee.from ?? providers.raw(provider, providerAccount)?.source ?? null)
    : null;
const targetOf = ({ kind, payee }: RechargeView) => (kind === 'deliver' ? (payee?.to ?? null) : null);

const deliveryOf = ({ delivery }: RechargeView) =>
  delivery && { transactionId: delivery.id, state: delivery.state, status: statusOf[delivery.state] };

/**
 * The recharge as JSON. Amounts fit into a number, because the intake refuses those above 2^53 - 1. Times are texts,
 * because JSON.stringify takes 3.5 us for a body without objects of class Date, and 8.2 us for one with two of them.
 */
export const rechargeBody = (r: RechargeView, providers: OwnSources) =>
  addShownTexts(
    {
      transactionId: r.id,
      kind: r.kind === 'recall' ? 'refund' : r.kind,
      status: wholeStatusOf(r),
      state: r.state,
      accountId: r.accountId,
      amount: Number(r.amountMinor),
      currency: r.currency,
      paymentMethod: r.paymentMethod,
      destination: destinationOf(r),
      provider: r.provider,
      providerAccount: r.providerAccount,
      source: sourceOf(r, providers),
      target: targetOf(r),
      providerOrderId: r.providerOrderId,
      externalReference: r.externalReference ?? r.providerOrderId,
      action: r.action,
      waiting: waitingBody(r),
      delivery: deliveryOf(r),
      collectedBy: r.collectedBy,
      refundOf: r.refundOf,
      refunded: Number(r.refundedMinor),
      message: messageOf(r),
      failure: failureOf(r),
      metadata: r.metadata,
      createdAt: r.createdAt.toISOString(),
      updatedAt: r.updatedAt.toISOString(),
      submittedAt: timeOf(r.submittedAt),
      succeededAt: timeOf(r.succeededAt),
      failedAt: timeOf(r.failedAt),
      canceledAt: timeOf(r.canceledAt),
    },
    r,
  );

const timeOf = (time: Date | null): string | null => time?.toISOString() ?? null;

/** One row of the timeline as JSON. In the timeline of a whole recharge, each row names its transaction. */
export const timelineBody = ({ at, transactionId, kind, detail }: TimelineRow, isWhole: boolean) => ({
  at,
  kind,
  ...(isWhole && { transactionId }),
  ...detail,
});

/** A refund has no source: it goes back the way that its original came. */
const noSources: OwnSources = { raw: () => undefined };

/** A refund as JSON. */
export const refundBody = (refund: RefundView) => ({
  ...rechargeBody(refund, noSources),
  kind: 'refund',
  refundOf: refund.refundOf,
  reason: refund.reason,
});
