import type { Queues } from '@replenish/queues';
import { type Frame, Gauge } from '@replenish/runtime';

/** Counted when it is scraped. A store that is away leaves a gap, which is what an alert should see. */
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
