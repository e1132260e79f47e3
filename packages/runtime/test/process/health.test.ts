import { expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import { Health } from '../../src/process/health.js';

/** A dependency that counts its checks and fails with `fault`, if it is set. */
function dependency() {
  const state = { checks: 0, fault: null as string | null };
  const check = async () => {
    state.checks++;
    if (state.fault) throw new Error(state.fault);
  };
  return { state, check };
}

test('a thousand callers at once share one check, whose result is used for a second', async () => {
  const { state, check } = dependency();
  const health = new Health();
  health.add('database', check);
  const reports = await Promise.all(Array.from({ length: 1_000 }, () => health.ready()));
  expect(new Set(reports)).toEqual(new Set([{ ok: true, checks: { database: 'ok' } }]));
  await health.ready();
  expect(state.checks).toBe(1);
  await until(() => health.ready().then(() => state.checks === 2), { limitMs: 30_000 }, 'a second look');
});

test('the report says in words what is wrong with each dependency', async () => {
  const [database, queue] = [dependency(), dependency()];
  const health = new Health();
  health.add('database', database.check);
  health.add('queue', queue.check);
  queue.state.fault = 'Redis is full';
  expect(await health.ready()).toEqual({ ok: false, checks: { database: 'ok', queue: 'Redis is full' } });
});

test('a change of a check is logged once, however often readiness is read', async () => {
  const lines: string[] = [];
  const log = (level: string) => (_: object, line: string) => void lines.push(`${level} ${line}`);
  const { state, check } = dependency();
  const health = new Health({ warn: log('warn'), info: log('info') } as never);
  health.add('database', check);
  const looks = async (times: number) => {
    const from = state.checks;
    await until(() => health.ready().then(() => state.checks >= from + times), { limitMs: 10_000 }, 'looks');
  };
  await looks(1);
  state.fault = 'it is a replica';
  await looks(2);
  state.fault = null;
  await looks(2);
  expect(lines).toEqual(['warn not ready: database: it is a replica', 'info ready again: database']);
}, 20_000);

test('a check without an answer is reported after two seconds, and is not started again meanwhile', async () => {
  let begun = 0;
  const health = new Health();
  health.add('database', () => {
    begun++;
    return new Promise(() => {});
  });
  expect(await health.ready()).toEqual({ ok: false, checks: { database: 'no answer in 2000 ms' } });
  expect(await health.ready()).toMatchObject({ ok: false });
  expect(begun).toBe(1);
}, 10_000);
