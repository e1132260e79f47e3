import type { Logger } from '@replenish/runtime';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { Burst } from '../burst.js';
import type { RedisAddress } from './address.js';
import { mayBeOtherwiseElsewhere, wordsOf } from './faults.js';

export type RedisConnection = Redis | Cluster;

// A reply mapping would change the type of every answer.
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

const RECONNECT_MS_MAX = 1_000;

// What ioredis calls these two answers of `reconnectOnError`. A worker's refused command was not executed, so it is
// sent again to the next server: otherwise a finished job would count as running until BullMQ calls it stalled.
const RECONNECT = 1;
const RECONNECT_AND_RESEND = 2;

// A producer's command fails at once while Redis is away, and is never sent a second time: a hint that is lost is
// healed by the row's due time, and one that waits holds a request up. Five seconds of silence count as away.
const producing = { enableOfflineQueue: false, maxRetriesPerRequest: 0, socketTimeout: 5_000 };

// A worker waits as long as it takes; BullMQ refuses any other value here. Its jobs end a few at a time: commands that
// are given while others are under way go out in one write, which halved what a job cost the worker.
const consuming = { maxRetriesPerRequest: null, enableAutoPipelining: true };

/** The connections of one process to one Redis. They reconnect until they are wound down. */
export class RedisConnections {
  readonly #listed = new Set<RedisConnection>();
  readonly #errors: Burst;
  /** Redis answers, and refuses: faults of a server that is there. */
  readonly refusals: Burst;
  #isWindingDown = false;

  constructor(
    private readonly address: RedisAddress,
    log: Logger,
  ) {
    this.#errors = new Burst(log, 'redis');
    this.refusals = new Burst(log, 'the queue store');
  }

  producer(): RedisConnection {
    return this.#connect(producing, RECONNECT);
  }

  consumer(): RedisConnection {
    return reportingCopies(this.#connect(consuming, RECONNECT_AND_RESEND), this.#listed);
  }

  async windDown(): Promise<void> {
    this.#isWindingDown = true;
    await Promise.all([...this.#listed].map(decided));
  }

  close(): void {
    for (const redis of this.#listed) if (redis.status !== 'end') redis.disconnect();
  }

  #connect(own: typeof producing | typeof consuming, afterRefusal: 1 | 2): RedisConnection {
    const options: ConnectionOptions = { ...own, connectTimeout: 3_000, keepAlive: 10_000 };
    const retryStrategy = (tries: number) =>
      this.#isWindingDown ? null : Math.min(tries * 100, RECONNECT_MS_MAX);
    const reconnectOnError = (error: Error) => {
      if (!mayBeOtherwiseElsewhere(error)) return false;
      this.refusals.failed(new Error(wordsOf(error)));
      return afterRefusal;
    };
    const redis = openConnection(this.address, { ...options, retryStrategy, reconnectOnError });
    redis.on('error', (error: Error) => this.#errors.failed(error));
    redis.on('ready', () => this.#errors.recovered());
    return listed(redis, this.#listed);
  }
}

/** Opens a connection of the kind that the address names. */
export function openConnection(address: RedisAddress, options: ConnectionOptions): RedisConnection {
  if (address.kind === 'single') return new Redis(address.url, options);
  if (address.kind === 'sentinel') {
    const { tls } = address.options;
    return new Redis({
      ...options,
      ...address.options,
      ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: tls } : {}),
      sentinelRetryStrategy: options.retryStrategy!,
      // The sentinels tell of a new primary; a connection to the old one may stay open for ever.
      failoverDetector: true,
    });
  }
  const { enableOfflineQueue = true, enableAutoPipelining = false, retryStrategy, ...each } = options;
  return new Cluster([...address.nodes], {
    redisOptions: { ...each, ...address.options },
    clusterRetryStrategy: retryStrategy!,
    enableOfflineQueue,
    enableAutoPipelining,
    // Certificates name hosts, so an address that a node announces as a name is not looked up beforehand.
    ...(address.options.tls
      ? { dnsLookup: (host: string, found: (error: null, host: string) => void) => found(null, host) }
      : {}),
  });
}

/** BullMQ copies a worker's connection for the one it blocks on, and keeps the copy to itself. */
export function reportingCopies<One extends RedisConnection>(
  redis: One,
  connections: Set<RedisConnection>,
): One {
  // A copy sends one command, and waits: nothing to put together.
  if (redis instanceof Cluster) {
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = (nodes, override) =>
      listed(duplicate(nodes, { ...override, enableAutoPipelining: false }), connections);
  } else {
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = (override) =>
      listed(duplicate({ ...override, enableAutoPipelining: false }), connections);
  }
  return redis;
}

/** In the list for as long as it is not ended. BullMQ ends a connection to get out of a wait, and makes it anew. */
export function listed<One extends RedisConnection>(redis: One, connections: Set<RedisConnection>): One {
  connections.add(redis);
  redis.on('connecting', () => connections.add(redis));
  redis.on('end', () => connections.delete(redis));
  return redis;
}

/** Resolves when a connection is there or given up. BullMQ, told to close in between, waits for an end that never comes. */
async function decided(redis: RedisConnection): Promise<void> {
  if (redis.status === 'ready' || redis.status === 'end') return;
  await new Promise<void>((resolve) => {
    redis.once('ready', () => resolve());
    redis.once('end', () => resolve());
  });
}
