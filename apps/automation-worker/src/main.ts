import {
  domainOptions,
  openBreakerReports,
  openProviderMetrics,
  queueOptions,
  runPlans,
} from '@replenish/assembly';
import { openDomain } from '@replenish/domain';
import { lanedProviders, openProviders, terminalDeclines } from '@replenish/providers';
import { openQueues } from '@replenish/queues';
import { runProcess } from '@replenish/runtime';
import { balanceReader } from './balance-reader.js';
import { looker, openDecisionCounter } from './looker.js';
import { watchWallets } from './wallets.js';

// The number of rules that are looked at once. One look is a few short statements, and at most one provider call.
const CONCURRENCY = 8;

await runProcess('automation-worker', process.env, async (frame) => {
  const { config, log, registry, health, opened } = frame;
  const domain = opened(
    'domain',
    openDomain({ ...domainOptions(frame), lanedProviders, lastingDeclines: terminalDeclines }),
    (it) => it.close(),
  );
  const metrics = openProviderMetrics(frame);
  const { breakers, rules } = domain;
  const onBreaker = openBreakerReports({ breakers, metrics, log });
  const providers = opened('providers', openProviders(config, { ...metrics, onBreaker }), (it) => it.close());
  const queues = opened('queues', openQueues(queueOptions(frame, providers.names)), (it) => it.close());
  const provider = (name: string, account: string) => providers.get(name, account);
  const look = looker({
    ...{ domain, providers, queues, log },
    readBalance: balanceReader({ watched: rules.watched, provider, log }),
    decisions: openDecisionCounter(registry),
  });
  const worker = queues.work('automation', look, { concurrency: CONCURRENCY });
  opened('wallets', watchWallets({ rules, queues, log }), (end) => end());
  opened('plans', runPlans({ domain, providers, queues, log }), (it) => it.close());
  health.add('database', () => domain.ping());
  health.add('queue', () => queues.ping());
  health.add('automation', async () => {
    if (worker.isStuck()) throw new Error('jobs wait and none was started');
  });
  return `rules look every ${config.RULE_LOOK_MS} ms, plans run, queues on ${queues.backend}`;
});
