import type { AgedRisk, Domain, EventBacklog, ProviderState, RecentWork } from '@replenish/domain';
import type { QueueDepth, Queues } from '@replenish/queues';

export type OverviewDeps = Readonly<{
  domain: Pick<Domain, 'console' | 'reads'>;
  queues: Pick<Queues, 'depth'>;
  /** A recharge that is unfinished for longer is late. */
  slaMs: number;
}>;

/** Everything that the overview shows, read at one time. */
export type Overview = Readonly<{
  risks: readonly AgedRisk[];
  work: RecentWork;
  late: readonly Readonly<{ provider: string; count: number }>[];
  cases: readonly Readonly<{ kind: string; count: number }>[];
  providers: ProviderState;
  backlog: EventBacklog;
  /** Null: the store of the queues does not answer. */
  depth: readonly QueueDepth[] | null;
}>;

// A page does not wait for queues that are away. The books are what counts.
const DEPTH_LIMIT_MS = 500;

export async function readOverview({ domain, queues, slaMs }: OverviewDeps): Promise<Overview> {
  const [risks, work, late, cases, providers, backlog, depth] = await Promise.all([
    domain.console.agedRisks(),
    domain.console.recentWork(),
    domain.reads.pendingBeyond(slaMs),
    domain.reads.openCases(),
    domain.console.providers(),
    domain.console.eventBacklog(),
    withinLimit(queues.depth(), DEPTH_LIMIT_MS),
  ]);
  return { risks, work, late, cases, providers, backlog, depth };
}

/** Null if the work fails or takes longer. */
async function withinLimit<T>(work: Promise<T>, limitMs: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, limitMs, null);
  });
  return Promise.race([work.catch(() => null), late]).finally(() => clearTimeout(timer));
}
