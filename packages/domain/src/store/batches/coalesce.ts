import DataLoader from 'dataloader';
import { isContended, isUnavailable } from '../database/failure.js';
import { type BatchRun, eachAlone } from './each-alone.js';
import { HeldLane } from './held-lane.js';
import { type TurnOptions, Turns } from './turns.js';

export type CoalesceOptions<Ask> = TurnOptions &
  Readonly<{
    /**
     * The most calls that share a statement. With more than 64 calls, the statements slow down more than their smaller
     * number saves.
     */
    batchMax: number;
    /** The name of the lock that a call takes. Calls with the same lock fail together if another session holds it. */
    lockOf?: (ask: Ask) => string;
  }>;

/**
 * Lets calls that arrive together share one statement. A lone call starts immediately. Under load a batch grows while
 * earlier statements run. `run` answers in the order of the calls. An Error among its answers fails that call alone. If
 * the database refuses a shared statement, each call is run alone.
 *
 * Calls for a lock that another session holds for too long go to a lane of their own until the lock is obtained again.
 */
export function coalesce<Ask, Answer>(
  run: BatchRun<Ask, Answer>,
  { batchMax, lockOf, ...options }: CoalesceOptions<Ask>,
): (ask: Ask) => Promise<Answer> {
  const turns = new Turns(options);
  const held = new HeldLane(run, batchMax);
  const loader = new DataLoader<Ask, Answer>(
    async (asks) => {
      turns.started(asks.length);
      try {
        const answers = await eachAlone(asks, run, { isHopeless, lockOf });
        if (lockOf) held.learn(asks.filter((_, n) => isContended(answers[n])).map(lockOf));
        return answers;
      } finally {
        turns.ended();
      }
    },
    {
      cache: false,
      maxBatchSize: batchMax,
      batchScheduleFn: (dispatch) => turns.addBatch(dispatch),
    },
  );
  const load = (ask: Ask): Promise<Answer> => {
    turns.addCall();
    return loader.load(ask);
  };
  return (ask) => {
    if (!lockOf || held.isEmpty) return load(ask);
    const lock = lockOf(ask);
    return held.has(lock) ? held.load(lock, ask) : load(ask);
  };
}

/** If the database is away, all calls of the batch fail together, without a try per call. */
const isHopeless = (error: unknown): boolean => isUnavailable(error) && !isContended(error);
