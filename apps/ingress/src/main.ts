import { once } from 'node:events';
import { domainOptions, openClockGauge, queueOptions } from '@replenish/assembly';
import { openDomain } from '@replenish/domain';
import { lanedProviders, openProviders } from '@replenish/providers';
import { openQueues } from '@replenish/queues';
import {
  placesIn,
  readTogether,
  requireDatabaseUrl,
  requireMasterKeys,
  runProcess,
} from '@replenish/runtime';
import { buildApp } from './app.js';
import { authSettings } from './auth/settings.js';
import { auditedNames } from './http/operation.js';
import { operations } from './openapi/operations.js';
import { openProtection } from './protection/protection.js';
import { addresses } from './server/addresses.js';
import { watchConnections } from './server/connections.js';
import { refuseDemoClient, refuseUnsafeConfiguration } from './server/production.js';
import { closeServer, createIngressServer } from './server/server.js';
import { tlsOptions } from './server/tls.js';

await runProcess('ingress', process.env, async (frame) => {
  const { config, log, registry, health, opened } = frame;
  const [tls, auth, masterKeys] = readTogether(
    () => tlsOptions(config),
    () => authSettings(config),
    () => requireMasterKeys(config),
    () => requireDatabaseUrl(config),
    () => refuseUnsafeConfiguration(config),
  );
  const domain = opened('domain', openDomain({ ...domainOptions(frame), lanedProviders, masterKeys }), (it) =>
    it.close(),
  );
  openClockGauge(registry, domain.reads);
  const providers = opened('providers', openProviders(config), (it) => it.close());
  const queues = opened('queues', openQueues(queueOptions(frame, providers.names)), (it) => it.close());
  health.add('database', () => domain.ping());
  health.add('queue', () => queues.ping());
  await refuseDemoClient(domain.clients, config);
  const protection = openProtection(frame, domain, auditedNames(operations));
  const stop = new AbortController();
  const app = buildApp({
    domain,
    providers,
    queues,
    log,
    registry,
    health,
    auth,
    callbackAllow: placesIn(config.CALLBACK_ALLOW),
    protection,
    stopping: stop.signal,
    ...addresses(config),
  });
  const wishes = { tls, keepAliveMs: config.KEEP_ALIVE_MS };
  const server = opened('server', createIngressServer(app, log, wishes), closeServer);
  watchConnections(server, { max: config.INGRESS_CONNECTIONS_MAX, registry });
  opened('long polls', stop, (it) => it.abort());
  server.listen(config.INGRESS_PORT, config.INGRESS_HOST);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return `${tls ? 'https' : 'http'}://${config.INGRESS_HOST}:${port}`;
});
