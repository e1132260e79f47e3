import { type Domain, type PruneAfter, StoreUnavailable } from '@replenish/domain';
import { Counter, type Frame, type Logger } from '@replenish/runtime';

export type MinuteDeps = Readonly<{
  domain: Pick<Domain, 'audit' | 'security' | 'prune'>;
  kept: PruneAfter;
  log: Logger;
  registry: Frame['registry'];
}>;

const MINUTE_MS = 60_000;

/**
 * What has to be looked after now and then: partitions for the months to come, clients whose recharges are unlike
 * themselves, and rows that are kept for a time only. Harmless in several workers at once. Returns what ends it.
 */
export function startMinuteTick(deps: MinuteDeps): () => void {
  const events = new Counter({
    name: 'replenish_security_events_total',
    help: 'What security rules saw, by rule: see docs/operations.md.',
    labelNames: ['rule'],
    registers: [deps.registry],
  });
  const run = () =>
    tick(deps, events).catch((error: unknown) => {
      const level = error instanceof StoreUnavailable ? 'warn' : 'error';
      deps.log[level]({ err: error }, 'the work of this minute was not done');
    });
  void run();
  const timer = setInterval(() => void run(), MINUTE_MS).unref();
  return () => clearInterval(timer);
}

async function tick({ domain, kept, log }: MinuteDeps, events: Counter<'rule'>): Promise<void> {
  const made = await domain.audit.ensurePartitions();
  if (made > 0) log.info({ made }, 'made partitions of the audit trail');
  for (const { rule, clientId, detail } of await domain.security.findOddities()) {
    events.inc({ rule });
    log.warn({ security: true, rule, clientId, detail }, 'security event');
  }
  const pruned = await domain.prune(kept);
  if (Object.values(pruned).some((count) => count > 0)) log.info(pruned, 'pruned');
}
