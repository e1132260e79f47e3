import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { until } from '@replenish/testing';
import { Ground, type Launcher } from '../support/launcher.js';

jest.setTimeout(300_000);

const LAUNCHER = join(import.meta.dirname, 'fake', 'launcher.mjs');
let ground: Ground;

beforeEach(async () => {
  ground = new Ground();
  await ground.prepare();
});

afterEach(() => ground.clear());

async function started(): Promise<Launcher> {
  const launcher = ground.start(LAUNCHER);
  await launcher.says('Ctrl-C ends it.');
  return launcher;
}

const pidOf = (name: string): number => Number(ground.read(`${name}.pid`));

test('a child that dies is started again, after a longer wait each time', async () => {
  const launcher = await started();
  process.kill(pidOf('worker'), 'SIGKILL');
  await launcher.says('worker                 ended  (SIGKILL), starts again in 200 ms');
  await until(
    () => (launcher.output.match(/worker +ready/g) ?? []).length === 2,
    { limitMs: 90_000 },
    'a second life',
  );
  process.kill(pidOf('worker'), 'SIGTERM');
  await launcher.says('worker                 ended  (exit code 0), starts again in 400 ms');
  await until(
    () => (launcher.output.match(/worker +ready/g) ?? []).length === 3,
    { limitMs: 90_000 },
    'a third life',
  );
});

test('a PostgreSQL that dies is started again on the same port', async () => {
  const launcher = await started();
  const pid = Number(ground.read('data/postmaster.pid').split('\n')[0]);
  process.kill(pid, 'SIGQUIT');
  await launcher.says(/postgres +ended, starts again\n {2}postgres +ready/);
  const again = ground.read('data/postmaster.pid').split('\n');
  expect(Number(again[0])).not.toBe(pid);
  expect(again[3]).toBe(new URL(ground.json('env.json').DATABASE_URL!).port);
});

test('after kill -9 of the launcher no process is left, and the next start works', async () => {
  const first = await started();
  first.signal('SIGKILL');
  expect(await first.ended()).toBe('SIGKILL');
  const second = await started();
  second.signal('SIGTERM');
  expect(await second.ended()).toBe(0);
  await ground.nothingLeft(90_000);
});

test('a child that ignores SIGTERM is killed', async () => {
  ground.env.FAKE_WORKER = 'stubborn';
  const launcher = await started();
  const signalledAt = Date.now();
  launcher.signal('SIGTERM');
  expect(await launcher.ended()).toBe(0);
  expect(Date.now() - signalledAt).toBeLessThan(120_000);
  expect(ground.leftovers()).toEqual([]);
});

test('after Ctrl-C, which every process gets, the database ends last', async () => {
  ground.env.FAKE_WORKER = 'slow';
  const launcher = await started();
  launcher.ctrlC();
  expect(await launcher.ended()).toBe(0);
  expect(ground.read('worker.last-words')).toBe('still there');
  expect(ground.leftovers()).toEqual([]);
});

test('nothing is started again once the end has begun', async () => {
  Object.assign(ground.env, { FAKE_WORKER: 'hears', FAKE_PREPARE: 'endless' });
  const launcher = ground.start(LAUNCHER);
  for (const name of ['worker                 ready', 'ingress                ready'])
    await launcher.says(name);
  launcher.ctrlC();
  expect(await launcher.ended()).toBe(0);
  const afterwards = launcher.output.split('\nending\n')[1];
  expect(afterwards).toBe('ended\n');
});

test("npm's copy of Ctrl-C is not a second request; a later Ctrl-C forces the end", async () => {
  ground.env.FAKE_WORKER = 'stubborn';
  const launcher = await started();
  const signalledAt = Date.now();
  launcher.signal('SIGINT');
  await launcher.says('ending');
  launcher.signal('SIGINT');
  const isForced = () => {
    launcher.signal('SIGINT');
    return launcher.hasEnded;
  };
  await until(isForced, { limitMs: 90_000, everyMs: 100 }, 'a forced end');
  expect(await launcher.ended()).toBe(130);
  expect(Date.now() - signalledAt).toBeGreaterThan(1_000);
  await ground.nothingLeft(90_000);
});

test('an interrupted start ends as cleanly as a finished one', async () => {
  const launcher = ground.start(LAUNCHER);
  await until(
    () => ground.leftovers().some((line) => line.includes('initdb')),
    { limitMs: 90_000 },
    'initdb',
  );
  launcher.signal('SIGTERM');
  expect(await launcher.ended()).toBe(0);
  // A database that was just being started notices the end by its closed pipe, a moment after the launcher.
  await ground.nothingLeft(90_000);
});
