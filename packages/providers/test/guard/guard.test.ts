import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Orders } from '../../src/contract/provider.js';
import type { GuardOptions } from '../../src/guard/guard.js';
import { sandboxProvider } from '../../src/sandbox/provider.js';
import { anOrder } from '../support/builders.js';
import {
  accepts,
  around,
  breaker,
  breaks,
  bugs,
  gate,
  guarded,
  isBusy,
  open,
  quick,
  reportedAttempts,
  server,
  submitTimes,
  until,
} from '../support/guard-bench.js';
import { type Script, says } from '../support/scripted-server.js';

/** Opens a provider with the given `submit`. */
function openStrange(submit: Orders['submit'], changes: Partial<GuardOptions> = {}): void {
  const provider = sandboxProvider({ baseUrl: server.url });
  around({ ...provider, orders: { ...provider.orders, submit } }, changes);
}

test('a process that was frozen between two attempts does not send again', async () => {
  let sent = 0;
  openStrange(async () => {
    sent++;
    // Blocks the process for longer than the budget of half a second, during the wait for the next attempt.
    setTimeout(() => {
      const until = performance.now() + 700;
      while (performance.now() < until);
    }, 10);
    const outcome = { kind: 'not_executed', cause: 'rate_limited', retryAfterMs: 50 } as const;
    return { outcome, facts: { httpStatus: 429, providerCode: null } };
  });
  const { outcome } = await guarded.submit(anOrder());
  expect(outcome).toMatchObject({ kind: 'not_executed', cause: 'rate_limited' });
  expect(sent).toBe(1);
});

describe('time limit', () => {
  test('a call that times out and opens the breaker does not end 20 slow calls', async () => {
    const innocent = gate(accepts);
    const slow: Script = (response, request) => {
      if (!request.body.includes('stuck')) return innocent.script(response, request);
    };
    const strict = { ...quick, breaker: { ...breaker, callsMin: 1 } };
    open(slow, { timeoutMs: 4_000, limits: strict });
    const stuck = guarded.submit(anOrder({ reference: 'stuck' }));
    // After the wait `stuck` has two seconds left. The other calls begin now, so their limit ends later.
    await sleep(2_000);
    const innocents = Array.from({ length: 20 }, (_, at) =>
      guarded.submit(anOrder({ reference: `innocent-${at}` })),
    );
    expect((await stuck).outcome).toEqual({ kind: 'unknown', cause: 'timeout' });
    expect(guarded.isOpen('submit')).not.toBeNull();
    innocent.release();
    for (const { outcome } of await Promise.all(innocents)) expect(outcome.kind).toBe('accepted');
    await until(() => server.abandoned() === 1);
  });

  test('a time-out does not affect the next call', async () => {
    open(() => {}, { timeoutMs: 1_000 });
    await submitTimes(3);
    server.play(accepts);
    expect((await guarded.submit(anOrder())).outcome.kind).toBe('accepted');
  });

  test('a provider that ignores its signal is not waited for, and its late error is caught', async () => {
    openStrange(
      async () => {
        await sleep(150);
        throw new Error('late');
      },
      { timeoutMs: 50 },
    );
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome).toEqual({ kind: 'unknown', cause: 'timeout' });
    expect(calls).toMatchObject([{ outcome: 'unknown', cause: 'timeout', httpStatus: null }]);
    // The late error is reported as a bug, so it was caught. An unhandled rejection would end the process.
    await until(() => bugs.length === 1);
  });
});

describe('a provider that throws', () => {
  test.each<[string, Orders['submit']]>([
    ['later', () => Promise.reject(new TypeError('boom'))],
    [
      'at once',
      () => {
        throw new TypeError('boom');
      },
    ],
  ])('%s: the outcome is unknown, not retried, and reported as a bug', async (_name, submit) => {
    openStrange(submit);
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome).toEqual({ kind: 'unknown', cause: 'unreadable' });
    expect(calls).toHaveLength(1);
    expect(bugs).toEqual([expect.objectContaining({ message: 'boom' })]);
  });
});

describe('retries', () => {
  const times = (count: number, first: Script): Script => {
    let left = count;
    return (response, request) => (left-- > 0 ? first : accepts)(response, request);
  };

  test('a call that was certainly not executed is attempted three times in all', async () => {
    open(times(2, isBusy));
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome.kind).toBe('accepted');
    expect(calls.map((call) => call.outcome)).toEqual(['not_executed', 'not_executed', 'accepted']);
  });

  test('after the last attempt its outcome is returned', async () => {
    open(times(3, isBusy));
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome).toEqual({ kind: 'not_executed', cause: 'unavailable' });
    expect(calls).toHaveLength(3);
    expect(server.requests).toHaveLength(3);
  });

  test.each<[string, Script, string]>([
    ['500', breaks, 'unknown'],
    ['a reset', (response) => response.socket?.resetAndDestroy(), 'unknown'],
    ['HTML', says(200, '<html>'), 'unknown'],
    ['no answer', () => {}, 'unknown'],
    ['422', says(422, { code: 'invalid_parameter' }), 'rejected'],
  ])('no retry after %s', async (_name, script, kind) => {
    open(script, { timeoutMs: 200 });
    expect((await guarded.submit(anOrder())).outcome.kind).toBe(kind);
    expect(server.requests).toHaveLength(1);
  });

  test('a query is retried by the same rule', async () => {
    let left = 1;
    open((response, request) => (left-- > 0 ? isBusy : says(200, { orders: [] }))(response, request));
    const { outcome, calls } = await guarded.find(anOrder());
    expect(outcome).toEqual({ kind: 'absent' });
    expect(calls.map((call) => `${call.operation} ${call.outcome}`)).toEqual([
      'query not_executed',
      'query absent',
    ]);
  });

  const limited = (seconds: string) => says(429, { code: 'rate_limited' }, { 'retry-after': seconds });

  test('a retry waits for Retry-After when the budget allows it', async () => {
    open(times(1, limited('1')), { limits: { ...quick, retryBudgetMs: 3_000 } });
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome.kind).toBe('accepted');
    expect(calls[1]!.startedAt.getTime() - calls[0]!.endedAt.getTime()).toBeGreaterThanOrEqual(990);
  });

  test('a Retry-After beyond the budget is returned to the caller at once', async () => {
    open(limited('30'));
    const startedMs = performance.now();
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome).toEqual({ kind: 'not_executed', cause: 'rate_limited', retryAfterMs: 30_000 });
    expect(calls).toHaveLength(1);
    expect(performance.now() - startedMs).toBeLessThan(25_000);
  });

  test('no retry after the breaker opens', async () => {
    open(isBusy, { limits: { ...quick, breaker: { ...breaker, callsMin: 2, resetMs: 5_000 } } });
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome).toEqual({ kind: 'not_executed', cause: 'unavailable' });
    expect(calls).toHaveLength(2);
  });
});

test('every attempt is recorded and reported when it ends', async () => {
  let second = 0;
  open(breaks, { now: () => new Date(second++ * 1_000) });
  const { calls } = await guarded.submit(anOrder());
  expect(calls).toEqual([
    {
      provider: 'sandbox',
      account: 'main',
      operation: 'submit',
      startedAt: expect.any(Date),
      endedAt: expect.any(Date),
      outcome: 'unknown',
      cause: 'server_error',
      httpStatus: 500,
      providerCode: 'internal_error',
    },
  ]);
  expect(calls[0]!.endedAt.getTime() - calls[0]!.startedAt.getTime()).toBe(1_000);
  expect(reportedAttempts).toEqual(calls);
});
