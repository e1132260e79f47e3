import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Provider } from '../src/contract.js';
import { type CallRecord, type GuardedProvider, type GuardOptions, guard } from '../src/guard.js';
import { sandboxProvider } from '../src/sandbox/provider.js';
import { anOrder, aSandboxOrder } from './builders.js';
import { openScriptedServer, type Script, type ScriptedServer, says } from './scripted-server.js';

const breaker = { outagePercentage: 50, callsMin: 10, windowMs: 10_000, resetMs: 200 };
const quick = { breaker, backoffMs: 5, retryBudgetMs: 500, graceMs: 50 };

let server: ScriptedServer;
let guarded: GuardedProvider;
let states: string[];
let bugs: unknown[];
let heardByCallback: CallRecord[];

beforeAll(async () => {
  server = await openScriptedServer();
});
afterAll(() => server.close());
beforeEach(() => {
  states = [];
  bugs = [];
  heardByCallback = [];
});
afterEach(() => guarded.close());

const options = (changes: Partial<GuardOptions>): GuardOptions => ({
  timeoutMs: 2_000,
  limits: quick,
  onBreaker: (operation, state) => states.push(`${operation} ${state}`),
  onCall: (record) => heardByCallback.push(record),
  onBug: (error) => bugs.push(error),
  ...changes,
});
function open(script: Script, changes: Partial<GuardOptions> = {}): GuardedProvider {
  server.play(script);
  guarded = guard(sandboxProvider({ baseUrl: server.url }), options(changes));
  return guarded;
}
/** A provider whose submit is the given one. */
function openStrange(submit: Provider['submit'], changes: Partial<GuardOptions> = {}): GuardedProvider {
  const sandbox = sandboxProvider({ baseUrl: server.url });
  guarded = guard({ ...sandbox, submit }, options(changes));
  return guarded;
}

const accepts: Script = (response, heard) => {
  const { reference } = JSON.parse(heard.body);
  says(201, aSandboxOrder({ reference }))(response, heard);
};
const breaks = says(500, { code: 'internal_error' });
const isBusy = says(503, { code: 'unavailable' });

async function until(isTrue: () => boolean): Promise<void> {
  const endsMs = performance.now() + 5_000;
  while (!isTrue()) {
    if (performance.now() > endsMs) throw new Error(`waited in vain: ${isTrue}`);
    await sleep(5);
  }
}
async function submitTimes(times: number): Promise<void> {
  for (let call = 0; call < times; call++) await guarded.submit(anOrder());
}
/** Holds every answer until it is told to let go. */
function gate(then: Script): { script: Script; release: () => void } {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const script: Script = (response, heard) => held.then(() => then(response, heard));
  return { script, release };
}

describe('time limit', () => {
  test('one call that times out leaves 20 slow but good ones alone, even when it opens the breaker', async () => {
    const slow: Script = (response, heard) => {
      if (!heard.body.includes('stuck')) setTimeout(() => accepts(response, heard), 400);
    };
    const strict = { ...quick, breaker: { ...breaker, callsMin: 1 } };
    open(slow, { timeoutMs: 600, limits: strict });
    const stuck = guarded.submit(anOrder({ reference: 'stuck' }));
    await sleep(350);
    const innocents = Array.from({ length: 20 }, (_, at) =>
      guarded.submit(anOrder({ reference: `innocent-${at}` })),
    );
    expect((await stuck).outcome).toEqual({ kind: 'unknown', cause: 'timeout' });
    expect(guarded.isOpen('submit')).not.toBeNull();
    for (const { outcome } of await Promise.all(innocents)) expect(outcome.kind).toBe('accepted');
    expect(server.abandoned()).toBe(1);
  });

  test('a call after a timed-out one is not poisoned by it', async () => {
    open(() => {}, { timeoutMs: 50 });
    await submitTimes(3);
    server.play(accepts);
    expect((await guarded.submit(anOrder())).outcome.kind).toBe('accepted');
  });

  test('a provider that ignores its signal is left behind, and what it does later hurts nobody', async () => {
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
    // An unhandled rejection would end the process; that it is caught shows in its being told.
    await until(() => bugs.length === 1);
  });

  test('no call takes longer than it says', async () => {
    open(() => {}, { timeoutMs: 100 });
    const startedMs = performance.now();
    await guarded.submit(anOrder());
    expect(guarded.longestMs).toBe(650);
    expect(performance.now() - startedMs).toBeLessThan(guarded.longestMs);
  });
});

