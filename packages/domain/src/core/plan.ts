export const planStatuses = ['draft', 'waiting', 'running', 'paused', 'finished', 'canceled'] as const;
/** `waiting`: a second person has to approve it. `finished`: each line is final. */
export type PlanStatus = (typeof planStatuses)[number];

export type PlanVerb = 'start' | 'approve' | 'pause' | 'resume' | 'cancel';

type PlanMoves = Readonly<{
  /** The statuses that the verb changes. */
  from: readonly PlanStatus[];
  /** The statuses in which the verb has happened already, so that it changes nothing. */
  already: readonly PlanStatus[];
  to: PlanStatus;
}>;

/** Pausing and canceling stop the creation of recharges. They never stop a recharge that is created. */
export const planMoves: Readonly<Record<PlanVerb, PlanMoves>> = {
  start: { from: ['draft'], already: ['waiting', 'running', 'finished'], to: 'running' },
  approve: { from: ['waiting'], already: ['running'], to: 'running' },
  pause: { from: ['running'], already: ['paused'], to: 'paused' },
  resume: { from: ['paused'], already: ['running'], to: 'running' },
  cancel: { from: ['draft', 'waiting', 'running', 'paused'], already: ['canceled'], to: 'canceled' },
};

/** The idempotency key of a line's recharge. It contains spaces, so no client can send it. */
export const keyOfPlanLine = (planId: string, line: number): string => `plan ${planId} ${line}`;

/**
 * Why a line does not go to its payee at once, which is new. `under_way`: the small line of its account has not arrived
 * yet. `failed`: it is over, and nothing has arrived. `missing`: the account has no line as small as the canary.
 */
export type LineCanary = 'under_way' | 'failed' | 'missing';

type SmallLine = Readonly<{ accountId: string; amountMinor: bigint; destination: string | null }>;

/** The lines to new payees of accounts that have no line of at most the canary. None of them would go. */
export function linesWithoutCanary<Line extends SmallLine>(
  lines: readonly Line[],
  canaryMinor: bigint,
  newPayees: ReadonlySet<string>,
): Line[] {
  const concerned = lines.filter(
    ({ accountId, destination }) => destination !== 'wallet' && newPayees.has(accountId),
  );
  const small = new Set(
    concerned.filter(({ amountMinor }) => amountMinor <= canaryMinor).map(({ accountId }) => accountId),
  );
  return concerned.filter(({ accountId }) => !small.has(accountId));
}

/** The most lines of a plan. */
export const PLAN_LINES_MAX = 10_000;
