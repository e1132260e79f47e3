import DataLoader from 'dataloader';
import { isUnavailable } from './failure.js';

export type CoalesceOptions = Readonly<{
  /** Calls that share a statement at most. Beyond 64 the statement gets slower faster than it gets fewer. */
  batchMax: number;
  /** Statements of this kind under way at once; what arrives meanwhile forms the next batch. */
  inFlightMax: number;
}>;

/**
 * Lets calls that arrive together share one statement. There is no timer: a lone call goes at once, and under load a
 * batch grows for as long as the ones before it take. `run` answers in the order asked; an Error in its answer fails
 * that call alone, and so does one that the database refuses a statement for.
 */
export function coalesce<Ask, Answer>(
  run: (asks: readonly Ask[]) => Promise<ReadonlyArray<Answer | Error>>,
  { batchMax, inFlightMax }: CoalesceOptions,
): (ask: Ask) => Promise<Answer> {
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  const startNext = () => {
    while (inFlight < inFlightMax && waiting.length > 0) {
      inFlight++;
      waiting.shift()!();
    }
  };
  const loader = new DataLoader<Ask, Answer>(
    async (asks) => {
      try {
        return await eachAlone(asks, run, isUnavailable);
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
  return (ask) => loader.load(ask);
}

/**
 * One call that the database refuses must not fail the others of its batch: they are tried alone then.
 * What is away is away for all of them, and is not asked again once for each.
 */
export async function eachAlone<Ask, Answer>(
  asks: readonly Ask[],
  run: (asks: readonly Ask[]) => Promise<ReadonlyArray<Answer | Error>>,
  isHopeless: (error: unknown) => boolean,
): Promise<ReadonlyArray<Answer | Error>> {
  try {
    return await run(asks);
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (asks.length === 1 || isHopeless(error)) return asks.map(() => failure);
    const answers: (Answer | Error)[] = [];
    for (const ask of asks) answers.push(...(await eachAlone([ask], run, isHopeless)));
    return answers;
  }
}
