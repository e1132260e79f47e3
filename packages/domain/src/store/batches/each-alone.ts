import { isContended } from '../database/failure.js';

/** Runs one statement for all calls and answers in their order. */
export type BatchRun<Ask, Answer> = (asks: readonly Ask[]) => Promise<ReadonlyArray<Answer | Error>>;

export type AloneOptions<Ask> = Readonly<{
  /** True for an error that each call would also meet alone. */
  isHopeless: (error: unknown) => boolean;
  /** The name of the lock that a call takes. Without it each call is assumed to have a lock of its own. */
  lockOf?: ((ask: Ask) => string) | undefined;
}>;

/**
 * Runs a batch such that one refused call does not fail the others. If the database refuses the shared statement, each
 * call is tried alone. If the statement met a time limit, the calls are tried in groups with the same lock, in one
 * round of limited length.
 */
export async function eachAlone<Ask, Answer>(
  asks: readonly Ask[],
  run: BatchRun<Ask, Answer>,
  options: AloneOptions<Ask>,
): Promise<ReadonlyArray<Answer | Error>> {
  try {
    return await run(asks);
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (asks.length === 1 || options.isHopeless(error)) return asks.map(() => failure);
    if (isContended(error)) return eachLock(asks, run, options, failure);
    const answers: (Answer | Error)[] = [];
    for (const ask of asks) answers.push(...(await eachAlone([ask], run, options)));
    return answers;
  }
}

// At most three locks are awaited at the same time. After four seconds no further lock is awaited, because callers wait
// for the whole round.
const LOCKS_AT_ONCE = 3;
const ROUND_LIMIT_MS = 4_000;

async function eachLock<Ask, Answer>(
  asks: readonly Ask[],
  run: BatchRun<Ask, Answer>,
  options: AloneOptions<Ask>,
  failure: Error,
): Promise<ReadonlyArray<Answer | Error>> {
  const groups = groupsOf(asks, options.lockOf);
  const answers = new Map<Ask, Answer | Error>();
  const startedAtMs = performance.now();
  const take = async (): Promise<void> => {
    for (let group = groups.shift(); group; group = groups.shift()) {
      const isLate = performance.now() - startedAtMs > ROUND_LIMIT_MS;
      const heard = isLate ? [] : await aloneOrHeld(group, run, options);
      for (const [n, ask] of group.entries()) answers.set(ask, heard[n] ?? failure);
    }
  };
  await Promise.all(Array.from({ length: LOCKS_AT_ONCE }, take));
  return asks.map((ask) => answers.get(ask)!);
}

function groupsOf<Ask>(asks: readonly Ask[], lockOf: ((ask: Ask) => string) | undefined): Ask[][] {
  const groups = new Map<unknown, Ask[]>();
  for (const ask of asks) {
    const lock = lockOf ? lockOf(ask) : ask;
    const group = groups.get(lock) ?? [];
    groups.set(lock, group);
    group.push(ask);
  }
  return [...groups.values()];
}

/** Runs calls with the same lock. If another session holds the lock, it is awaited once for all of them. */
async function aloneOrHeld<Ask, Answer>(
  group: readonly Ask[],
  run: BatchRun<Ask, Answer>,
  options: AloneOptions<Ask>,
): Promise<ReadonlyArray<Answer | Error>> {
  const isHopeless = (error: unknown) => options.isHopeless(error) || isContended(error);
  return eachAlone(group, run, { ...options, isHopeless });
}
