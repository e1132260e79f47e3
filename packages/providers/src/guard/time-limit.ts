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
  const abort = () => limit.abort(new Error(`no answer within ${timeoutMs} ms`));
  const timers = [setTimeout(abort, timeoutMs)];
  const tooLate = new Promise<CallAnswer<Unknown>>((resolve) => {
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
