import { setTimeout as sleep } from 'node:timers/promises';
import pRetry, { AbortError } from 'p-retry';
import type { NotExecuted, Outcome } from './attempt.js';
import type { Breaker } from './breaker.js';
import type { GuardLimits } from './limits.js';

class NotExecutedError extends Error {
  constructor(readonly outcome: NotExecuted) {
    super(outcome.cause);
  }
}

/**
 * Retries only a call that was certainly not executed, while the budget and the breaker allow it. The budget is checked
 * again after the wait. If the process was frozen during the wait, another worker may have sent the order, and this one
 * must not send it again.
 */
export async function retried<O extends Outcome>(
  attempt: () => Promise<O>,
  breaker: Breaker,
  limits: GuardLimits,
): Promise<O> {
  const startedMs = performance.now();
  const leftMs = () => limits.retryBudgetMs - (performance.now() - startedMs);
  let last: NotExecutedError | undefined;
  /** Waits for the Retry-After time if the budget allows it. The backoff of p-retry follows and spreads the callers. */
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
