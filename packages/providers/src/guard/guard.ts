import { setTimeout as sleep } from 'node:timers/promises';
import pRetry, { AbortError } from 'p-retry';
import type {
  CallFacts,
  Capabilities,
  Order,
  Provider,
  QueryOutcome,
  SubmitOutcome,
} from '../contract/provider.js';
import { type Breaker, type BreakerLimits, type BreakerState, openBreaker } from './breaker.js';

export type ProviderOperation = 'submit' | 'query';

/** One physical attempt: something may have been sent. */
export type Attempt = Readonly<{
  provider: string;
  operation: ProviderOperation;
  startedAt: Date;
  endedAt: Date;
  outcome: SubmitOutcome['kind'] | QueryOutcome['kind'];
  /** Why nothing definite was heard; null when it was. */
  cause: string | null;
  httpStatus: number | null;
  providerCode: string | null;
}>;

export type GuardLimits = Readonly<{
  breaker: BreakerLimits;
  /** Attempts of one call in all, the first included. */
  attemptsMax: number;
  /** The first wait before a retry; it doubles, and is stretched by up to as much again at random. */
  backoffMs: number;
  /** No retry starts later than this after the first attempt started. */
  retryBudgetMs: number;
  /** How long an aborted provider may take to say what it knows before it is left alone. */
  graceMs: number;
  /** Who finds the breaker open comes back within this after it may, at random: not everybody in one moment. */
  spreadMs: number;
}>;

export type GuardOptions = Readonly<{
  /** Limit of one attempt. */
  timeoutMs: number;
  onCall?: (record: Attempt) => void;
  onBreaker?: (operation: ProviderOperation, state: BreakerState) => void;
  /** The provider was silent several times in a row, and answers again. Told once per ten seconds at most. */
  onAnswersAgain?: () => void;
  /** A provider threw: the order may have been taken, the outcome is `unknown`, and the code is wrong. */
  onBug?: (error: unknown) => void;
  now?: () => Date;
  random?: () => number;
  limits?: Partial<GuardLimits>;
}>;

export interface GuardedProvider {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** No `submit` or `query` takes longer: the retry budget, then one attempt with its grace. */
  readonly longestMs: number;
  /** `calls` holds every physical attempt, in order; it is empty when the breaker let none through. */
  submit(order: Order): Promise<{ outcome: SubmitOutcome; calls: Attempt[] }>;
  query(reference: string): Promise<{ outcome: QueryOutcome; calls: Attempt[] }>;
  /** To be asked before anything is committed; `retryAtMs` is epoch milliseconds. Null: a call may go now. */
  isOpen(operation: ProviderOperation): { retryAtMs: number } | null;
  close(): Promise<void>;
}

type Outcome = SubmitOutcome | QueryOutcome;
type AttemptAnswer<O extends Outcome> = Readonly<{ outcome: O; facts: CallFacts }>;
type Unknown = Extract<SubmitOutcome, { kind: 'unknown' }>;
type NotExecuted = Extract<SubmitOutcome, { kind: 'not_executed' }>;
type SendOnce<O extends Outcome> = (signal: AbortSignal) => Promise<AttemptAnswer<O>>;

const noFacts: CallFacts = { httpStatus: null, providerCode: null };

/** Defaults. Ten seconds of window see an outage early; three tries within three seconds outlast a restart. */
const defaults: GuardLimits = {
  breaker: { outagePercentage: 50, callsMin: 10, windowMs: 10_000, resetMs: 5_000 },
  attemptsMax: 3,
  backoffMs: 100,
  retryBudgetMs: 3_000,
  graceMs: 250,
  spreadMs: 1_000,
};

/** Time limit, circuit breaker, retries and records around a provider's calls. */
export function guard(provider: Provider, options: GuardOptions): GuardedProvider {
  const limits = { ...defaults, ...options.limits };
  const now = options.now ?? (() => new Date());
  const random = options.random ?? Math.random;
  const breakerOf = (operation: ProviderOperation) =>
    openBreaker(limits.breaker, now, (state) => options.onBreaker?.(operation, state));
  const hear = silenceWatch(() => options.onAnswersAgain?.());
  const breakers: Record<ProviderOperation, Breaker> = {
    submit: breakerOf('submit'),
    query: breakerOf('query'),
  };

  /** One attempt, or the refusal of an open breaker. */
  async function attempt<O extends Outcome>(
    operation: ProviderOperation,
    run: SendOnce<O>,
    calls: Attempt[],
  ) {
    const breaker = breakers[operation];
    const admission = breaker.enter();
    if (!admission) return refusalOf(breaker, now());
    const startedAt = now();
    const { outcome, facts } = await withinLimit(run, options.timeoutMs, limits.graceMs, options.onBug);
    const record = { provider: provider.name, operation, startedAt, endedAt: now(), ...facts };
    calls.push({ ...record, outcome: outcome.kind, cause: 'cause' in outcome ? outcome.cause : null });
    await admission.report(isOutage(outcome));
    options.onCall?.(calls.at(-1)!);
    hear(isOutage(outcome));
    return outcome;
  }

  async function call<O extends Outcome>(operation: ProviderOperation, run: SendOnce<O>) {
    const calls: Attempt[] = [];
    const outcome = await retried(() => attempt(operation, run, calls), breakers[operation], limits);
    return { outcome, calls };
  }

  return {
    name: provider.name,
    capabilities: provider.capabilities,
    longestMs: limits.retryBudgetMs + options.timeoutMs + limits.graceMs,
    submit: (order) => call<SubmitOutcome>('submit', (signal) => provider.submit(order, signal)),
    query: (reference) => call<QueryOutcome>('query', (signal) => provider.query(reference, signal)),
    isOpen: (operation) => {
      const open = breakers[operation].isOpen();
      return open && { retryAtMs: open.retryAtMs + Math.floor(random() * limits.spreadMs) };
    },
    async close() {
      for (const breaker of Object.values(breakers)) breaker.close();
      await provider.close();
    },
  };
}

