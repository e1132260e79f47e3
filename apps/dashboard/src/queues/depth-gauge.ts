import type { Queues } from '@replenish/queues';
import { type Frame, Gauge, setOrRemove, sharedReading } from '@replenish/runtime';

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

/**
 * Gauges that show whether Redis may evict jobs, both from one reading. With queues on Postgres there are no such
 * gauges.
 */
export function openEvictionGauges(queues: Pick<Queues, 'eviction'>, registry: Frame['registry']): void {
  const eviction = sharedReading(() => queues.eviction());
  new Gauge({
    name: 'replenish_queue_store_evicted_keys',
    help: 'Keys that Redis has thrown away since its start, because its memory was full.',
    registers: [registry],
    async collect() {
      setOrRemove(this, (await eviction())?.evictedKeys ?? null);
    },
  });
  new Gauge({
    name: 'replenish_queue_store_may_evict',
    help: '1 if the maxmemory-policy of Redis is not noeviction: it may throw jobs away.',
    registers: [registry],
    async collect() {
      const mayEvict = (await eviction())?.mayEvict ?? null;
      setOrRemove(this, mayEvict === null ? null : Number(mayEvict));
    },
  });
}
