import type { QueueDepth, Queues } from '@replenish/queues';

/** The jobs in the queues, at most KEPT_MS old. Null: the store of the queues does not answer. */
export type DepthReader = () => Promise<readonly QueueDepth[] | null>;

// Counting takes a statement per queue and state, so a count is kept for this time. A page never waits long for a
// count, because the books matter more.
const KEPT_MS = 10_000;
const LIMIT_MS = 500;

/** One count is under way at a time, however many pages want it. */
export function depthReader(queues: Pick<Queues, 'depth'>, nowMs: () => number): DepthReader {
  let kept: Readonly<{ depth: readonly QueueDepth[]; atMs: number }> | null = null;
  let counting: Promise<readonly QueueDepth[] | null> | null = null;
  const count = (): Promise<readonly QueueDepth[] | null> => {
    counting ??= queues
      .depth()
      .then((depth) => {
        kept = { depth, atMs: nowMs() };
        return depth;
      })
      .catch(() => null)
      .finally(() => {
        counting = null;
      });
    return counting;
  };
  return async () => {
    const fresh = count();
    if (kept !== null && nowMs() - kept.atMs <= KEPT_MS) return kept.depth;
    return withinLimit(fresh);
  };
}

async function withinLimit<T>(work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, LIMIT_MS, null);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
