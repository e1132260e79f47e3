import type { RechargeView, State, TimelineRow } from '@replenish/domain';

/** What a producer is told a state means. */
export const statusOf: Record<State, 'accepted' | 'in_progress' | 'succeeded' | 'failed' | 'canceled'> = {
  CREATED: 'accepted',
  SUBMITTED: 'in_progress',
  PENDING_CONFIRMATION: 'in_progress',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELED: 'canceled',
};

const messageOf: Record<State, string> = {
  CREATED: 'Accepted; it will be sent to the provider.',
  SUBMITTED: 'Sent to the provider.',
  PENDING_CONFIRMATION: 'Waiting for the provider to confirm.',
  SUCCEEDED: 'The recharge succeeded.',
  FAILED: 'The recharge failed; the account was not credited.',
  CANCELED: 'The recharge was canceled; the account was not credited.',
};

/** The recharge as JSON. Amounts are safe integers: the intake takes none above 2^53 - 1. */
export const rechargeBody = (r: RechargeView) => ({
  transactionId: r.id,
  status: statusOf[r.state],
  state: r.state,
  accountId: r.accountId,
  amount: Number(r.amountMinor),
  currency: r.currency,
  paymentMethod: r.paymentMethod,
  provider: r.provider,
  providerOrderId: r.providerOrderId,
  externalReference: r.providerOrderId,
  orderReference: r.orderReference,
  message: messageOf[r.state],
  failure: r.failureCode === null ? null : { code: r.failureCode, message: r.failureMessage ?? '' },
  metadata: r.metadata,
  createdAt: r.createdAt,
  updatedAt: r.updatedAt,
  submittedAt: r.submittedAt,
  succeededAt: r.succeededAt,
  failedAt: r.failedAt,
  canceledAt: r.canceledAt,
});

/** One thing that happened. */
export const timelineBody = ({ at, kind, detail }: TimelineRow) => ({ at, kind, ...detail });
