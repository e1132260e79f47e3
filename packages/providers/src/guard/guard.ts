import type { CallAnswer } from '../contract/order.js';
import type { Provider } from '../contract/provider.js';
import {
  type Attempt,
  isOutage,
  type NotExecuted,
  type Outcome,
  type ProviderOperation,
  providerOperations,
  type SendOnce,
} from './attempt.js';
import { type Breaker, type BreakerState, openBreaker } from './breaker.js';
import { type GuardedCall, type GuardedProvider, guardedOperations } from './guarded-provider.js';
import { defaultLimits, type GuardLimits } from './limits.js';
import { MAIN_ACCOUNT } from './main-account.js';
import { retried } from './retry.js';
import { inCallSpan } from './span.js';
import { withinLimit } from './time-limit.js';

export type GuardOptions = Readonly<{
  /** The name of our account at the provider. Default: the one that the environment configures. */
  account?: string;
  /** Time limit of one attempt. */
  timeoutMs: number;
  onCall?: (record: Attempt) => void;
  /** `openForMs`: the time until an open breaker admits a call as a probe. */
  onBreaker?: (operation: ProviderOperation, state: BreakerState, openForMs: number) => void;
  /**
   * Called when the provider answers again after several calls without an answer in a row. It is called at most once
   * per ten seconds.
   */
  onAnswersAgain?: () => void;
  /**
   * Called when the code of a provider throws, which is a bug. The outcome is `unknown`, because the order may have
   * been taken.
   */
  onBug?: (error: unknown) => void;
  now?: () => Date;
  random?: () => number;
  limits?: Partial<GuardLimits>;
}>;

/** Puts a time limit, a circuit breaker, retries and records around a provider's calls. */
export function guard(provider: Provider, options: GuardOptions): GuardedProvider {
  const who = { provider: provider.name, account: options.account ?? MAIN_ACCOUNT };
  const limits = { ...defaultLimits, ...options.limits };
  const { timeoutMs, onBug, onBreaker, now = () => new Date(), random = Math.random } = options;
  const watchRecovery = recoveryWatch(() => options.onAnswersAgain?.());
  const breakers = breakersFor((operation) =>
    openBreaker(limits.breaker, now, (state) => onBreaker?.(operation, state, limits.breaker.resetMs)),
  );
  const limitOf = (operation: ProviderOperation) =>
    searches.has(operation) ? Math.max(timeoutMs, provider.orders.promises.findLimitMs ?? 0) : timeoutMs;

  /** Makes one attempt, or returns `not_executed` when the breaker is open. */
  async function attempt<O extends Outcome>(
    operation: ProviderOperation,
    run: SendOnce<O>,
    calls: Attempt[],
  ) {
    const admission = breakers[operation].enter();
    if (!admission) return refusalOf(breakers[operation], now());
    const startedAt = now();
    const limit = { timeoutMs: limitOf(operation), graceMs: limits.graceMs };
    const send = () => withinLimit(run, limit, onBug);
    const answer = await inCallSpan(who, operation, send);
    const { outcome } = answer;
    calls.push(attemptOf(who, { operation, startedAt, endedAt: now() }, answer));
    await admission.report(isOutage(outcome));
    options.onCall?.(calls.at(-1)!);
    watchRecovery(isOutage(outcome));
    return outcome;
  }

  const call: GuardedCall = async (operation, run) => {
    const calls: Attempt[] = [];
    const outcome = await retried(() => attempt(operation, run, calls), breakers[operation], limits);
    return { outcome, calls };
  };

  return {
    ...guardedOperations(provider, call),
    account: who.account,
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

/** The fields are named one by one, since this runs for each call. With spreads it took 6 us instead of 0.1. */
function attemptOf(
  { provider, account }: Pick<Attempt, 'provider' | 'account'>,
  { operation, startedAt, endedAt }: Pick<Attempt, 'operation' | 'startedAt' | 'endedAt'>,
  { outcome, facts, evidence }: CallAnswer<Outcome>,
): Attempt {
  const made: Attempt = {
    provider,
    account,
    operation,
    startedAt,
    endedAt,
    outcome: outcome.kind,
    cause: 'cause' in outcome ? outcome.cause : null,
    httpStatus: facts.httpStatus,
    providerCode: facts.providerCode,
  };
  return evidence ? { ...made, evidence } : made;
}

/** The operations that may search a list of the provider, which takes longer than one call. */
const searches: ReadonlySet<ProviderOperation> = new Set(['query', 'refund_query']);

const breakersFor = (open: (operation: ProviderOperation) => Breaker) =>
  Object.fromEntries(providerOperations.map((operation) => [operation, open(operation)])) as Record<
    ProviderOperation,
    Breaker
  >;

// A single call without an answer is common. Three in a row indicate an outage.
const SILENT_MIN = 3;
// The shortest time between two reports about a provider that alternates between failures and answers.
const RECOVERY_GAP_MS = 10_000;

/** Returns a function that is called after every call. It reports the first answer after several outages in a row. */
function recoveryWatch(onRecovery: () => void): (isOutage: boolean) => void {
  let silent = 0;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  return (isSilent) => {
    if (isSilent) {
      silent++;
      return;
    }
    const isRecovery = silent >= SILENT_MIN && performance.now() - reportedAtMs > RECOVERY_GAP_MS;
    silent = 0;
    if (!isRecovery) return;
    reportedAtMs = performance.now();
    onRecovery();
  };
}

function refusalOf(breaker: Breaker, now: Date): NotExecuted {
  const retryAtMs = breaker.isOpen()?.retryAtMs ?? now.getTime();
  return { kind: 'not_executed', cause: 'unavailable', retryAfterMs: retryAtMs - now.getTime() };
}
