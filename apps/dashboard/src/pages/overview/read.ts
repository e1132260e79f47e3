import type { AgedRisk, Domain, EventBacklog, ProviderState, RecentWork } from '@replenish/domain';
import type { QueueDepth } from '@replenish/queues';
import type { DepthReader } from './depth.js';

export type OverviewDeps = Readonly<{
  domain: Pick<Domain, 'console' | 'reads'>;
  /** The jobs in the queues. Null: the store of the queues does not answer. */
  depth: DepthReader;
  /** A recharge that is unfinished for longer is late. */
  slaMs: number;
}>;

/** Everything that the overview shows, read at the same time. */
export type Overview = Readonly<{
  risks: readonly AgedRisk[];
  work: RecentWork;
  late: readonly Readonly<{ provider: string; count: number }>[];
  cases: readonly Readonly<{ kind: string; count: number }>[];
  providers: ProviderState;
  backlog: EventBacklog;
  /** The jobs in the queues. Null: the store of the queues does not answer. */
  depth: readonly QueueDepth[] | null;
}>;

export async function readOverview({ domain, depth, slaMs }: OverviewDeps): Promise<Overview> {
  const [risks, work, late, cases, providers, backlog, counted] = await Promise.all([
    domain.console.agedRisks(),
    domain.console.recentWork(),
    domain.reads.pendingBeyond(slaMs),
    domain.reads.openCases(),
    domain.console.providers(),
    domain.console.eventBacklog(),
    depth(),
  ]);
  return { risks, work, late, cases, providers, backlog, depth: counted };
}
