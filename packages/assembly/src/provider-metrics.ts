import { Counter, type Frame, Gauge, Histogram } from '@replenish/runtime';

export type ProviderMetrics = Readonly<{
  onCall: (call: {
    provider: string;
    account: string;
    operation: string;
    outcome: string;
    startedAt: Date;
    endedAt: Date;
  }) => void;
  onBreaker: (
    of: Readonly<{ provider: string; account: string }>,
    operation: string,
    state: 'closed' | 'half_open' | 'open',
  ) => void;
  /** Called when the code of a provider threw an error instead of returning an outcome. */
  onBug: (error: unknown) => void;
  /**
   * Receives the result of a report. If the report ended a recharge, it is counted. If it confirmed the recharge, the time
   * from creation to success is observed.
   */
  onReported: (provider: string, result: ReportOutcome, now: Date) => void;
  /**
   * Begins the counts of finished recharges of these providers at zero. Prometheus takes a first value of 15 for no increase,
   * so the first failures after a start would raise no alert.
   */
  countFor: (providers: readonly string[]) => void;
}>;

type ReportOutcome = Readonly<{ verdict: string; state: string | null; createdAt: Date | null }>;

const FINAL = new Set(['SUCCEEDED', 'FAILED', 'CANCELED']);

const breakerLevel = { closed: 0, half_open: 1, open: 2 } as const;

/** Metrics and log lines about provider calls, under the same names in every worker. */
export function openProviderMetrics({ registry, log }: Pick<Frame, 'registry' | 'log'>): ProviderMetrics {
  const calls = new Counter({
    name: 'replenish_provider_calls_total',
    help: 'Provider calls by outcome. Errors are unknown and not_executed.',
    labelNames: ['provider', 'account', 'operation', 'outcome'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'replenish_provider_call_duration_seconds',
    help: 'Time of one provider call.',
    labelNames: ['provider', 'account', 'operation'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const breaker = new Gauge({
    name: 'replenish_breaker_state',
    help: 'Circuit breaker: 0 closed, 1 half open, 2 open.',
    labelNames: ['provider', 'account', 'operation'],
    registers: [registry],
  });
  const confirmation = new Histogram({
    name: 'replenish_confirmation_seconds',
    help: 'Time from the creation of a recharge to its confirmed success.',
    labelNames: ['provider'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600],
    registers: [registry],
  });
  const finished = openFinished(registry);
  return {
    onCall: ({ provider, account, operation, outcome, startedAt, endedAt }) => {
      calls.inc({ provider, account, operation, outcome });
      duration.observe({ provider, account, operation }, (endedAt.getTime() - startedAt.getTime()) / 1_000);
    },
    onBreaker: ({ provider, account }, operation, state) =>
      breaker.set({ provider, account, operation }, breakerLevel[state]),
    countFor: (providers) => beginAtZero(finished, providers),
    onBug: (error) => log.error({ err: error }, 'a provider threw'),
    onReported: (provider, { verdict, state, createdAt }, now) => {
      if (verdict !== 'moved' || state === null) return;
      if (FINAL.has(state)) finished.inc({ provider, state });
      if (state !== 'SUCCEEDED' || createdAt === null) return;
      confirmation.observe({ provider }, (now.getTime() - createdAt.getTime()) / 1_000);
    },
  };
}

const openFinished = (registry: Frame['registry']) =>
  new Counter({
    name: 'replenish_recharges_finished_total',
    help: 'Recharges that reached a final state, by that state.',
    labelNames: ['provider', 'state'],
    registers: [registry],
  });

function beginAtZero(finished: ReturnType<typeof openFinished>, providers: readonly string[]): void {
  for (const provider of providers) for (const state of FINAL) finished.inc({ provider, state }, 0);
}
