import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { Provider } from '../../src/contract/provider.js';
import type { Attempt } from '../../src/guard/attempt.js';
import { type GuardOptions, guard } from '../../src/guard/guard.js';
import type { GuardedProvider } from '../../src/guard/guarded-provider.js';
import { sandboxProvider } from '../../src/sandbox/provider.js';
import { anOrder, aSandboxOrder } from './builders.js';
import { openScriptedServer, type Script, type ScriptedServer, says } from './scripted-server.js';

export const breaker = { outagePercentage: 50, callsMin: 10, windowMs: 10_000, resetMs: 200 };
export const quick = { breaker, backoffMs: 5, retryBudgetMs: 500, graceMs: 50 };

// The state of the running test. Importing files see the new values, because imports of `let` are live.
export let server: ScriptedServer;
export let guarded: GuardedProvider;
export let states: string[];
export let bugs: unknown[];
export let reportedAttempts: Attempt[];

beforeAll(async () => {
  server = await openScriptedServer();
});
afterAll(() => server.close());
beforeEach(() => {
  states = [];
  bugs = [];
  reportedAttempts = [];
});
afterEach(() => guarded.close());

/** Puts a guard around a provider, with limits of milliseconds. */
export function around(provider: Provider, changes: Partial<GuardOptions> = {}): GuardedProvider {
  guarded = guard(provider, {
    timeoutMs: 2_000,
    limits: quick,
    onBreaker: (operation, state) => states.push(`${operation} ${state}`),
    onCall: (record) => reportedAttempts.push(record),
    onBug: (error) => bugs.push(error),
    ...changes,
  });
  return guarded;
}

/** Opens a guarded sandbox provider whose server answers with `script`. */
export function open(script: Script, changes: Partial<GuardOptions> = {}): GuardedProvider {
  server.play(script);
  return around(sandboxProvider({ baseUrl: server.url }), changes);
}

export const accepts: Script = (response, request) => {
  const { reference } = JSON.parse(request.body);
  says(201, aSandboxOrder({ reference }))(response, request);
};
export const breaks = says(500, { code: 'internal_error' });
export const isBusy = says(503, { code: 'unavailable' });

export async function until(isTrue: () => boolean): Promise<void> {
  const endsMs = performance.now() + 5_000;
  while (!isTrue()) {
    if (performance.now() > endsMs) throw new Error(`waited in vain: ${isTrue}`);
    await sleep(5);
  }
}

export async function submitTimes(times: number): Promise<void> {
  for (let call = 0; call < times; call++) await guarded.submit(anOrder());
}

/** A script that holds back every answer until `release` is called. */
export function gate(then: Script): { script: Script; release: () => void } {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const script: Script = (response, request) => held.then(() => then(response, request));
  return { script, release };
}
