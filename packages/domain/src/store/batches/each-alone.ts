import { isContended } from '../database/failure.js';

/** Answers in the order asked. */
export type BatchRun<Ask, Answer> = (asks: readonly Ask[]) => Promise<ReadonlyArray<Answer | Error>>;

export type AloneOptions<Ask> = Readonly<{
  /** True for an error that every call would meet, alone as well. */
  isHopeless: (error: unknown) => boolean;
  /** What a call locks. Without it each call is taken for the only one that does. */
  lockOf?: ((ask: Ask) => string) | undefined;
}>;

/**
 * One call that the database refuses must not fail the others of its batch: they are tried alone then. After a limit of
 * time they are tried apart by what they lock, in one round that is bounded.
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

// Three locks are waited for at once, and none is begun after four seconds: callers wait for the whole round.
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

/** Calls that lock the same thing. What is held for one of them is held for all, and waited for once. */
async function aloneOrHeld<Ask, Answer>(
  group: readonly Ask[],
  run: BatchRun<Ask, Answer>,
  options: AloneOptions<Ask>,
): Promise<ReadonlyArray<Answer | Error>> {
  const isHopeless = (error: unknown) => options.isHopeless(error) || isContended(error);
  return eachAlone(group, run, { ...options, isHopeless });
}
