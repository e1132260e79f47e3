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
import { openDomain } from '@replenish/domain';
import { type GuardedProvider, lanedProviders, openProviders } from '@replenish/providers';
import { openQueues } from '@replenish/queues';
import { requireProviders, runProcess } from '@replenish/runtime';
import { byAccount, type Submit } from './by-account.js';
import { openClaimCounter, submitter } from './submitter.js';

await runProcess('submission-worker', process.env, async (frame) => {
  const { config, log, registry, health, opened } = frame;
  const domain = opened('domain', openDomain({ ...domainOptions(frame), lanedProviders }), (it) =>
    it.close(),
  );
  openClockGauge(registry, domain.reads);
  const metrics = openProviderMetrics(frame);
  const { breakers } = domain;
  const onBreaker = openBreakerReports({ breakers, metrics, log });
  const onAnswersAgain = openRecovery({ log, pullForward: domain.pullForward });
  const providers = opened(
    'providers',
    openProviders(config, { ...metrics, onBreaker, onAnswersAgain }),
    (it) => it.close(),
  );
  metrics.countFor(providers.names);
  const queues = opened('queues', openQueues(queueOptions(frame, providers.names)), (it) => it.close());
  const claims = openClaimCounter(registry);
  const submitterOf = (provider: GuardedProvider): Submit => {
    const readPool = openPoolReader({ pools: domain.pools, provider, log });
    return submitter({
      domain: hintingDeliveries(domain, queues),
      provider,
      publicUrl: config.PUBLIC_URL,
      log,
      claims,
      metrics,
      // If this read fails, the next one of the schedule follows.
      onSourceFunds: () =>
        void readPool?.().catch((error: unknown) => log.warn({ err: error }, 'no pool was read')),
    });
  };
  const accountOf = async (id: string) => (await domain.reads.outstanding(id))?.providerAccount ?? null;
  for (const name of requireProviders(providers.names)) {
    const accounts = providers.all().filter((one) => one.name === name);
    const submits = new Map(accounts.map((one) => [one.account, submitterOf(one)]));
    const worker = queues.work(`submission-${name}`, byAccount(submits, accountOf), {
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
