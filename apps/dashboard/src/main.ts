import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { domainOptions, queueOptions } from '@replenish/assembly';
import { openDomain } from '@replenish/domain';
import { openProviders } from '@replenish/providers';
import { openQueues } from '@replenish/queues';
import { masterKeysOf, runProcess } from '@replenish/runtime';
import { openDashboard } from './dashboard.js';
import { openSingleSignOn } from './people/index.js';
import { requirePrivateLine } from './people/private-line.js';
import { openDepthGauge, openEvictionGauges } from './queues/depth-gauge.js';

const RETRY_MS = 1_000;

await runProcess('dashboard', process.env, async (frame) => {
  const { config, log, registry, health, opened } = frame;
  requirePrivateLine(config);
  const masterKeys = masterKeysOf(config);
  const domain = opened('domain', openDomain({ ...domainOptions(frame), masterKeys }), (it) => it.close());
  const providers = openProviders(config);
  await providers.close(); // only what the providers offer is needed here, and no calls are made
  const queues = opened('queues', openQueues({ ...queueOptions(frame, providers.names), poolMax: 2 }), (it) =>
    it.close(),
  );
  openDepthGauge(queues, registry);
  openEvictionGauges(queues, registry);
  health.add('queue', () => queues.ping());

  const { app, show } = openDashboard({
    ...{ domain, queues, names: providers.names, environment: config.NODE_ENV },
    accounts: providers.names.flatMap((provider) =>
      providers.accounts(provider).map((providerAccount) => ({ provider, providerAccount })),
    ),
    isRefunding: (name, account) => providers.raw(name, account)?.refunds !== undefined,
    cancels: (name, account) => providers.raw(name, account)?.cancels !== undefined,
    slaMs: 10 * config.RECONCILE_AFTER_MS,
    casesDueMs: config.CASES_DUE_MS,
    // The hint is not awaited. An approved recharge is due, so without the hint it is only sent later, by the next
    // sweep.
    onApproved: ({ id, provider }) => void queues.hint(`submission-${provider}`, [id]),
    log,
    signOn: openSingleSignOn(config),
    trustProxy: config.TRUST_PROXY?.split(',').map((one) => one.trim()) ?? false,
  });
  const server = opened('http', createServer(app), closeServer);
  server.headersTimeout = 10_000;
  server.requestTimeout = 15_000;
  server.maxConnections = 200;
  server.listen(config.DASHBOARD_PORT, config.DASHBOARD_HOST);
  await once(server, 'listening');

  const stopped = opened('board', new AbortController(), (it) => it.abort());
  void (async () => {
    while (!stopped.signal.aborted) {
      const boards = await queues.boards().catch(() => undefined);
      if (boards) return show(boards);
      await delay(RETRY_MS, undefined, { signal: stopped.signal }).catch(() => {});
    }
  })();
  const address = server.address() as { port: number };
  return `http://${config.DASHBOARD_HOST}:${address.port}`;
});

function closeServer(server: Server): Promise<unknown> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  return closed;
}
