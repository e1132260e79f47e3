import { domainOptions, queueOptions } from '@replenish/assembly';
import { CALLBACK_SCHEDULE_MS, openDomain } from '@replenish/domain';
import { openProviders } from '@replenish/providers';
import { openQueues } from '@replenish/queues';
import {
  placesIn,
  readTogether,
  requireDatabaseUrl,
  requireMasterKeys,
  runProcess,
} from '@replenish/runtime';
import { drainer } from './drain.js';
import { openCallbackCounter, watchCallbacks } from './metrics.js';
import { openChannels } from './notices/channels.js';
import { keepOpen, openNoticeCounter, teller } from './notices/tell.js';
import { poster } from './post.js';
import { startPump } from './pump.js';

// The number of receivers that are worked on at the same time. A receiver that answers takes some ten milliseconds per
// event. Receivers that fail or answer late have a queue of their own, so they do not delay the others.
const CONCURRENCY = 128;
const SLOW_CONCURRENCY = 128;

await runProcess('callback-worker', process.env, async (frame) => {
  const { config, log, registry, health, opened } = frame;
  const [, masterKeys] = readTogether(
    () => requireDatabaseUrl(config),
    () => requireMasterKeys(config),
  );
  const domain = opened('domain', openDomain({ ...domainOptions(frame), masterKeys }), (it) => it.close());
  const providers = opened('providers', openProviders(config), (it) => it.close());
  const queues = opened('queues', openQueues(queueOptions(frame, providers.names)), (it) => it.close());
  const post = poster({
    allowed: placesIn(config.CALLBACK_ALLOW),
    timeoutMs: config.CALLBACK_TIMEOUT_MS,
    proxyUrl: config.CALLBACK_PROXY,
  });
  const stop = new AbortController();
  const drain = drainer({
    ...{ callbacks: domain.callbacks, reads: domain.reads, post },
    schedule: config.CALLBACK_SCHEDULE_MS ?? CALLBACK_SCHEDULE_MS,
    timeoutMs: config.CALLBACK_TIMEOUT_MS,
    providers,
    isRefunding: (name, account) => providers.raw(name, account)?.refunds !== undefined,
    stopping: stop.signal,
    random: Math.random,
    counter: openCallbackCounter(registry),
    log,
  });
  const channels = openChannels(config);
  const tell = teller({
    ...{ notices: domain.notices, channels, log, everyMs: config.NOTIFY_EVERY_MS },
    consoleUrl: config.CONSOLE_URL,
    counter: openNoticeCounter(registry),
  });
  opened('channels', keepOpen({ notices: domain.notices, channels, log }), (end) => end());
  const workers = [
    queues.work('notices', tell, { concurrency: 1, stuckAfterMs: 120_000 }),
    queues.work('callbacks', drain, { concurrency: CONCURRENCY }),
    queues.work('callbacks-slow', drain, { concurrency: SLOW_CONCURRENCY, stuckAfterMs: 120_000 }),
  ];
  watchCallbacks(registry, domain.callbacks);
  const pump = opened('pump', startPump({ domain, queues, log }), (it) => it.close());
  opened('posts', stop, (it) => it.abort());
  health.add('database', () => domain.ping());
  health.add('queue', () => queues.ping());
  health.add('pump', async () => pump.check());
  health.add('callbacks', async () => {
    if (workers.some((worker) => worker.isStuck())) throw new Error('jobs wait and none was started');
  });
  return `posts events to clients and notices to people, queues on ${queues.backend}`;
});
