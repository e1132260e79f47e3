import type { Logger } from '@replenish/runtime';
import { openPool, plainSession } from '@replenish/runtime/postgres';
import { Burst } from './burst.js';
import { prefixSource } from './installation.js';
import { redisAddressFrom } from './redis/address.js';
import { openConnection } from './redis/connections.js';
import { mayDifferOnAnotherServer } from './redis/faults.js';

/** A store for counters that all processes share. Only the library of the rate limiter knows the type of `client`. */
export type LimitStore = Readonly<{
  kind: 'redis' | 'postgres';
  client: object;
  /** Prefix of the counters' names, so two installations in one Redis do not count together. */
  scope: () => Promise<string>;
  close: () => Promise<void>;
}>;

// A request waits at most this long for its counter. After that it continues without the limit.
const ANSWER_LIMIT_MS = 1_000;
const POOL_MAX = 2;

/** Opens the store on Redis if there is one, and on Postgres otherwise. The store may be away at the start. */
export function openLimitStore(config: {
  redisUrl?: string | undefined;
  databaseUrl: string;
  /** The prefix of the queues. */
  prefix?: string | undefined;
  log: Logger;
}): LimitStore {
  const errors = new Burst(config.log, 'the store of rate limits');
  if (!config.redisUrl) return onPostgres(config.databaseUrl, errors);
  return onRedis(config.redisUrl, prefixSource(config.prefix, config.databaseUrl), errors);
}

function onRedis(url: string, scope: () => Promise<string>, errors: Burst): LimitStore {
  const redis = openConnection(redisAddressFrom(url), {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: ANSWER_LIMIT_MS,
    connectTimeout: 3_000,
    reconnectOnError: mayDifferOnAnotherServer,
    retryStrategy: (tries) => Math.min(tries * 100, 1_000),
  });
  redis.on('error', (error: Error) => errors.failed(error));
  redis.on('ready', () => errors.recovered());
  return { kind: 'redis', client: redis, scope, close: async () => redis.disconnect() };
}

/** Commits do not wait for the disk, because a crash may lose counts. */
function onPostgres(databaseUrl: string, errors: Burst): LimitStore {
  const pool = openPool({
    databaseUrl,
    pins: { ...plainSession, synchronous_commit: ['off'], statement_timeout: [String(ANSWER_LIMIT_MS)] },
    max: POOL_MAX,
    connectLimitMs: ANSWER_LIMIT_MS,
    answerLimitMs: ANSWER_LIMIT_MS,
  });
  pool.on('error', (error) => errors.failed(error));
  return { kind: 'postgres', client: pool, scope: async () => '', close: () => pool.end() };
}
