import type { Domain } from '@replenish/domain';
import { type Frame, Gauge, setOrRemove } from '@replenish/runtime';

/** The difference of the clocks, read at each scrape. If the database is down, the metric is missing. */
export function openClockGauge(
  registry: Frame['registry'],
  reads: Pick<Domain['reads'], 'clockSkewMs'>,
  now: () => number = Date.now,
): void {
  new Gauge({
    name: 'replenish_clock_skew_seconds',
    help: 'How far the clock of this process is ahead of the clock of the database. Below zero: behind it.',
    registers: [registry],
    async collect() {
      const skewMs = await reads.clockSkewMs(now).catch(() => null);
      setOrRemove(this, skewMs === null ? null : skewMs / 1_000);
    },
  });
}
