import type { PlanLineStatus, PlanProgress } from '@replenish/domain';

const BAR_WIDTH = 30;
const FINAL: readonly PlanLineStatus[] = ['succeeded', 'failed', 'canceled'];

const countOf = ({ sums }: PlanProgress, ...statuses: readonly PlanLineStatus[]): number =>
  sums.reduce((sum, { status, lines }) => sum + (statuses.includes(status) ? lines : 0), 0);

/** How far a plan is, in one line: `[#####-----] 512 of 1000 lines, 3 failed`. */
export function barOf(plan: PlanProgress): string {
  const done = countOf(plan, ...FINAL);
  const filled = Math.floor((BAR_WIDTH * done) / plan.lines);
  const failed = countOf(plan, 'failed');
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${done} of ${plan.lines} lines${failed > 0 ? `, ${failed} failed` : ''}`;
}

export function linesOf(plan: PlanProgress): string {
  const sums = Object.fromEntries(
    plan.sums.map(({ status, lines, amountMinor }) => [
      status,
      `${lines} lines, ${amountMinor} ${plan.currency}`,
    ]),
  );
  return Object.entries({
    ...{ plan: plan.id, name: plan.name, status: plan.status },
    ...{ lines: String(plan.lines), total: `${plan.totalMinor} ${plan.currency}` },
    ...(plan.budgetMinor !== null && { budget: `${plan.budgetMinor} ${plan.currency}` }),
    ...(plan.canaryMinor !== null && { canary: `${plan.canaryMinor} ${plan.currency}` }),
    ...(plan.pausedBecause !== null && { because: plan.pausedBecause }),
    ...sums,
    progress: barOf(plan),
  })
    .map(([name, value]) => `${name.padEnd(12)} ${value.replace(/\p{Cc}/gu, ' ')}`)
    .join('\n');
}

/** A plan as JSON, in the form of the API. */
export const asJson = (plan: PlanProgress): string =>
  JSON.stringify({
    ...{ planId: plan.id, name: plan.name, status: plan.status, currency: plan.currency },
    ...{ lines: plan.lines, total: Number(plan.totalMinor) },
    budget: plan.budgetMinor === null ? null : Number(plan.budgetMinor),
    canary: plan.canaryMinor === null ? null : Number(plan.canaryMinor),
    done: countOf(plan, ...FINAL),
    succeeded: countOf(plan, 'succeeded'),
    failed: countOf(plan, 'failed'),
    canceled: countOf(plan, 'canceled'),
    inProgress: countOf(plan, 'accepted', 'in_progress'),
    notStarted: countOf(plan, 'not_started'),
    pausedBecause: plan.pausedBecause,
  });
