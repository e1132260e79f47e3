import type { Queues } from '@replenish/queues';
import { type Frame, Gauge } from '@replenish/runtime';

/** Counts the jobs at each scrape. If the store is down, the metric is missing, and an alert can detect that. */
export function openDepthGauge(queues: Queues, registry: Frame['registry']): void {
  new Gauge({
    name: 'replenish_queue_depth',
    help: 'Jobs in a queue, by state',
    labelNames: ['queue', 'state'],
    registers: [registry],
    async collect() {
      const depth = await queues.depth().catch(() => []);
      this.reset();
      for (const { queue, state, count } of depth) this.set({ queue, state }, count);
    },
  });
}
