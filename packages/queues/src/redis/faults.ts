import type { Cluster, Redis } from 'ioredis';
import { messageOf } from '../burst.js';

/** How Redis begins its refusal of a command that it did not execute, and what that means for an operator. */
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
 * primary, while connections to the old one stay open: only a new connection finds the new primary.
 */
const refusalsOfThisServer = new Set([
  'READONLY',
  'MASTERDOWN',
  'UNBLOCKED',
  'LOADING',
  'NOREPLICAS',
  'CLUSTERDOWN',
]);

/** The code of a refusal, also when it comes from the inside of a script; null for any other error. */
export function refusalOf(error: Error): string | null {
  const code = /(?:^|[ :-])([A-Z]{3,})(?= )/.exec(error.message)?.[1];
  return code !== undefined && code in refusals ? code : null;
}

export function mayBeOtherwiseElsewhere(error: Error): boolean {
  const code = refusalOf(error);
  return code !== null && refusalsOfThisServer.has(code);
}

/** In words for an operator. */
export function wordsOf(error: unknown): string {
  const code = error instanceof Error ? refusalOf(error) : null;
  return code === null ? `Redis is away: ${messageOf(error)}` : `${refusals[code]} (${messageOf(error)})`;
}

// Longer than any probe is apart from the next, and short enough to leave no trace in a Redis that is given up.
const PROBE_KEPT_MS = 60_000;

/**
 * Asks whether jobs can be kept here: by a write, because a replica, a full Redis and one without its disk all answer
 * reads. @throws an error that says what is wrong
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

/** A replica may be set to take writes; its primary overwrites them, so jobs do not last there. */
export function refuseReplica(info: string): void {
  if (field(info, 'role') === 'slave')
    throw new Error('Redis is a replica: REDIS_URL must lead to the primary');
}

/**
 * BullMQ needs a Redis that never throws keys away, and a full one refuses every hint.
 * INFO rather than CONFIG GET: managed services commonly forbid the latter.
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
