import DataLoader from 'dataloader';
import { isContended, isUnavailable } from '../database/failure.js';
import { type BatchRun, eachAlone } from './each-alone.js';
import { HeldLane } from './held-lane.js';

export type CoalesceOptions<Ask> = Readonly<{
  /** Calls that share a statement at most. Beyond 64 the statement gets slower faster than it gets fewer. */
  batchMax: number;
  /** Statements of this kind under way at once; what arrives meanwhile forms the next batch. */
  inFlightMax: number;
  /** What a call locks. Calls that lock the same thing share their fate when somebody else holds it. */
  lockOf?: (ask: Ask) => string;
}>;

/**
 * Lets calls that arrive together share one statement. There is no timer: a lone call goes at once, and under load a
 * batch grows for as long as the ones before it take. `run` answers in the order asked; an Error in its answer fails
 * that call alone, and so does one that the database refuses a statement for. What somebody holds for too long is
 * asked for apart from then on, until it is had again.
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

/** What is away is away for every call, and is not asked again once for each. */
const isHopeless = (error: unknown): boolean => isUnavailable(error) && !isContended(error);
