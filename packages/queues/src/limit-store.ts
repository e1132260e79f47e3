import type { Logger } from '@replenish/runtime';
import { openPool, plainSession } from '@replenish/runtime/postgres';
import { Burst } from './burst.js';
import { prefixSource } from './installation.js';
import { redisAddressFrom } from './redis/address.js';
import { openConnection } from './redis/connections.js';
import { mayBeOtherwiseElsewhere } from './redis/faults.js';

/** A store for counters that every process shares. What its client is, only the rate limiter's library has to know. */
export type LimitStore = Readonly<{
  kind: 'redis' | 'postgres';
  client: object;
  /** What each counter's name begins with, so that two installations in one Redis do not count together. */
  scope: () => Promise<string>;
  close: () => Promise<void>;
}>;

// A limit is not worth more of a request's time: whoever gets no answer by then goes on without.
const ANSWER_LIMIT_MS = 1_000;
const POOL_MAX = 2;

/** Redis when there is one, else Postgres. Opens nothing but a connection, so it may be away at the start. */
export function openLimitStore(config: {
  redisUrl?: string | undefined;
  databaseUrl: string;
  /** As that of the queues. */
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
    reconnectOnError: mayBeOtherwiseElsewhere,
    retryStrategy: (tries) => Math.min(tries * 100, 1_000),
  });
  redis.on('error', (error: Error) => errors.failed(error));
  redis.on('ready', () => errors.recovered());
  return { kind: 'redis', client: redis, scope, close: async () => redis.disconnect() };
}

/** A count that a crash loses costs nothing, so no commit of it waits for the disk. */
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
