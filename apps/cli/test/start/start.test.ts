import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
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
