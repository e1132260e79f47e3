import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@replenish/runtime';
import { Queue, Worker } from 'bullmq';
import type { Backend } from '../backend.js';
import {
  EVENTS_KEPT,
  type JobQueue,
  type JobRetention,
  type JobWorker,
  jobOptions,
  type QueueName,
} from '../catalogue.js';
import { redisAddressFrom } from './address.js';
import { type RedisConnection, RedisConnections } from './connections.js';
import { evictionOf, refuseUnfit, wordsOf } from './faults.js';

const RETRY_MS = 250;

// The latest jobs are kept for people to look at.
const KEPT: JobRetention = { removeOnComplete: { count: 50 }, removeOnFail: { count: 200 } };

const AWAY = new Set(['reconnecting', 'close', 'end']);

/**
 * BullMQ on Redis. All queues of the process share one connection, all workers share a second one, and each worker has
 * one more on which BullMQ waits for jobs.
 * @param prefixNow gives the prefix of the keys. It may ask the database, so it may fail
 * @throws BadConfiguration for an address that cannot be read
 */
export function openRedis(url: string, prefixNow: () => Promise<string>, log: Logger): Backend {
  const connections = new RedisConnections(redisAddressFrom(url), log);
  const producer = connections.producer();
  let consumer: RedisConnection | undefined;
  // The prefix is set before the first queue or worker is built. Its hash tag keeps all keys of BullMQ in one slot of a
  // Redis Cluster, which its Lua scripts need.
  let prefix = '';
  const knowPrefix = async (): Promise<void> => {
    prefix = `{${await prefixNow()}}`;
  };
  return {
    kind: 'redis',
    isAway: () => AWAY.has(producer.status),
    reachable: async (stop) => {
      await untilReady(producer, stop);
      while (prefix === '') {
        stop.throwIfAborted();
        await knowPrefix().catch((error: unknown) => {
          connections.refusals.failed(error);
          return delay(RETRY_MS, undefined, { signal: stop });
        });
      }
    },
    ping: async () => {
      try {
        await refuseAway(producer);
        await knowPrefix();
        await refuseUnfit(producer, `${prefix}:probe`);
        connections.refusals.recovered();
      } catch (error) {
        connections.refusals.failed(error);
        throw error;
      }
    },
    eviction: () => refuseAway(producer).then(() => evictionOf(producer)),
    buildQueue: (name) => queueOn(producer, prefix, name),
    buildWorker: (name, processor, settings): JobWorker => {
      consumer ??= connections.consumer();
      return new Worker(name, processor, { ...settings, connection: consumer, prefix });
    },
    noteError: () => {},
    windDown: () => connections.windDown(),
    close: async () => connections.close(),
  };
}

const queueOn = (connection: RedisConnection, prefix: string, name: QueueName): JobQueue =>
  new Queue(name, {
    connection,
    prefix,
    defaultJobOptions: jobOptions(name, KEPT),
    streams: { events: { maxLen: EVENTS_KEPT } },
  });

async function refuseAway(redis: RedisConnection): Promise<void> {
  // A ping waits only for the first connection of a process. It does not wait for a lost connection.
  if (AWAY.has(redis.status)) throw new Error(wordsOf(new Error('not connected')));
  if (redis.status !== 'ready') await once(redis, 'ready').catch(rethrowInWords);
}

async function untilReady(redis: RedisConnection, stop: AbortSignal): Promise<void> {
  while (redis.status !== 'ready') {
    stop.throwIfAborted();
    // `once` rejects for each failed try to connect. There may be many, so the loop waits again.
    await once(redis, 'ready', { signal: stop }).catch(() => {});
  }
}

function rethrowInWords(error: unknown): never {
  throw new Error(wordsOf(error), { cause: error });
}
