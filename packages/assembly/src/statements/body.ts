import type { Reconciled, ReconciliationRun, StatementDifference, StoredGap } from '@replenish/domain';

/** A run as the API and the command line show it. */
export const runBody = (run: ReconciliationRun) => ({
  runId: run.id,
  provider: run.provider,
  providerAccount: run.providerAccount,
  from: run.from,
  to: run.to,
  status: run.status,
  failure: run.failure,
  lines: run.linesRead,
  createdAt: run.createdAt,
  finishedAt: run.finishedAt,
});

/** A run with what it found. Amounts are minor units, and may exceed 2^53. */
export const reconciliationBody = (run: Reconciled) => ({
  ...runBody(run),
  matched: run.matched,
  outside: run.linesOutside,
  oursOnly: run.oursOnly.map(differenceBody),
  theirsOnly: run.theirsOnly.map(differenceBody),
  different: run.different.map(differenceBody),
  gaps: run.gaps.map(gapBody),
});

type MoneyInDetail = Readonly<{ amountMinor: string; currency: string }>;
type DifferenceDetail = Readonly<{
  money: MoneyInDetail;
  line?: string;
  at?: string;
  succeededAt?: string;
  orderId?: string | null;
  reference?: string | null;
  direction?: 'in' | 'out';
  ours?: MoneyInDetail & Readonly<{ state: string }>;
}>;

function differenceBody({ transactionId, detail }: StatementDifference) {
  const { money, line, at, succeededAt, orderId, reference, direction, ours } = detail as DifferenceDetail;
  const time = at ?? succeededAt;
  return {
    transactionId,
    line: line ?? null,
    at: time === undefined ? null : new Date(time),
    orderId: orderId ?? null,
    reference: reference ?? null,
    direction: direction ?? null,
    amount: BigInt(money.amountMinor),
    currency: money.currency,
    ours: ours ? { amount: BigInt(ours.amountMinor), currency: ours.currency, state: ours.state } : null,
  };
}

const gapBody = ({ afterLine, beforeLine, missingMinor, currency }: StoredGap) => ({
  afterLine,
  beforeLine,
  missing: missingMinor,
  currency,
});
