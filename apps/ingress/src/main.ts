import { once } from 'node:events';
import { openDomain } from '@replenish/domain';
import { openProviders } from '@replenish/providers';
import { openQueues } from '@replenish/queues';
import { createFastServer, requireDatabaseUrl, runProcess } from '@replenish/runtime';
import { buildApp } from './app.js';
import { closeServer, serverLimits } from './server.js';

await runProcess('ingress', process.env, async ({ config, log, registry, health, opened }) => {
  const databaseUrl = requireDatabaseUrl(config);
  const domain = opened(
    'domain',
    openDomain({
      databaseUrl,
      poolMax: config.DATABASE_POOL_MAX,
      reconcileAfterMs: config.RECONCILE_AFTER_MS,
      providerTimeoutMs: config.PROVIDER_TIMEOUT_MS,
      onConnectionLost: (error) => log.warn({ err: error }, 'lost a database connection'),
    }),
    (it) => it.close(),
  );
  const providers = opened('providers', openProviders(config), (it) => it.close());
  const queues = opened(
    'queues',
    openQueues({ redisUrl: config.REDIS_URL, databaseUrl, log, providers: providers.names, registry }),
    (it) => it.close(),
  );
  health.add('database', () => domain.ping());
  health.add('queue', () => queues.ping());
  const app = buildApp({ domain, providers, queues, log, registry, health });
  const server = opened('server', createFastServer(app, serverLimits), closeServer);
  server.listen(config.INGRESS_PORT, config.INGRESS_HOST);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return `http://${config.INGRESS_HOST}:${port}`;
});
