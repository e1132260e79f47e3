import type { DeliveryView, LeftWaiting, ProviderDown, RechargeView, WaitingReason } from '@replenish/domain';
import { isFinal, type Unfinished, waitingReasonOf, waitingReasonOfDelivery } from '@replenish/domain/rules';

/** What an unfinished recharge waits for, as JSON. */
export type WaitingBody = Readonly<{
  reason: WaitingReason;
  since: string;
  until: string | null;
  detail: string;
  caseId?: string;
  /** The delivery, if the reason is one of the delivery and not of the collect. */
  transactionId?: string;
}>;

/** The facts that the reason follows from, of a recharge or of its delivery. Times are ISO 8601. */
type Facts = Readonly<{
  note: LeftWaiting | null;
  down: ProviderDown | null;
  caseId: string | null;
  dueAt: string | null;
  updatedAt: string;
  payUntil: string | null;
}>;

/** Null when the whole recharge is final. */
export function waitingBody(r: RechargeView): WaitingBody | null {
  const { delivery } = r;
  if (r.state === 'SUCCEEDED' && delivery) return ofDelivery(delivery);
  if (isFinal(r.state)) return null;
  const reason = waitingReasonOf(unfinished(r, r.action !== null));
  return (
    reason &&
    bodyOf(reason, {
      note: r.waiting,
      down: r.providerDown,
      caseId: r.caseId,
      dueAt: r.dueAt?.toISOString() ?? null,
      updatedAt: r.updatedAt.toISOString(),
      payUntil: r.action?.expiresAt ?? r.payableUntil?.toISOString() ?? null,
    })
  );
}

function ofDelivery(delivery: DeliveryView): WaitingBody | null {
  const reason = waitingReasonOfDelivery(unfinished(delivery, false));
  if (reason === null) return null;
  return {
    ...bodyOf(reason, { ...delivery, note: delivery.waiting, down: delivery.providerDown, payUntil: null }),
    transactionId: delivery.id,
  };
}

/** Each field by its name, because a copy of all 40 fields of a recharge takes longer than the rest of its body. */
const unfinished = (r: RechargeView | DeliveryView, hasAction: boolean): Unfinished => ({
  state: r.state,
  confirmation: r.confirmation,
  nextStep: r.nextStep,
  waiting: r.waiting,
  hasAction,
  openCases: r.openCases,
  isProviderDown: r.providerDown !== null,
});

function bodyOf(reason: WaitingReason, facts: Facts): WaitingBody {
  const { caseId } = facts;
  const note = facts.note?.reason === reason ? facts.note : null;
  const body = {
    reason,
    since: sinceOf(reason, facts),
    until: untilOf[reason]?.(facts) ?? null,
    detail: note?.reason === 'PROOF' ? proofDetail(note) : details[reason],
  };
  return reason === 'PERSON' && caseId !== null ? { ...body, caseId } : body;
}

function sinceOf(reason: WaitingReason, { note, down, updatedAt }: Facts): string {
  if (reason === 'PROVIDER_DOWN' && down) return down.since > updatedAt ? down.since : updatedAt;
  return note?.reason === reason ? new Date(note.since).toISOString() : updatedAt;
}

const untilOf: Partial<Record<WaitingReason, (facts: Facts) => string | null>> = {
  APPROVAL: ({ dueAt }) => dueAt,
  ANSWER: ({ dueAt }) => dueAt,
  PAYER: ({ payUntil }) => payUntil,
  PROVIDER_DOWN: ({ down }) => down?.until ?? null,
  PROOF: ({ note }) => (note?.reason === 'PROOF' ? note.notBefore : null),
};

const proofDetail = ({ done, needed }: Extract<LeftWaiting, { reason: 'PROOF' }>): string =>
  `It is being proven that the provider does not have the order, before it is sent again: ${done} of ${needed} searches have found nothing.`;

const details: Record<WaitingReason, string> = {
  QUEUE: 'It will be sent to the provider in a moment.',
  PROVIDER: 'The provider has the order and has not settled it.',
  ANSWER: 'It is not known what became of the order. The provider is being asked.',
  PROOF: 'It is being proven that the provider does not have the order, before it is sent again.',
  PAYER: 'Somebody has to pay: see action.',
  PROVIDER_DOWN: 'The provider does not answer. It is tried again at the time in until.',
  SOURCE_FUNDS: 'The account that pays does not hold enough at the provider.',
  LANE: 'Another transfer between the same two accounts is under way.',
  DELIVERY: 'The money is collected, and its delivery is being taken up.',
  APPROVAL: 'A second person has to approve it.',
  PERSON: 'A case is open, and a person has to decide.',
};
