import { expect, test } from '@jest/globals';
import { sandboxProvider } from '../../src/sandbox/provider.js';
import { anOrder } from '../support/builders.js';
import {
  accepts,
  around,
  breaker,
  breaks,
  gate,
  guarded,
  open,
  server,
  states,
  submitTimes,
  until,
} from '../support/guard-bench.js';
import { openScriptedServer, type Script, says } from '../support/scripted-server.js';

test('the breaker of one operation opens at the tenth failed call and refuses further calls', async () => {
  open(breaks);
  await submitTimes(9);
  expect(guarded.isOpen('submit')).toBeNull();
  await submitTimes(1);
  expect(states).toEqual(['submit open']);
  const nowMs = Date.now();
  expect(guarded.isOpen('submit')?.retryAtMs).toBeGreaterThan(nowMs);
  expect(guarded.isOpen('submit')?.retryAtMs).toBeLessThanOrEqual(nowMs + breaker.resetMs + 1_000);
  const { outcome, calls } = await guarded.submit(anOrder());
  expect(outcome).toMatchObject({ kind: 'not_executed', cause: 'unavailable' });
  expect((outcome as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
  expect(calls).toEqual([]);
  expect(server.requests).toHaveLength(10);
  expect(guarded.isOpen('query')).toBeNull();
});

test('an unreachable provider is an outage', async () => {
  const gone = await openScriptedServer();
  await gone.close();
  around(sandboxProvider({ baseUrl: gone.url }));
  await submitTimes(4);
  expect(states).toEqual(['submit open']);
});

test.each<[string, Script]>([
  ['refusals', says(422, { code: 'invalid_parameter' })],
  ['rate limits', says(429, { code: 'rate_limited' }, { 'retry-after': '60' })],
  ['taken orders', accepts],
])('%s never open the breaker', async (_name, script) => {
  open(script);
  await submitTimes(30);
  expect(states).toEqual([]);
  expect(server.requests).toHaveLength(30);
});

test('absent orders never open the breaker', async () => {
  open(says(200, { orders: [] }));
  for (let call = 0; call < 30; call++) await guarded.find(anOrder());
  expect(states).toEqual([]);
});

test('the breaker opens when more than half of the calls fail, not at half', async () => {
  open(accepts);
  await submitTimes(10);
  server.play(breaks);
  await submitTimes(10);
  expect(states).toEqual([]);
  await submitTimes(1);
  expect(states).toEqual(['submit open']);
});

test('a half-open breaker admits one call and refuses the others; the success of that call closes it', async () => {
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
  expect(server.requests).toHaveLength(1);
  expect(states).toEqual(['submit open', 'submit half_open', 'submit closed']);
  expect((await guarded.submit(anOrder())).outcome.kind).toBe('accepted');
});

test('a failed probe reopens the breaker, and the next probe is admitted after another wait', async () => {
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

test('a refused order closes a half-open breaker', async () => {
  open(breaks);
  await submitTimes(10);
  await until(() => states.length === 2);
  server.play(says(422, { code: 'invalid_parameter' }));
  await submitTimes(1);
  expect(states.at(-1)).toBe('submit closed');
});

test('after the breaker closes, failures from before do not count', async () => {
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
] as const)(
  'a %s answer to a call from before the opening does not change the breaker',
  async (_name, late, kind) => {
    const { script, release } = gate(late);
    open(script, { timeoutMs: 5_000 });
    const old = guarded.submit(anOrder());
    await until(() => server.requests.length === 1);
    server.play(breaks);
    await submitTimes(10);
    await until(() => states.length === 2);
    release();
    expect((await old).outcome.kind).toBe(kind);
    expect(states).toEqual(['submit open', 'submit half_open']);
  },
);
