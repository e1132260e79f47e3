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

test('opens at the tenth call of an outage, for that operation, and lets nothing through', async () => {
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
  expect(server.heard).toHaveLength(10);
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
])('%s never open it', async (_name, script) => {
  open(script);
  await submitTimes(30);
  expect(states).toEqual([]);
  expect(server.heard).toHaveLength(30);
});

test('absent orders never open it', async () => {
  open(says(200, { orders: [] }));
  for (let call = 0; call < 30; call++) await guarded.find(anOrder());
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
