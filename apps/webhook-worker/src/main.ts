import {
  domainOptions,
  hintingDeliveries,
  openClockGauge,
  openProviderMetrics,
  queueOptions,
} from '@replenish/assembly';
import { openDomain } from '@replenish/domain';
import { lanedProviders, openProviders } from '@replenish/providers';
import { openQueues } from '@replenish/queues';
import { runProcess } from '@replenish/runtime';
import { openEventCounter, processor } from './processor.js';

// The number of events that are processed at the same time. An event needs only the database. A higher number would not
// make the database's batches larger.
const CONCURRENCY = 64;

await runProcess('webhook-worker', process.env, async (frame) => {
  const { config, log, registry, health, opened } = frame;
  const domain = opened('domain', openDomain({ ...domainOptions(frame), lanedProviders }), (it) =>
    it.close(),
  );
  openClockGauge(registry, domain.reads);
  const providers = opened('providers', openProviders(config), (it) => it.close());
  const queues = opened('queues', openQueues(queueOptions(frame, providers.names)), (it) => it.close());
  const metrics = openProviderMetrics(frame);
  metrics.countFor(providers.names);
  const deps = {
    domain: hintingDeliveries(domain, queues),
    providers,
    log,
    events: openEventCounter(registry),
    metrics,
    unmatchedAfterMs: Math.max(8_000, 2 * config.RECONCILE_AFTER_MS),
  };
  const worker = queues.work('webhooks', processor(deps), { concurrency: CONCURRENCY });
  health.add('database', () => domain.ping());
  health.add('queue', () => queues.ping());
  health.add('webhooks', async () => {
    if (worker.isStuck()) throw new Error('jobs wait and none was started');
  });
  return `processes provider events, queues on ${queues.backend}`;
});
