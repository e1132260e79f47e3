import type { PlanLineStatus, PlanLineView, PlanProgress, PlanView } from '@replenish/domain';

/** A plan as JSON. Sums are bigints, because they can exceed 2^53. */
export const planBody = (plan: PlanView) => ({
  planId: plan.id,
  name: plan.name,
  status: plan.status,
  currency: plan.currency,
  lines: plan.lines,
  total: plan.totalMinor,
  budget: plan.budgetMinor,
  canary: plan.canaryMinor,
  pausedBecause: plan.pausedBecause,
  createdAt: plan.createdAt.toISOString(),
  startedAt: plan.startedAt?.toISOString() ?? null,
  finishedAt: plan.finishedAt?.toISOString() ?? null,
});

const UNDER_WAY: readonly PlanLineStatus[] = ['accepted', 'in_progress'];

/** A plan with its progress, as JSON. */
export function progressBody({ sums, ...plan }: PlanProgress) {
  const known = sums.filter(({ status }) => status !== 'not_started');
  const of = (...statuses: readonly PlanLineStatus[]) => {
    const some = known.filter(({ status }) => statuses.includes(status));
    return {
      lines: some.reduce((sum, one) => sum + one.lines, 0),
      amount: some.reduce((sum, one) => sum + one.amountMinor, 0n),
    };
  };
  const [succeeded, failed, canceled] = [of('succeeded'), of('failed'), of('canceled')];
  const [inProgress, all] = [of(...UNDER_WAY), of(...known.map(({ status }) => status))];
  return {
    ...planBody(plan),
    done: succeeded.lines + failed.lines + canceled.lines,
    succeeded: succeeded.lines,
    failed: failed.lines,
    canceled: canceled.lines,
    inProgress: inProgress.lines,
    notStarted: plan.lines - all.lines,
    amounts: {
      succeeded: succeeded.amount,
      failed: failed.amount,
      canceled: canceled.amount,
      inProgress: inProgress.amount,
      notStarted: plan.totalMinor - all.amount,
    },
  };
}

/** A line as JSON. */
export const lineBody = (row: PlanLineView, currency: string) => ({
  line: row.line,
  accountId: row.accountId,
  amount: Number(row.amountMinor),
  currency,
  paymentMethod: row.paymentMethod,
  destination: row.destination,
  orderReference: row.orderReference,
  providerAccount: row.providerAccount,
  status: row.status,
  transactionId: row.transactionId,
  heldBecause: row.isHeld ? 'CANARY' : null,
  failure: row.failureCode === null ? null : { code: row.failureCode, message: row.failureMessage ?? '' },
});
