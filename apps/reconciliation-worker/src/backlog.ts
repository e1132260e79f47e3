import type { Domain } from '@replenish/domain';
import { type Frame, Gauge, setOrRemove, sharedReading } from '@replenish/runtime';

/**
 * Gauges that are read from the database at each scrape, so they are correct even after a restart. If the database is
 * down, the metrics are missing, and an alert can detect that.
 */
export function watchBacklog(registry: Frame['registry'], reads: Domain['reads'], slaMs: number): void {
  watchWebhooks(registry, reads);
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

/** Gauges of stored webhooks that wait for the webhook-worker. Both come from one reading. */
function watchWebhooks(registry: Frame['registry'], reads: Pick<Domain['reads'], 'webhookBacklog'>): void {
  const backlog = sharedReading(() => reads.webhookBacklog());
  new Gauge({
    name: 'replenish_webhook_backlog_oldest_seconds',
    help: 'Age of the oldest stored webhook that was not processed. 0: none waits.',
    registers: [registry],
    async collect() {
      setOrRemove(this, (await backlog())?.oldestSeconds ?? null);
    },
  });
  new Gauge({
    name: 'replenish_webhook_backlog',
    help: 'Stored webhooks that were not processed, 1,500 at most. Those with a case are not counted.',
    registers: [registry],
    async collect() {
      setOrRemove(this, (await backlog())?.count ?? null);
    },
  });
}

/**
 * Gauges of what unfinished recharges wait for, by the reasons that clients see. Both come from one reading, so they
 * agree with each other.
 */
export function watchWaiting(registry: Frame['registry'], reads: Pick<Domain['reads'], 'waitingSums'>): void {
  let reading: ReturnType<typeof reads.waitingSums> | null = null;
  const sums = () => {
    // A registry collects its gauges at the same time.
    reading ??= reads
      .waitingSums()
      .catch(() => [])
      .finally(() => {
        reading = null;
      });
    return reading;
  };
  new Gauge({
    name: 'replenish_waiting',
    help: 'Unfinished recharges by what they wait for.',
    labelNames: ['reason'],
    registers: [registry],
    async collect() {
      const found = await sums();
      this.reset();
      for (const { reason, count } of found) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: 'replenish_money_at_risk',
    help: 'Amounts of unfinished recharges by what they wait for, in minor units.',
    labelNames: ['reason', 'currency'],
    registers: [registry],
    async collect() {
      const found = await sums();
      this.reset();
      for (const { reason, currency, amountMinor } of found)
        this.set({ reason, currency }, Number(amountMinor));
    },
  });
}

/** Gauges of the money of our accounts at providers, and of the recharges that wait for it. */
export function watchPools(registry: Frame['registry'], pools: Domain['pools']): void {
  new Gauge({
    name: 'replenish_pool_transferable_minor',
    help: 'Money of our account at a provider as last read, in minor units.',
    labelNames: ['provider', 'account', 'currency'],
    registers: [registry],
    async collect() {
      const levels = await pools.levels().catch(() => []);
      this.reset();
      for (const { provider, providerAccount: account, currency, transferableMinor } of levels)
        this.set({ provider, account, currency }, Number(transferableMinor));
    },
  });
  new Gauge({
    name: 'replenish_waiting_source_funds',
    help: 'Recharges that wait for money on our account at the provider.',
    labelNames: ['provider'],
    registers: [registry],
    async collect() {
      const waiting = await pools.waiting().catch(() => []);
      this.reset();
      for (const { provider, count } of waiting) this.set({ provider }, count);
    },
  });
}