describe('a provider that throws', () => {
  test.each<[string, Provider['submit']]>([
    ['later', () => Promise.reject(new TypeError('boom'))],
    [
      'at once',
      () => {
        throw new TypeError('boom');
      },
    ],
  ])('%s may have taken the order: unknown, not tried again, and told', async (_name, submit) => {
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
    return (response, heard) => (left-- > 0 ? first : accepts)(response, heard);
  };

  test('what was certainly not executed is tried again, three times in all', async () => {
    open(times(2, isBusy));
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome.kind).toBe('accepted');
    expect(calls.map((call) => call.outcome)).toEqual(['not_executed', 'not_executed', 'accepted']);
  });

  test('then the last outcome is what the caller hears', async () => {
    open(times(3, isBusy));
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome).toEqual({ kind: 'not_executed', cause: 'unavailable' });
    expect(calls).toHaveLength(3);
    expect(server.heard).toHaveLength(3);
  });

  test.each<[string, Script, string]>([
    ['500', breaks, 'unknown'],
    ['a reset', (response) => response.socket?.resetAndDestroy(), 'unknown'],
    ['HTML', says(200, '<html>'), 'unknown'],
    ['no answer', () => {}, 'unknown'],
    ['422', says(422, { code: 'invalid_parameter' }), 'rejected'],
  ])('never after %s', async (_name, script, kind) => {
    open(script, { timeoutMs: 200 });
    expect((await guarded.submit(anOrder())).outcome.kind).toBe(kind);
    expect(server.heard).toHaveLength(1);
  });

  test('a query is tried again by the same rule', async () => {
    let left = 1;
    open((response, heard) => (left-- > 0 ? isBusy : says(200, { orders: [] }))(response, heard));
    const { outcome, calls } = await guarded.query('rcg-1');
    expect(outcome).toEqual({ kind: 'absent' });
    expect(calls.map((call) => `${call.operation} ${call.outcome}`)).toEqual([
      'query not_executed',
      'query absent',
    ]);
  });

  const limited = (seconds: string) => says(429, { code: 'rate_limited' }, { 'retry-after': seconds });

  test('Retry-After is waited out when there is time for it', async () => {
    open(times(1, limited('1')), { limits: { ...quick, retryBudgetMs: 3_000 } });
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome.kind).toBe('accepted');
    expect(calls[1]!.startedAt.getTime() - calls[0]!.endedAt.getTime()).toBeGreaterThanOrEqual(990);
  });

  test('a Retry-After beyond the budget is handed to the caller at once', async () => {
    open(limited('30'));
    const startedMs = performance.now();
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome).toEqual({ kind: 'not_executed', cause: 'rate_limited', retryAfterMs: 30_000 });
    expect(calls).toHaveLength(1);
    expect(performance.now() - startedMs).toBeLessThan(400);
  });

  test('a breaker that opens ends them', async () => {
    open(isBusy, { limits: { ...quick, breaker: { ...breaker, callsMin: 2, resetMs: 5_000 } } });
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome).toEqual({ kind: 'not_executed', cause: 'unavailable' });
    expect(calls).toHaveLength(2);
  });
});

