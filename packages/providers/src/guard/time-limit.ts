import type { CallAnswer, CallFacts } from '../contract/order.js';
import type { Outcome, SendOnce, Unknown } from './attempt.js';

const noFacts: CallFacts = { httpStatus: null, providerCode: null };

type TimeLimit = Readonly<{ timeoutMs: number; graceMs: number }>;

/**
 * Runs one attempt, which ends within `timeoutMs` plus `graceMs`. Each attempt has its own abort signal, so a time-out
 * does not end other attempts. After the time-out, the provider's code has the grace to report whether anything was
 * sent, and which status arrived. If the code ignores the signal, its late answer is dropped. A query finds the order
 * later.
 */
export async function withinLimit<O extends Outcome>(
  run: SendOnce<O>,
  { timeoutMs, graceMs }: TimeLimit,
  onBug: ((error: unknown) => void) | undefined,
): Promise<CallAnswer<O | Unknown>> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<CallAnswer<Unknown>>((resolve) => {
    const abort = () => {
      timer = setTimeout(resolve, graceMs, unknownBecause('timeout'));
      limit.abort(new Error(`no answer within ${timeoutMs} ms`));
    };
    timer = setTimeout(abort, timeoutMs);
  });
  try {
    return await Promise.race([answerOf(run, limit.signal, onBug), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

async function answerOf<O extends Outcome>(
  run: SendOnce<O>,
  signal: AbortSignal,
  onBug: ((error: unknown) => void) | undefined,
): Promise<CallAnswer<O | Unknown>> {
  try {
    return await run(signal);
  } catch (error) {
    onBug?.(error);
    return unknownBecause('unreadable');
  }
}

const unknownBecause = (cause: Unknown['cause']): CallAnswer<Unknown> => ({
  outcome: { kind: 'unknown', cause },
  facts: noFacts,
});
