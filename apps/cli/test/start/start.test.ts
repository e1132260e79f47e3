import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import { Ground, type Launcher } from '../support/launcher.js';

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

test('a start brings everything up, and SIGTERM ends all processes', async () => {
  const launcher = await started();
  expect(launcher.output).toMatch(/^ {2}postgres {15}ready {2}127\.0\.0\.1:\d+$/m);
  expect(launcher.output).toMatch(/^ {2}worker {17}ready {2}as worker$/m);
  expect(launcher.output).toMatch(
    /^curl -s -X POST http:\/\/127\.0\.0\.1:\d+\/v1\/recharges -H 'Authorization: Bearer rk_/m,
  );
  expect(ground.leftovers().length).toBeGreaterThan(3);

  const signalledAt = Date.now();
  launcher.signal('SIGTERM');
  expect(await launcher.ended()).toBe(0);
  expect(Date.now() - signalledAt).toBeLessThan(30_000);
  expect(ground.leftovers()).toEqual([]);
});

test('a waiting start tells which process it waits for, for how long and why', async () => {
  Object.assign(ground.env, { FAKE_INGRESS: 'waits', FAKE_WAIT_TELL_MS: '200' });
  const launcher = await started();
  expect(launcher.output).toMatch(/^ {2}still waiting for ingress, \d+ s: it does not listen yet/m);
  expect(launcher.output).toMatch(
    /^ {2}still waiting for ingress, \d+ s: it is not ready \(queue: away\).* \(logs: .*\/logs\)$/m,
  );
  expect(launcher.output).not.toMatch(/still waiting.*(ECONNREFUSED|\{)/);
});

test('a second start on the same folder names the running one and leaves it alone', async () => {
  const first = await started();
  const second = ground.start(LAUNCHER);
  expect(await second.ended()).toBe(1);
  expect(second.output).toContain(`process ${first.pid}, http://127.0.0.1:${ground.env.INGRESS_PORT}`);
  expect((await fetch(`http://127.0.0.1:${ground.env.INGRESS_PORT}/readyz`)).status).toBe(200);
});

test('secrets and the demo client are made once, can be read by their owner only, and are given to every child', async () => {
  const first = await started();
  const kept = ground.json('env.json');
  expect(kept).toMatchObject({
    SANDBOX_WEBHOOK_SECRET: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    DATABASE_URL: expect.stringMatching(/^postgresql:\/\/replenish:/),
  });
  const ofProcesses = { DATABASE_URL: expect.stringMatching(/^postgresql:\/\/replenish_app:/) };
  expect(ground.json('worker.env.json')).toMatchObject({ ...kept, ...ofProcesses });
  const modes = ['', 'env.json', 'demo-client.json', 'password', 'app-password'].map(
    (name) => statSync(join(ground.dir, name)).mode & 0o777,
  );
  expect(modes).toEqual([0o700, 0o600, 0o600, 0o600, 0o600]);
  const password = /password: (\S+) \(shown this once\)/.exec(first.output)?.[1];
  expect(password).toHaveLength(16);
  expect(first.output).toMatch(/second factor: otpauth:\/\/totp\/\S+ \(shown this once\)/);
  first.signal('SIGINT');
  expect(await first.ended()).toBe(0);

  const second = await started();
  expect(ground.json('env.json')).toEqual(kept);
  expect(second.output).not.toContain(password);
  const keyIn = (output: string) => /demo key +(\S+)/.exec(output)?.[1];
  expect(keyIn(second.output)).toBe(keyIn(first.output));
});

test('a child that dies is started again, after a longer wait each time', async () => {
  const launcher = await started();
  process.kill(pidOf('worker'), 'SIGKILL');
  await launcher.says('worker                 ended  (SIGKILL), starts again in 200 ms');
  await until(
    () => (launcher.output.match(/worker +ready/g) ?? []).length === 2,
    { limitMs: 30_000 },
    'a second life',
  );
  process.kill(pidOf('worker'), 'SIGTERM');
  await launcher.says('worker                 ended  (exit code 0), starts again in 400 ms');
  await until(
    () => (launcher.output.match(/worker +ready/g) ?? []).length === 3,
    { limitMs: 30_000 },
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
  await ground.nothingLeft(30_000);
});

test('a child that ignores SIGTERM is killed', async () => {
  ground.env.FAKE_WORKER = 'stubborn';
  const launcher = await started();
  const signalledAt = Date.now();
  launcher.signal('SIGTERM');
  expect(await launcher.ended()).toBe(0);
  expect(Date.now() - signalledAt).toBeLessThan(30_000);
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
  await until(isForced, { limitMs: 30_000, everyMs: 100 }, 'a forced end');
  expect(await launcher.ended()).toBe(130);
  expect(Date.now() - signalledAt).toBeGreaterThan(1_000);
  await ground.nothingLeft(3_000);
});

test("a wrong configuration of a child ends the start and shows the child's message", async () => {
  ground.env.FAKE_WORKER = 'hopeless';
  const launcher = ground.start(LAUNCHER);
  expect(await launcher.ended()).toBe(78);
  expect(launcher.output).toContain('worker refuses its configuration\nSECRET_OF_NOBODY: required');
  expect(ground.leftovers()).toEqual([]);
});

test('a port that is in use is named with the setting that changes it', async () => {
  const taken = createServer().listen(Number(ground.env.SANDBOX_PORT), '127.0.0.1');
  await once(taken, 'listening');
  const launcher = ground.start(LAUNCHER);
  expect(await launcher.ended()).toBe(1);
  taken.close();
  expect(launcher.output).toContain(`port ${ground.env.SANDBOX_PORT} on 127.0.0.1 is taken`);
  expect(launcher.output).toContain('SANDBOX_PORT');
});

test('in production no secret and no database is made: what is missing is named', async () => {
  ground.env.NODE_ENV = 'production';
  const launcher = ground.start(LAUNCHER);
  expect(await launcher.ended()).toBe(1);
  expect(launcher.output).toContain('set DATABASE_URL');
  expect(() => ground.read('env.json')).toThrow('ENOENT');
});

test('an interrupted start ends as cleanly as a finished one', async () => {
  const launcher = ground.start(LAUNCHER);
  await until(
    () => ground.leftovers().some((line) => line.includes('initdb')),
    { limitMs: 10_000 },
    'initdb',
  );
  launcher.signal('SIGTERM');
  expect(await launcher.ended()).toBe(0);
  // A database that was just being started notices the end by its closed pipe, a moment after the launcher.
  await ground.nothingLeft(30_000);
});
