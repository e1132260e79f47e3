import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Ground, type Launcher } from '../support/launcher.js';

const LAUNCHER = join(import.meta.dirname, 'fake', 'launcher.mjs');
let ground: Ground;

async function openGround(): Promise<void> {
  ground = new Ground();
  await ground.prepare();
}

async function started(): Promise<Launcher> {
  const launcher = ground.start(LAUNCHER);
  await launcher.says('Ctrl-C ends it.');
  return launcher;
}

// A start takes seconds of work, so these tests look at the same one.
describe('a start', () => {
  let first: Launcher;
  beforeAll(async () => {
    await openGround();
    first = await started();
  });
  afterAll(() => ground.clear());

  /** Ends the first start, unless a test before has ended it. */
  async function firstEnds(): Promise<void> {
    if (!first.hasEnded) first.signal('SIGTERM');
    await first.ended();
  }

  const passwordIn = ({ output }: Launcher) => /password: (\S+) \(shown this once\)/.exec(output)?.[1];
  const demoKeyIn = ({ output }: Launcher) => /demo key +(\S+)/.exec(output)?.[1];

  test('brings everything up', () => {
    expect(first.output).toMatch(/^ {2}postgres {15}ready {2}127\.0\.0\.1:\d+$/m);
    expect(first.output).toMatch(/^ {2}worker {17}ready {2}as worker$/m);
    expect(first.output).toMatch(
      /^curl -s -X POST http:\/\/127\.0\.0\.1:\d+\/v1\/recharges -H 'Authorization: Bearer rk_/m,
    );
    expect(ground.leftovers().length).toBeGreaterThan(3);
  });

  test('makes the secrets, readable by their owner only, and gives them to every child', () => {
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
    expect(passwordIn(first)).toHaveLength(16);
    expect(first.output).toMatch(/second factor: otpauth:\/\/totp\/\S+ \(shown this once\)/);
  });

  test('on the folder of a running one names that one and leaves it alone', async () => {
    const second = ground.start(LAUNCHER);
    expect(await second.ended()).toBe(1);
    expect(second.output).toContain(`process ${first.pid}, http://127.0.0.1:${ground.env.INGRESS_PORT}`);
    expect((await fetch(`http://127.0.0.1:${ground.env.INGRESS_PORT}/readyz`)).status).toBe(200);
  });

  test('ends all processes on SIGTERM', async () => {
    const signalledAt = Date.now();
    first.signal('SIGTERM');
    expect(await first.ended()).toBe(0);
    expect(Date.now() - signalledAt).toBeLessThan(30_000);
    expect(ground.leftovers()).toEqual([]);
  });

  test('keeps what an earlier one made, tells which process it waits for, how long and why, and ends on SIGINT', async () => {
    const kept = ground.json('env.json');
    await firstEnds();
    Object.assign(ground.env, { FAKE_INGRESS: 'waits', FAKE_WAIT_TELL_MS: '200' });
    const later = await started();
    expect(ground.json('env.json')).toEqual(kept);
    expect(later.output).not.toContain(passwordIn(first));
    expect([demoKeyIn(later), demoKeyIn(first)]).toEqual([demoKeyIn(first), expect.any(String)]);
    expect(later.output).toMatch(/^ {2}still waiting for ingress, \d+ s: it does not listen yet/m);
    expect(later.output).toMatch(
      /^ {2}still waiting for ingress, \d+ s: it is not ready \(queue: away\).* \(logs: .*\/logs\)$/m,
    );
    expect(later.output).not.toMatch(/still waiting.*(ECONNREFUSED|\{)/);
    later.signal('SIGINT');
    expect(await later.ended()).toBe(0);
    expect(ground.leftovers()).toEqual([]);
  });

  test("with a wrong configuration of a child ends and shows the child's message", async () => {
    await firstEnds();
    Object.assign(ground.env, { FAKE_INGRESS: 'works', FAKE_WORKER: 'hopeless' });
    const launcher = ground.start(LAUNCHER);
    expect(await launcher.ended()).toBe(78);
    expect(launcher.output).toContain('worker refuses its configuration\nSECRET_OF_NOBODY: required');
    expect(ground.leftovers()).toEqual([]);
  });
});

describe('a start that cannot succeed', () => {
  beforeEach(openGround);
  afterEach(() => ground.clear());

  test('for a port that is in use names it with the setting that changes it', async () => {
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
});
