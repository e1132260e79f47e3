import { once } from 'node:events';
import type { Logger } from '@replenish/runtime';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Backend } from './backend.js';
import { Burst, messageOf } from './burst.js';
import { EVENTS_KEPT, type JobQueue, type JobWorker, jobOptions } from './catalogue.js';

// The hash tag keeps every key of BullMQ in one slot of a Redis Cluster, which its Lua scripts need.
const PREFIX = '{replenish}';

const reconnecting = {
  retryStrategy: (tries: number) => Math.min(tries * 100, 1_000),
  connectTimeout: 3_000,
  keepAlive: 10_000,
};

// A producer's command fails at once while Redis is away, and is never sent a second time: a hint that is lost is
// healed by the row's due time, and one that waits holds a request up. Five seconds of silence count as away.
const producing = {
  ...reconnecting,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  socketTimeout: 5_000,
};

// A worker waits as long as it takes; BullMQ refuses any other value here.
const consuming = { ...reconnecting, maxRetriesPerRequest: null };

const AWAY = new Set(['reconnecting', 'close', 'end']);

/** One connection for every queue of the process, one for every worker, and one a worker that BullMQ blocks on. */
export function openRedis(url: string, log: Logger): Backend {
  const errors = new Burst(log, 'redis');
  const connect = (options: typeof producing | typeof consuming): Redis => {
    const redis = new Redis(url, options);
    redis.on('error', (error) => errors.failed(error));
    redis.on('ready', () => errors.recovered());
    return redis;
  };
  const producer = connect(producing);
  let consumer: Redis | undefined;

  return {
    kind: 'redis',
    isAway: () => AWAY.has(producer.status),
    reachable: (stop) => untilReady(producer, stop),
    ping: async () => refuseBadMemory(await memoryOf(producer)),
    buildQueue: (name): JobQueue =>
      new Queue(name, {
        connection: producer,
        prefix: PREFIX,
        defaultJobOptions: jobOptions(name),
        streams: { events: { maxLen: EVENTS_KEPT } },
      }),
    buildWorker: (name, processor, settings): JobWorker => {
      consumer ??= connect(consuming);
      return new Worker(name, processor, { ...settings, connection: consumer, prefix: PREFIX });
    },
    noteError: () => {},
    close: async () => {
      consumer?.disconnect();
      producer.disconnect();
    },
  };
}

async function untilReady(redis: Redis, stop: AbortSignal): Promise<void> {
  while (redis.status !== 'ready') {
    stop.throwIfAborted();
    // Rejects for every failed try of a connection, of which there may be many.
    await once(redis, 'ready', { signal: stop }).catch(() => {});
  }
}

async function memoryOf(redis: Redis): Promise<string> {
  try {
    // Only the very first connection is waited for: a process that has just started is not without Redis yet.
    if (AWAY.has(redis.status)) throw new Error('not connected');
    if (redis.status !== 'ready') await once(redis, 'ready');
    return await redis.info('memory');
  } catch (error) {
    throw new Error(`Redis is away: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * BullMQ needs a Redis that never throws keys away, and a full one refuses every hint.
 * INFO rather than CONFIG GET: managed services commonly forbid the latter.
 */
export function refuseBadMemory(info: string): void {
  const read = (field: string) => new RegExp(`^${field}:(.*)$`, 'm').exec(info)?.[1]?.trim();
  const policy = read('maxmemory_policy');
  if (policy && policy !== 'noeviction') {
    throw new Error(`Redis may throw jobs away: its maxmemory-policy is ${policy}, set it to noeviction`);
  }
  const limitBytes = Number(read('maxmemory') ?? 0);
  if (limitBytes > 0 && Number(read('used_memory')) >= limitBytes) {
    throw new Error(`Redis is full: it holds its ${limitBytes} bytes and refuses new jobs`);
  }
}
