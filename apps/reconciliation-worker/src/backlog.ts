import type { Domain } from '@replenish/domain';
import { type Frame, Gauge } from '@replenish/runtime';

/**
 * Gauges that are read from the database at each scrape, so they are correct even after a restart. If the database is
 * down, the metrics are missing, and an alert can detect that.
 */
export function watchBacklog(registry: Frame['registry'], reads: Domain['reads'], slaMs: number): void {
  new Gauge({
    name: 'replenish_pending_beyond_sla',
    help: `Unfinished recharges older than ${slaMs / 1_000} s.`,
    labelNames: ['provider'],
    registers: [registry],
    async collect() {
      const pending = await reads.pendingBeyond(slaMs).catch(() => []);
      this.reset();
      for (const { provider, count } of pending) this.set({ provider }, count);
    },
  });
  new Gauge({
    name: 'replenish_open_cases',
    help: 'Reconciliation cases that wait for a person.',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      const open = await reads.openCases().catch(() => []);
      this.reset();
      for (const { kind, count } of open) this.set({ kind }, count);
    },
  });
}
