import { openDomain } from '@replenish/domain';
import { openProviders } from '@replenish/providers';
import { openQueues } from '@replenish/queues';
import {
  newId,
  openProviderMetrics,
  requireDatabaseUrl,
  requireProviders,
  runProcess,
} from '@replenish/runtime';
import { openClaimCounter, submitter } from './submitter.js';

await runProcess('submission-worker', process.env, async ({ config, log, registry, health, opened }) => {
  const databaseUrl = requireDatabaseUrl(config);
  const domain = opened(
    'domain',
    openDomain({
      databaseUrl,
      poolMax: config.DATABASE_POOL_MAX,
      reconcileAfterMs: config.RECONCILE_AFTER_MS,
      providerTimeoutMs: config.PROVIDER_TIMEOUT_MS,
      newId,
      onConnectionLost: (error) => log.warn({ err: error }, 'lost a database connection'),
    }),
    (it) => it.close(),
  );
  const metrics = openProviderMetrics(registry);
  const providers = opened(
    'providers',
    openProviders(config, {
      onCall: metrics.onCall,
      onBreaker: metrics.onBreaker,
      onBug: (error) => log.error({ err: error }, 'a provider threw'),
    }),
    (it) => it.close(),
  );
  const queues = opened(
    'queues',
    openQueues({ redisUrl: config.REDIS_URL, databaseUrl, log, providers: providers.names, registry }),
    (it) => it.close(),
  );
  const claims = openClaimCounter(registry);
  for (const name of requireProviders(providers.names)) {
    const deps = {
      domain,
      provider: providers.get(name)!,
      publicUrl: config.PUBLIC_URL,
      log,
      claims,
      metrics,
    };
    const worker = queues.work(`submission-${name}`, submitter(deps), {
      concurrency: config.PROVIDER_CONCURRENCY,
    });
    health.add(`submission-${name}`, async () => {
      if (worker.isStuck()) throw new Error('jobs wait and none was started');
    });
  }
  health.add('database', () => domain.ping());
  health.add('queue', () => queues.ping());
  return `submits to ${providers.names.join(', ')}, queues on ${queues.backend}`;
});
