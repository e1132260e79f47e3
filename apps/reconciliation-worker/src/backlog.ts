import type { Domain } from '@replenish/domain';
import { type Frame, Gauge } from '@replenish/runtime';

/** Gauges that are read from the database whenever they are scraped, so that they are right after a restart too. */
export function watchBacklog(registry: Frame['registry'], reads: Domain['reads'], slaMs: number): void {
  new Gauge({
    name: 'replenish_pending_beyond_sla',
    help: `Unfinished recharges older than ${slaMs / 1_000} s.`,
    labelNames: ['provider'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { provider, count } of await reads.pendingBeyond(slaMs)) this.set({ provider }, count);
    },
  });
  new Gauge({
    name: 'replenish_open_cases',
    help: 'Reconciliation cases that wait for a person.',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { kind, count } of await reads.openCases()) this.set({ kind }, count);
    },
  });
}
