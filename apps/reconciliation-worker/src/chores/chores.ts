import { POOL_EVERY_MS } from '@replenish/assembly';
import { type Domain, type PruneAfter, StoreUnavailable } from '@replenish/domain';
import { Counter, type Frame, Gauge, type Logger } from '@replenish/runtime';

/** Work that is repeated at an interval. Several workers may run it at the same time. */
export type Chore = Readonly<{ name: string; everyMs: number; run: () => Promise<void> }>;

const MINUTE_MS = 60_000;
const SEAL_EVERY_MS = 5_000;

type ChoreParts = Readonly<{
  domain: Pick<Domain, 'audit' | 'security' | 'prune' | 'chain' | 'takeSnapshots'>;
  /** The ages at which old rows are deleted. */
  pruneAfter: PruneAfter;
  /** Reads of the money of our accounts at providers. */
  readPools?: readonly (() => Promise<void>)[];
  log: Logger;
  registry: Frame['registry'];
}>;

/** All chores of the reconciliation worker. Add a new chore here. */
export function choresOf({ domain, pruneAfter, readPools = [], log, registry }: ChoreParts): Chore[] {
  const events = new Counter({
    name: 'replenish_security_events_total',
    help: 'What security rules saw, by rule: see docs/operations.md.',
    labelNames: ['rule'],
    registers: [registry],
  });
  return [
    ...readPools.map((run) => ({ name: 'pools', everyMs: POOL_EVERY_MS, run })),
    sealing(domain, registry),
    { name: 'snapshots', everyMs: MINUTE_MS, run: async () => void (await domain.takeSnapshots()) },
    {
      name: 'audit partitions',
      everyMs: MINUTE_MS,
      run: async () => {
        const made = await domain.audit.ensurePartitions();
        if (made > 0) log.info({ made }, 'made partitions of the audit trail');
      },
    },
    {
      name: 'security',
      everyMs: MINUTE_MS,
      run: async () => {
        for (const { rule, clientId, detail } of await domain.security.findAnomalies()) {
          events.inc({ rule });
          log.warn({ security: true, rule, clientId, detail }, 'security event');
        }
      },
    },
    {
      name: 'prune',
      everyMs: MINUTE_MS,
      run: async () => {
        const pruned = await domain.prune(pruneAfter);
        if (Object.values(pruned).some((count) => count > 0)) log.info(pruned, 'pruned');
      },
    },
  ];
}

function sealing({ chain }: Pick<Domain, 'chain'>, registry: Frame['registry']): Chore {
  const unsealed = new Gauge({
    name: 'replenish_chain_unsealed',
    help: 'Rows of the books that are not in the chain of hashes yet, 1,000 at most.',
    registers: [registry],
  });
  const sealedAt = new Gauge({
    name: 'replenish_chain_sealed_timestamp_seconds',
    help: 'When the sealer of the chain last ended without a failure, in seconds of Unix time.',
    registers: [registry],
  });
  const run = async (): Promise<void> => {
    await chain.seal();
    unsealed.set((await chain.head()).unsealed);
    sealedAt.setToCurrentTime();
  };
  return { name: 'chain', everyMs: SEAL_EVERY_MS, run };
}

/**
 * Runs each chore immediately and then every `everyMs`. Runs of a chore do not overlap. A failed run is logged, and the
 * chore runs again at its next time.
 */
export function startChores(chores: readonly Chore[], log: Logger): () => void {
  const timers = chores.map((chore) => {
    let isRunning = false;
    const run = async () => {
      if (isRunning) return;
      isRunning = true;
      await chore.run().catch((error: unknown) => {
        const level = error instanceof StoreUnavailable ? 'warn' : 'error';
        log[level]({ err: error, chore: chore.name }, 'a chore failed; it comes again');
      });
      isRunning = false;
    };
    void run();
    return setInterval(() => void run(), chore.everyMs).unref();
  });
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
