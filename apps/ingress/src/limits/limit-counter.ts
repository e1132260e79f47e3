import type { LimitStore } from '@replenish/queues';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';

/** The place of one call within the window of its limit. */
export type LimitCount = Readonly<{
  /** The number of this call in the window, from 1. Infinite if the call is known to exceed the quota. */
  place: number;
  resetSeconds: number;
}>;

/** The count of a window, after a batch of calls of one subject was added. */
type SpentLimit = Readonly<{ total: number; resetSeconds: number }>;
type Batch = { calls: number; spent: Promise<SpentLimit> };

export const WINDOW_SECONDS = 60;

/**
 * Counts calls per subject, for all processes together. Calls that arrive while their subject is being counted form one
 * batch, so a burst costs a few round trips instead of one per call. Each call still gets a place of its own.
 * @param onFault is called when the shared store does not answer. Then this process counts these calls itself
 */
export function openLimitCounter(
  options: Readonly<{ store: LimitStore; policy: string; quota: number }>,
  onFault: (error: unknown, calls: number) => void,
): (subject: string) => Promise<LimitCount> {
  const { shared, own } = openPair(options);
  const spend = async (subject: string, calls: number): Promise<SpentLimit> => {
    try {
      return await consume(shared, `${await options.store.scope()}:${subject}`, calls);
    } catch (error) {
      onFault(error, calls);
      return consume(own, subject, calls);
    }
  };
  const running = new Map<string, Promise<unknown>>();
  const gathering = new Map<string, Batch>();
  const start = async (subject: string, batch: Batch): Promise<SpentLimit> => {
    await running.get(subject);
    gathering.delete(subject);
    const spent = spend(subject, batch.calls);
    const settled = spent.catch(() => {});
    running.set(subject, settled);
    void settled.then(() => running.get(subject) === settled && running.delete(subject));
    return spent;
  };
  return async (subject) => {
    const batch = gathering.get(subject) ?? ({ calls: 0 } as Batch);
    const place = ++batch.calls;
    if (place === 1) {
      gathering.set(subject, batch);
      batch.spent = start(subject, batch);
    }
    const { total, resetSeconds } = await batch.spent;
    return { place: total - batch.calls + place, resetSeconds };
  };
}

/**
 * One limiter per quota. Limiters of one policy share their counters, so all keys of one client draw on one budget.
 */
function openPair({ store, policy, quota }: { store: LimitStore; policy: string; quota: number }) {
  const common = { points: quota, duration: WINDOW_SECONDS, keyPrefix: `limit:${policy}` };
  // A subject over its limit stays over it until the window ends, so this process refuses it without asking the
  // store.
  const shared = { ...common, storeClient: store.client, inMemoryBlockOnConsumed: quota + 1 };
  return {
    own: new RateLimiterMemory(common),
    shared:
      store.kind === 'redis'
        ? new RateLimiterRedis({ ...shared, rejectIfRedisNotReady: true })
        : new RateLimiterPostgres({
            ...shared,
            storeType: 'pool',
            tableName: 'rate_limit',
            tableCreated: true,
          }),
  };
}

/**
 * The library throws its result when the quota is exceeded. The result has no count when the library did not ask the
 * store.
 */
async function consume(limiter: RateLimiterAbstract, subject: string, calls: number): Promise<SpentLimit> {
  try {
    return spentOf(await limiter.consume(subject, calls));
  } catch (thrown) {
    if (thrown instanceof RateLimiterRes) return spentOf(thrown);
    throw thrown;
  }
}

const spentOf = ({ consumedPoints, msBeforeNext }: RateLimiterRes): SpentLimit => ({
  total: consumedPoints || Number.POSITIVE_INFINITY,
  resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1_000)),
});
