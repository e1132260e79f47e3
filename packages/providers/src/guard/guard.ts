import type { Order, QueryOutcome, SoughtOrder, SubmitOutcome } from '../contract/order.js';
import type { OrderPromises, Provider } from '../contract/provider.js';
import {
  type Attempt,
  isOutage,
  type NotExecuted,
  type Outcome,
  type ProviderOperation,
  type SendOnce,
} from './attempt.js';
import { type Breaker, type BreakerState, openBreaker } from './breaker.js';
import { defaultLimits, type GuardLimits } from './limits.js';
import { retried } from './retry.js';
import { withinLimit } from './time-limit.js';

export type GuardOptions = Readonly<{
  /** Time limit of one attempt. */
  timeoutMs: number;
  onCall?: (record: Attempt) => void;
  onBreaker?: (operation: ProviderOperation, state: BreakerState) => void;
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

/** The orders of a provider, behind the guard. A call takes at most the retry budget plus one attempt and its grace. */
export interface GuardedProvider {
  readonly name: string;
  readonly promises: OrderPromises;
  /** `calls` holds every attempt in order. It is empty when the breaker admitted none. */
  submit(order: Order): Promise<{ outcome: SubmitOutcome; calls: Attempt[] }>;
  find(order: SoughtOrder): Promise<{ outcome: QueryOutcome; calls: Attempt[] }>;
  /**
   * Whether the breaker is open. Call it before the claim is committed. `retryAtMs` is in epoch milliseconds. Null: a
   * call may start now.
   */
  isOpen(operation: ProviderOperation): { retryAtMs: number } | null;
  close(): Promise<void>;
}

/** Puts a time limit, a circuit breaker, retries and records around a provider's calls. */
export function guard(provider: Provider, options: GuardOptions): GuardedProvider {
  const { orders } = provider;
  const limits = { ...defaultLimits, ...options.limits };
  const { timeoutMs, onBug, now = () => new Date(), random = Math.random } = options;
  const breakerOf = (operation: ProviderOperation) =>
    openBreaker(limits.breaker, now, (state) => options.onBreaker?.(operation, state));
  const watchRecovery = recoveryWatch(() => options.onAnswersAgain?.());
  const breakers = { submit: breakerOf('submit'), query: breakerOf('query') };

  /** Makes one attempt, or returns `not_executed` when the breaker is open. */
  async function attempt<O extends Outcome>(
    operation: ProviderOperation,
    run: SendOnce<O>,
    calls: Attempt[],
  ) {
    const breaker = breakers[operation];
    const admission = breaker.enter();
    if (!admission) return refusalOf(breaker, now());
    const startedAt = now();
    const { outcome, facts } = await withinLimit(run, { timeoutMs, graceMs: limits.graceMs }, onBug);
    const record = { provider: provider.name, operation, startedAt, endedAt: now(), ...facts };
    calls.push({ ...record, outcome: outcome.kind, cause: 'cause' in outcome ? outcome.cause : null });
    await admission.report(isOutage(outcome));
    options.onCall?.(calls.at(-1)!);
    watchRecovery(isOutage(outcome));
    return outcome;
  }

  async function call<O extends Outcome>(operation: ProviderOperation, run: SendOnce<O>) {
    const calls: Attempt[] = [];
    const outcome = await retried(() => attempt(operation, run, calls), breakers[operation], limits);
    return { outcome, calls };
  }

  return {
    name: provider.name,
    promises: orders.promises,
    submit: (order) => call<SubmitOutcome>('submit', (signal) => orders.submit(order, signal)),
    find: (order) => call<QueryOutcome>('query', (signal) => orders.find(order, signal)),
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
