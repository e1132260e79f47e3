import { requireDatabaseUrl } from './config/read.js';
import { newId } from './observe/correlation.js';
import type { Frame } from './process/process.js';

/** What each process opens the domain with, as its own settings say. */
export const domainOptions = ({ config, log }: Pick<Frame, 'config' | 'log'>) => ({
  databaseUrl: requireDatabaseUrl(config),
  poolMax: config.DATABASE_POOL_MAX,
  newerSchema: config.DATABASE_NEWER_SCHEMA,
  reconcileAfterMs: config.RECONCILE_AFTER_MS,
  sweepPeriodMs: config.RECONCILE_PERIOD_MS,
  providerTimeoutMs: config.PROVIDER_TIMEOUT_MS,
  newId,
  onConnectionLost: (error: Error) => log.warn({ err: error }, 'lost a database connection'),
  onRefused: (transactionId: string, error: Error) =>
    log.error({ err: error, transactionId }, 'the database refuses what is reported of a recharge'),
});

/** The same for the queues, of which each provider has some of its own. */
export const queueOptions = (
  { config, log, registry }: Pick<Frame, 'config' | 'log' | 'registry'>,
  providers: readonly string[] = [],
) => ({
  redisUrl: config.REDIS_URL,
  prefix: config.QUEUE_PREFIX,
  databaseUrl: requireDatabaseUrl(config),
  log,
  registry,
  providers,
});
