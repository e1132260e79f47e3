import type { Logger } from '@replenish/runtime';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { Burst } from '../burst.js';
import type { RedisAddress } from './address.js';
import { mayDifferOnAnotherServer, wordsOf } from './faults.js';

export type RedisConnection = Redis | Cluster;

// A reply mapping would change the types of all answers.
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

const RECONNECT_MS_MAX = 1_000;

// The two values that ioredis's `reconnectOnError` may return. A refused command of a worker was not executed, so it is
// sent again to the next server. Otherwise a finished job would count as running until BullMQ calls it stalled.
const RECONNECT = 1;
const RECONNECT_AND_RESEND = 2;

// A producer's command fails immediately while Redis is away, and is never sent a second time. A hint that waits would
// delay a request, and a lost hint is replaced at the row's due time. Five seconds of silence count as away.
const producing = { enableOfflineQueue: false, maxRetriesPerRequest: 0, socketTimeout: 5_000 };

// A worker waits without a limit, because BullMQ refuses any other value here. Several of its jobs end at the same
// time, and pipelining sends their commands in one write. That halved the worker's time per job.
const consuming = { maxRetriesPerRequest: null, enableAutoPipelining: true };

/** The connections of one process to one Redis. They reconnect until `windDown`. */
export class RedisConnections {
  readonly #listed = new Set<RedisConnection>();
  readonly #errors: Burst;
  /** Logs the refusals of a server that answers. */
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
    await Promise.all([...this.#listed].map(untilReadyOrEnded));
  }

  close(): void {
    for (const redis of this.#listed) if (redis.status !== 'end') redis.disconnect();
  }

  #connect(own: typeof producing | typeof consuming, afterRefusal: 1 | 2): RedisConnection {
    const options: ConnectionOptions = { ...own, connectTimeout: 3_000, keepAlive: 10_000 };
    const retryStrategy = (tries: number) =>
      this.#isWindingDown ? null : Math.min(tries * 100, RECONNECT_MS_MAX);
    const reconnectOnError = (error: Error) => {
      if (!mayDifferOnAnotherServer(error)) return false;
      this.refusals.failed(new Error(wordsOf(error)));
      return afterRefusal;
    };
    const redis = openConnection(this.address, { ...options, retryStrategy, reconnectOnError });
    // Each queue of the process listens on it, and each provider has two queues. Node warns of an eleventh listener.
    redis.setMaxListeners(0);
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
      // The sentinels announce a new primary. A connection to the old one may stay open for ever.
      failoverDetector: true,
    });
  }
  const { enableOfflineQueue = true, enableAutoPipelining = false, retryStrategy, ...each } = options;
  return new Cluster([...address.nodes], {
    redisOptions: { ...each, ...address.options },
    clusterRetryStrategy: retryStrategy!,
    enableOfflineQueue,
    enableAutoPipelining,
    // Certificates name hosts, so a host name that a node announces is not resolved to an address first.
    ...(address.options.tls
      ? { dnsLookup: (host: string, found: (error: null, host: string) => void) => found(null, host) }
      : {}),
  });
}

/**
 * Tracks the copies of a connection. BullMQ waits for jobs on a copy of a worker's connection, and does not expose the
 * copy.
 */
export function reportingCopies<One extends RedisConnection>(
  redis: One,
  connections: Set<RedisConnection>,
): One {
  // A copy sends one command and waits for its answer, so it has no commands to pipeline.
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

/**
 * Keeps the connection in the list until it ends. BullMQ ends a connection to stop a wait on it, and then opens it
 * again.
 */
export function listed<One extends RedisConnection>(redis: One, connections: Set<RedisConnection>): One {
  connections.add(redis);
  redis.on('connecting', () => connections.add(redis));
  redis.on('end', () => connections.delete(redis));
  return redis;
}

/** Resolves once a connection is ready or ended. A BullMQ worker that is closed before that would wait without end. */
async function untilReadyOrEnded(redis: RedisConnection): Promise<void> {
  if (redis.status === 'ready' || redis.status === 'end') return;
  await new Promise<void>((resolve) => {
    redis.once('ready', () => resolve());
    redis.once('end', () => resolve());
  });
}
