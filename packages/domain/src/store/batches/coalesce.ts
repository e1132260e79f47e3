import DataLoader from 'dataloader';
import { isContended, isUnavailable } from '../database/failure.js';
import { type BatchRun, eachAlone } from './each-alone.js';
import { HeldLane } from './held-lane.js';

export type CoalesceOptions<Ask> = Readonly<{
  /**
   * The most calls that share a statement. With more than 64 calls, the statements slow down more than their smaller
   * number saves.
   */
  batchMax: number;
  /** The most statements of this kind at once. Calls that arrive meanwhile form the next batch. */
  inFlightMax: number;
  /** The name of the lock that a call takes. Calls with the same lock fail together if another session holds it. */
  lockOf?: (ask: Ask) => string;
}>;

/**
 * Lets calls that arrive together share one statement. There is no timer. A lone call starts immediately. Under load a
 * batch grows while earlier statements run. `run` answers in the order of the calls. An Error among its answers fails
 * that call alone. If the database refuses a shared statement, each call is run alone.
 *
 * Calls for a lock that another session holds for too long go to a lane of their own until the lock is obtained again.
 */
export function coalesce<Ask, Answer>(
  run: BatchRun<Ask, Answer>,
  { batchMax, inFlightMax, lockOf }: CoalesceOptions<Ask>,
): (ask: Ask) => Promise<Answer> {
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  const startNext = () => {
    while (inFlight < inFlightMax && waiting.length > 0) {
      inFlight++;
      waiting.shift()!();
    }
  };
  const held = new HeldLane(run, batchMax);
  const loader = new DataLoader<Ask, Answer>(
    async (asks) => {
      try {
        const answers = await eachAlone(asks, run, { isHopeless, lockOf });
        if (lockOf) held.learn(asks.filter((_, n) => isContended(answers[n])).map(lockOf));
        return answers;
      } finally {
        inFlight--;
        setImmediate(startNext);
      }
    },
    {
      cache: false,
      maxBatchSize: batchMax,
      batchScheduleFn: (dispatch) => {
        waiting.push(dispatch);
        setImmediate(startNext);
      },
    },
  );
  return (ask) => {
    if (!lockOf || held.isEmpty) return loader.load(ask);
    const lock = lockOf(ask);
    return held.has(lock) ? held.load(lock, ask) : loader.load(ask);
  };
}

/** If the database is away, all calls of the batch fail together, without a try per call. */
const isHopeless = (error: unknown): boolean => isUnavailable(error) && !isContended(error);
