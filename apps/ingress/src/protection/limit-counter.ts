import type { LimitStore } from '@replenish/queues';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';

/** Where one call stands in its window. */
export type LimitCount = Readonly<{
  /** Number of this call in the window; infinite where the count is past the quota for sure. */
  place: number;
  resetSeconds: number;
}>;

/** What several calls of one subject spent together. */
type SpentLimit = Readonly<{ total: number; resetSeconds: number }>;
type Batch = { calls: number; spent: Promise<SpentLimit> };

export const WINDOW_SECONDS = 60;

/**
 * Counts calls by subject over all processes. Calls that arrive while a count of their subject is under way are counted
 * together after it, so a burst costs a few round trips and not one a call; each knows its place all the same.
 * @param onFault the shared store did not answer for so many calls, which this process counts by itself
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

/** One limiter a quota, all with the counters of their policy: keys of one client share its count. */
function openPair({ store, policy, quota }: { store: LimitStore; policy: string; quota: number }) {
  const common = { points: quota, duration: WINDOW_SECONDS, keyPrefix: `limit:${policy}` };
  // Who is over the limit stays so until the window ends: this process refuses by itself, and asks no store.
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

/** The library throws its answer when that is a refusal, and names no count when it did not ask the store. */
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