// One call without an answer happens every day. Three in a row are the beginning of an outage.
const SILENT_MIN = 3;
// A provider that answers every other call is not told as a recovery each time.
const ANSWERS_AGAIN_GAP_MS = 10_000;

/** Hears of every call whether it met an outage, and tells when an answer follows several that did. */
function silenceWatch(onAnswersAgain: () => void): (isOutage: boolean) => void {
  let silent = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return (isOutage) => {
    if (isOutage) {
      silent++;
      return;
    }
    const isRecovery = silent >= SILENT_MIN && performance.now() - toldAtMs > ANSWERS_AGAIN_GAP_MS;
    silent = 0;
    if (!isRecovery) return;
    toldAtMs = performance.now();
    onAnswersAgain();
  };
}

/** A refused order is an answer and a rate limit is a provider at work; only these say that it is in trouble. */
const isOutage = (outcome: Outcome): boolean =>
  outcome.kind === 'unknown' || (outcome.kind === 'not_executed' && outcome.cause !== 'rate_limited');

function refusalOf(breaker: Breaker, now: Date): NotExecuted {
  const retryAtMs = breaker.isOpen()?.retryAtMs ?? now.getTime();
  return { kind: 'not_executed', cause: 'unavailable', retryAfterMs: retryAtMs - now.getTime() };
}

/**
 * Each attempt has its own abort signal, so one that runs out of time ends nobody else's. The grace lets the provider
 * say what it knows (nothing was sent, a status line was heard); one that ignores its signal is left behind, and its
 * late answer is dropped: asking will find it.
 */
async function withinLimit<O extends Outcome>(
  run: SendOnce<O>,
  timeoutMs: number,
  graceMs: number,
  onBug: ((error: unknown) => void) | undefined,
): Promise<AttemptAnswer<O | Unknown>> {
  const limit = new AbortController();
  const abort = () => limit.abort(new Error(`no answer within ${timeoutMs} ms`));
  const timers = [setTimeout(abort, timeoutMs)];
  const tooLate = new Promise<AttemptAnswer<Unknown>>((resolve) => {
    timers.push(setTimeout(resolve, timeoutMs + graceMs, unknownBecause('timeout')));
  });
  try {
    return await Promise.race([answerOf(run, limit.signal, onBug), tooLate]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

async function answerOf<O extends Outcome>(
  run: SendOnce<O>,
  signal: AbortSignal,
  onBug: ((error: unknown) => void) | undefined,
): Promise<AttemptAnswer<O | Unknown>> {
  try {
    return await run(signal);
  } catch (error) {
    onBug?.(error);
    return unknownBecause('unreadable');
  }
}

const unknownBecause = (cause: Unknown['cause']): AttemptAnswer<Unknown> => ({
  outcome: { kind: 'unknown', cause },
  facts: noFacts,
});

class NotExecutedError extends Error {
  constructor(readonly outcome: NotExecuted) {
    super(outcome.cause);
  }
}

/**
 * Tries again only what was certainly not executed, and only while the budget and the breaker allow it. The budget is
 * looked at once more when the wait is over: a process that was frozen meanwhile must not send what others may have
 * sent since.
 */
async function retried<O extends Outcome>(
  attempt: () => Promise<O>,
  breaker: Breaker,
  limits: GuardLimits,
): Promise<O> {
  const startedMs = performance.now();
  const leftMs = () => limits.retryBudgetMs - (performance.now() - startedMs);
  let last: NotExecutedError | undefined;
  /** Waits out Retry-After, if there is time for it; p-retry's own backoff follows and spreads the callers. */
  async function mayRetry({ outcome }: NotExecutedError): Promise<boolean> {
    if (breaker.isOpen()) return false;
    const waitMs = outcome.retryAfterMs ?? 0;
    if (waitMs >= leftMs()) return false;
    await sleep(waitMs);
    return true;
  }
  try {
    return await pRetry(
      async () => {
        if (last && leftMs() < 0) throw new AbortError(last);
        const outcome = await attempt();
        if (outcome.kind !== 'not_executed') return outcome;
        last = new NotExecutedError(outcome);
        throw last;
      },
      {
        retries: limits.attemptsMax - 1,
        minTimeout: limits.backoffMs,
        randomize: true,
        maxRetryTime: limits.retryBudgetMs,
        shouldRetry: ({ error }) => error instanceof NotExecutedError && mayRetry(error),
      },
    );
  } catch (error) {
    if (error instanceof NotExecutedError) return error.outcome as O;
    throw error;
  }
}
