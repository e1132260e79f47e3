import { once } from 'node:events';
import type { Logger } from '@replenish/runtime';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Backend } from './backend.js';
import { Burst, messageOf } from './burst.js';
import { EVENTS_KEPT, type JobQueue, type JobWorker, jobOptions, type Kept } from './catalogue.js';

// The hash tag keeps every key of BullMQ in one slot of a Redis Cluster, which its Lua scripts need.
const PREFIX = '{replenish}';

// Enough for a person to see what happened lately.
const KEPT: Kept = { removeOnComplete: { count: 50 }, removeOnFail: { count: 200 } };

const RECONNECT_MS_MAX = 1_000;

// A producer's command fails at once while Redis is away, and is never sent a second time: a hint that is lost is
// healed by the row's due time, and one that waits holds a request up. Five seconds of silence count as away.
const producing = { enableOfflineQueue: false, maxRetriesPerRequest: 0, socketTimeout: 5_000 };

// A worker waits as long as it takes; BullMQ refuses any other value here. Its jobs end a few at a time: commands that
// are given while others are under way go out in one write, which halved what a job cost the worker.
const consuming = { maxRetriesPerRequest: null, enableAutoPipelining: true };

const AWAY = new Set(['reconnecting', 'close', 'end']);

/** One connection for every queue of the process, one for every worker, and one a worker that BullMQ blocks on. */
export function openRedis(url: string, log: Logger): Backend {
  const errors = new Burst(log, 'redis');
  const connections = new Set<Redis>();
  let isWindingDown = false;
  const connect = (own: typeof producing | typeof consuming): Redis => {
    const redis = new Redis(url, {
      ...own,
      retryStrategy: (tries) => (isWindingDown ? null : Math.min(tries * 100, RECONNECT_MS_MAX)),
      connectTimeout: 3_000,
      keepAlive: 10_000,
    });
    redis.on('error', (error) => errors.failed(error));
    redis.on('ready', () => errors.recovered());
    return listed(redis, connections);
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
        defaultJobOptions: jobOptions(name, KEPT),
        streams: { events: { maxLen: EVENTS_KEPT } },
      }),
    buildWorker: (name, processor, settings): JobWorker => {
      consumer ??= reportingCopies(connect(consuming), connections);
      return new Worker(name, processor, { ...settings, connection: consumer, prefix: PREFIX });
    },
    noteError: () => {},
    windDown: async () => {
      isWindingDown = true;
      await Promise.all([...connections].map(decided));
    },
    close: async () => {
      for (const redis of connections) if (redis.status !== 'end') redis.disconnect();
    },
  };
}

/** BullMQ copies a worker's connection for the one it blocks on, and keeps the copy to itself. */
export function reportingCopies(redis: Redis, connections: Set<Redis>): Redis {
  const duplicate = redis.duplicate.bind(redis);
  // A copy sends one command, and waits: nothing to put together.
  redis.duplicate = (override) =>
    listed(duplicate({ ...override, enableAutoPipelining: false }), connections);
  return redis;
}

/** In the list for as long as it is not ended. BullMQ ends a connection to get out of a wait, and makes it anew. */
export function listed(redis: Redis, connections: Set<Redis>): Redis {
  connections.add(redis);
  return redis.on('connecting', () => connections.add(redis)).on('end', () => connections.delete(redis));
}

/** Resolves when a connection is there or given up. BullMQ, told to close in between, waits for an end that never comes. */
async function decided(redis: Redis): Promise<void> {
  if (redis.status === 'ready' || redis.status === 'end') return;
  await new Promise<void>((resolve) => {
    redis.once('ready', () => resolve());
    redis.once('end', () => resolve());
  });
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
