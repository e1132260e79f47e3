import { expect, test } from '@jest/globals';
import { createLogger, openRegistry } from '@replenish/runtime';
import { openClockGauge, openProviderMetrics } from '../src/index.js';

const log = createLogger('test', 'silent');

test('recharges that reach a final state are counted by it, and no other report is', async () => {
  const registry = openRegistry('test');
  const { onReported } = openProviderMetrics({ registry, log });
  const now = new Date();
  for (const [verdict, state] of [
    ['moved', 'PENDING_CONFIRMATION'],
    ['moved', 'SUCCEEDED'],
    ['stale', 'SUCCEEDED'],
    ['moved', 'FAILED'],
    ['moved', 'FAILED'],
    ['conflict', 'FAILED'],
    ['moved', 'CANCELED'],
  ] as const)
    onReported('stripe', { verdict, state, createdAt: now }, now);
  const text = await registry.getSingleMetricAsString('replenish_recharges_finished_total');
  expect(text.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
    'replenish_recharges_finished_total{provider="stripe",state="SUCCEEDED",process="test"} 1',
    'replenish_recharges_finished_total{provider="stripe",state="FAILED",process="test"} 2',
    'replenish_recharges_finished_total{provider="stripe",state="CANCELED",process="test"} 1',
  ]);
});

test('finished recharges of a provider are counted from zero on, so that the first ones are an increase', async () => {
  const registry = openRegistry('test');
  openProviderMetrics({ registry, log }).countFor(['stripe']);
  const text = await registry.getSingleMetricAsString('replenish_recharges_finished_total');
  expect(text).toContain('{provider="stripe",state="FAILED",process="test"} 0');
  expect(text.match(/} 0$/gm)).toHaveLength(3);
});

test('the difference of the clocks is in seconds, and missing while the database is away', async () => {
  const registry = openRegistry('test');
  let skewMs: number | null = -7_500;
  openClockGauge(registry, {
    clockSkewMs: async () => {
      if (skewMs === null) throw new Error('away');
      return skewMs;
    },
  });
  const value = async () => /^replenish_clock_skew_seconds\S* (\S+)$/m.exec(await registry.metrics())?.[1];
  expect(await value()).toBe('-7.5');
  skewMs = null;
  expect(await value()).toBeUndefined();
  skewMs = 0;
  expect(await value()).toBe('0');
});
