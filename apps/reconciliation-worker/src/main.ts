import {
  domainOptions,
  hintingDeliveries,
  openBreakerReports,
  openClockGauge,
  openPoolReader,
  openProviderMetrics,
  openRecovery,
  queueOptions,
} from '@replenish/assembly';
import { type Domain, openDomain, type PruneAfter } from '@replenish/domain';
import { lanedProviders, openProviders, type Providers } from '@replenish/providers';
import { openQueues, type Queues } from '@replenish/queues';
import { type Config, type Frame, requireProviders, runProcess } from '@replenish/runtime';
import { asker } from './asker.js';
import { watchBacklog, watchPools, watchWaiting } from './backlog.js';
import { bulkChore } from './chores/bulk.js';
import { type Chore, choresOf, startChores } from './chores/chores.js';
import { statementChores, watchStatements } from './chores/statements.js';
import { sweeper } from './sweep/sweeper.js';
import { startSweeping } from './sweep/sweeping.js';

await runProcess('reconciliation-worker', process.env, async (frame) => {
  const { config, log, registry, health, opened } = frame;
  const domain = opened('domain', openDomain({ ...domainOptions(frame), lanedProviders }), (it) =>
    it.close(),
  );
  const metrics = openProviderMetrics(frame);
  const { breakers } = domain;
  const onBreaker = openBreakerReports({ breakers, metrics, log });
  const onAnswersAgain = openRecovery({
    log,
    pullForward: domain.pullForward,
    onDue: () => sweeping.hurry(),
  });
  const providers = opened(
    'providers',
    openProviders(config, { ...metrics, onBreaker, onAnswersAgain }),
    (it) => it.close(),
  );
  metrics.countFor(providers.names);
  const queues = opened('queues', openQueues(queueOptions(frame, providers.names)), (it) => it.close());
  opened('chores', startChores(allChores(frame, { domain, providers, queues }), log), (end) => end());
  watchBacklog(registry, domain.reads, 10 * config.RECONCILE_AFTER_MS);
  watchPools(registry, domain.pools);
  watchWaiting(registry, domain.reads);
  openClockGauge(registry, domain.reads);
  for (const name of requireProviders(providers.names)) {
    const ask = asker({
      domain: hintingDeliveries(domain, queues),
      queues,
      accounts: accountsOf(providers, name),
      log,
      metrics,
    });
    const worker = queues.work(`reconciliation-${name}`, ask, { concurrency: config.PROVIDER_CONCURRENCY });
    health.add(`reconciliation-${name}`, async () => {
      if (worker.isStuck()) throw new Error('jobs wait and none was started');
    });
  }
  const sweep = sweeper({ domain, queues, providers: providers.names, log });
  const everyMs = config.RECONCILE_PERIOD_MS;
  const sweeping = opened('sweeping', startSweeping({ sweep, everyMs, log, registry }), (it) => it.close());
  health.add('sweep', async () => sweeping.check());
  health.add('database', () => domain.ping());
  health.add('queue', () => queues.ping());
  return `sweeps every ${config.RECONCILE_PERIOD_MS} ms, asks after ${config.RECONCILE_AFTER_MS} ms of silence`;
});

type ChoreDeps = Readonly<{ domain: Domain; providers: Providers; queues: Queues }>;

function allChores(frame: Frame, { domain, providers, queues }: ChoreDeps): Chore[] {
  const { config, log, registry } = frame;
  const readPools = poolReadersOf(frame, domain, providers);
  const isRefunding = (name: string, account: string): boolean =>
    providers.raw(name, account)?.refunds !== undefined;
  return [
    ...choresOf({ domain, pruneAfter: pruneAfterOf(config), readPools, log, registry }),
    ...statementChoresOf(frame, domain, providers),
    bulkChore({ domain, queues, isRefunding, log }),
  ];
}

function poolReadersOf({ log }: Frame, { pools }: Domain, all: Providers): (() => Promise<void>)[] {
  return all.all().flatMap((provider) => openPoolReader({ pools, provider, log }) ?? []);
}

function statementChoresOf({ config, log, registry }: Frame, { reconciliations }: Domain, all: Providers) {
  watchStatements(registry, reconciliations);
  return statementChores({
    reconciliations,
    accounts: all.all(),
    dailyAfterMs: config.STATEMENTS === 'daily' ? config.STATEMENTS_AFTER_MS : null,
    log,
  });
}

function accountsOf(providers: Providers, provider: string) {
  return providers.all().filter(({ name }) => name === provider);
}

function pruneAfterOf(config: Config): PruneAfter {
  return {
    webhookBodiesDays: config.WEBHOOK_BODIES_KEPT_DAYS,
    securityEventsDays: config.SECURITY_EVENTS_KEPT_DAYS,
    looksDays: config.RULE_LOOKS_KEPT_DAYS,
    callbacksDays: config.CALLBACKS_KEPT_DAYS,
  };
}
