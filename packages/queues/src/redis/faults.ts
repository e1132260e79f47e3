import type { Cluster, Redis } from 'ioredis';
import type { Eviction } from '../backend.js';
import { messageOf } from '../burst.js';

/** The codes with which Redis refuses to execute a command, each with its meaning for an operator. */
const refusals: Readonly<Record<string, string>> = {
  READONLY: 'Redis is a read-only replica: REDIS_URL must lead to the primary',
  MASTERDOWN: 'Redis is a replica that has lost its primary: REDIS_URL must lead to the primary',
  UNBLOCKED: 'Redis has become a replica: REDIS_URL must lead to the primary',
  LOADING: 'Redis is loading its data and answers nothing yet',
  NOREPLICAS: 'Redis refuses writes: fewer replicas follow it than its min-replicas-to-write asks for',
  CLUSTERDOWN: 'the Redis cluster refuses commands: a part of its slots has no node',
  MISCONF: 'Redis refuses writes: it cannot save its data to the disk',
  OOM: 'Redis is full: it refuses new jobs',
  NOAUTH: 'Redis asks for a password, and REDIS_URL has none',
  WRONGPASS: 'Redis does not take the user or the password of REDIS_URL',
  NOPERM: 'Redis does not allow the user of REDIS_URL to write',
};

/**
 * Refusals that another server behind the same address may not give. After a failover the address leads to the new
 * primary, but connections to the old one stay open. Only a new connection reaches the new primary.
 */
const refusalsOfThisServer = new Set([
  'READONLY',
  'MASTERDOWN',
  'UNBLOCKED',
  'LOADING',
  'NOREPLICAS',
  'CLUSTERDOWN',
]);

/** The code of a refusal, from a command or from inside a script. Null for any other error. */
export function refusalOf(error: Error): string | null {
  const code = /(?:^|[ :-])([A-Z]{3,})(?= )/.exec(error.message)?.[1];
  return code !== undefined && code in refusals ? code : null;
}

export function mayDifferOnAnotherServer(error: Error): boolean {
  const code = refusalOf(error);
  return code !== null && refusalsOfThisServer.has(code);
}

/** The meaning of an error, in words for an operator. */
export function wordsOf(error: unknown): string {
  const code = error instanceof Error ? refusalOf(error) : null;
  return code === null ? `Redis is away: ${messageOf(error)}` : `${refusals[code]} (${messageOf(error)})`;
}

// The lifetime of the probe's key. It is longer than the time between two probes, and leaves no key in a Redis that is
// no longer used.
const PROBE_KEPT_MS = 60_000;

/**
 * Checks by a write whether Redis keeps jobs. A replica, a full Redis and a Redis that cannot write to its disk still
 * answer reads.
 * @throws an error whose message names the fault
 */
export async function refuseUnfit(redis: Redis | Cluster, probeKey: string): Promise<void> {
  let info: string;
  try {
    [, info] = await Promise.all([
      redis.set(probeKey, '1', 'PX', PROBE_KEPT_MS),
      redis.info('memory').then(async (memory) => memory + (await redis.info('replication'))),
    ]);
  } catch (error) {
    throw new Error(wordsOf(error), { cause: error });
  }
  refuseBadMemory(info);
  refuseReplica(info);
}

const field = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim();

/**
 * Refuses a replica, even one that is configured to accept writes. Its primary overwrites them, so its jobs do not
 * last.
 */
export function refuseReplica(info: string): void {
  if (field(info, 'role') === 'slave')
    throw new Error('Redis is a replica: REDIS_URL must lead to the primary');
}

/** Read by INFO, because managed services commonly forbid CONFIG GET. A cluster answers for one of its nodes. */
export async function evictionOf(redis: Redis | Cluster): Promise<Eviction> {
  const [memory, stats] = await Promise.all([redis.info('memory'), redis.info('stats')]);
  return {
    mayEvict: (field(memory, 'maxmemory_policy') ?? 'noeviction') !== 'noeviction',
    evictedKeys: Number(field(stats, 'evicted_keys') ?? 0),
  };
}

/**
 * Refuses a Redis that may evict keys, because BullMQ needs all of them. Also refuses a full Redis, because it refuses
 * all hints. The check reads INFO, because managed services commonly forbid CONFIG GET.
 */
export function refuseBadMemory(info: string): void {
  const policy = field(info, 'maxmemory_policy');
  if (policy && policy !== 'noeviction') {
    throw new Error(`Redis may throw jobs away: its maxmemory-policy is ${policy}, set it to noeviction`);
  }
  const limitBytes = Number(field(info, 'maxmemory') ?? 0);
  if (limitBytes > 0 && Number(field(info, 'used_memory')) >= limitBytes) {
    throw new Error(`Redis is full: it holds its ${limitBytes} bytes and refuses new jobs`);
  }
}