test('every physical attempt is recorded, and told as it ends', async () => {
  let second = 0;
  open(breaks, { now: () => new Date(second++ * 1_000) });
  const { calls } = await guarded.submit(anOrder());
  expect(calls).toEqual([
    {
      provider: 'sandbox',
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
  expect(heardByCallback).toEqual(calls);
});

describe('circuit breaker', () => {
  test('opens at the tenth call of an outage, for that operation, and lets nothing through', async () => {
    open(breaks);
    await submitTimes(9);
    expect(guarded.isOpen('submit')).toBeNull();
    await submitTimes(1);
    expect(states).toEqual(['submit open']);
    const nowMs = Date.now();
    expect(guarded.isOpen('submit')?.retryAtMs).toBeGreaterThan(nowMs);
    expect(guarded.isOpen('submit')?.retryAtMs).toBeLessThanOrEqual(nowMs + breaker.resetMs);
    const { outcome, calls } = await guarded.submit(anOrder());
    expect(outcome).toMatchObject({ kind: 'not_executed', cause: 'unavailable' });
    expect((outcome as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
    expect(calls).toEqual([]);
    expect(server.heard).toHaveLength(10);
    expect(guarded.isOpen('query')).toBeNull();
  });

  test('an unreachable provider is an outage', async () => {
    const gone = await openScriptedServer();
    await gone.close();
    guarded = guard(sandboxProvider({ baseUrl: gone.url }), options({}));
    await submitTimes(4);
    expect(states).toEqual(['submit open']);
  });

  test.each<[string, Script]>([
    ['refusals', says(422, { code: 'invalid_parameter' })],
    ['rate limits', says(429, { code: 'rate_limited' }, { 'retry-after': '60' })],
    ['taken orders', accepts],
  ])('%s never open it', async (_name, script) => {
    open(script);
    await submitTimes(30);
    expect(states).toEqual([]);
    expect(server.heard).toHaveLength(30);
  });

  test('absent orders never open it', async () => {
    open(says(200, { orders: [] }));
    for (let call = 0; call < 30; call++) await guarded.query('rcg-1');
    expect(states).toEqual([]);
  });

  test('half of the calls failing does not open it, more than half does', async () => {
    open(accepts);
    await submitTimes(10);
    server.play(breaks);
    await submitTimes(10);
    expect(states).toEqual([]);
    await submitTimes(1);
    expect(states).toEqual(['submit open']);
  });

  test('half open, one call tries and the others are told to wait; its success closes it', async () => {
    open(breaks);
    await submitTimes(10);
    await until(() => states.includes('submit half_open'));
    expect(guarded.isOpen('submit')).toBeNull();
    const { script, release } = gate(accepts);
    server.play(script);
    const probe = guarded.submit(anOrder());
    expect(guarded.isOpen('submit')).toEqual({ retryAtMs: expect.any(Number) });
    const others = await Promise.all(Array.from({ length: 20 }, () => guarded.submit(anOrder())));
    expect(others.map(({ outcome, calls }) => [outcome.kind, calls.length])).toEqual(
      others.map(() => ['not_executed', 0]),
    );
    release();
    expect((await probe).outcome.kind).toBe('accepted');
    expect(server.heard).toHaveLength(1);
    expect(states).toEqual(['submit open', 'submit half_open', 'submit closed']);
    expect((await guarded.submit(anOrder())).outcome.kind).toBe('accepted');
  });

  test('half open, a failed try opens it again, and the next try comes after the next wait', async () => {
    open(breaks);
    await submitTimes(10);
    await until(() => states.length === 2);
    await submitTimes(1);
    expect(states).toEqual(['submit open', 'submit half_open', 'submit open']);
    expect((await guarded.submit(anOrder())).calls).toEqual([]);
    await until(() => states.length === 4);
    server.play(accepts);
    expect((await guarded.submit(anOrder())).outcome.kind).toBe('accepted');
    expect(states.at(-1)).toBe('submit closed');
  });

  test('a refusal of the order shows that the provider is back', async () => {
    open(breaks);
    await submitTimes(10);
    await until(() => states.length === 2);
    server.play(says(422, { code: 'invalid_parameter' }));
    await submitTimes(1);
    expect(states.at(-1)).toBe('submit closed');
  });

  test('after closing, the outage just survived counts no more', async () => {
    open(breaks);
    await submitTimes(10);
    await until(() => states.length === 2);
    server.play(accepts);
    await submitTimes(1);
    server.play(breaks);
    await submitTimes(8);
    expect(states.at(-1)).toBe('submit closed');
  });

  test.each([
    ['good', accepts, 'accepted'],
    ['bad', breaks, 'unknown'],
  ] as const)('a %s answer to a call from before the outage decides nothing', async (_name, late, kind) => {
    const { script, release } = gate(late);
    open(script, { timeoutMs: 5_000 });
    const old = guarded.submit(anOrder());
    await until(() => server.heard.length === 1);
    server.play(breaks);
    await submitTimes(10);
    await until(() => states.length === 2);
    release();
    expect((await old).outcome.kind).toBe(kind);
    expect(states).toEqual(['submit open', 'submit half_open']);
  });
});
