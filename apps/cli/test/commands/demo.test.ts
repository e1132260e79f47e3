import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Ground } from '../support/launcher.js';

const REPLENISH = join(import.meta.dirname, '../../bin/replenish.mjs');
let ground: Ground;
beforeEach(async () => {
  ground = new Ground();
  await ground.prepare();
});
afterEach(() => ground.clear());

async function demo(...args: string[]) {
  const child = spawn(process.execPath, [REPLENISH, 'demo', ...args], { env: ground.env });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, exitCode };
}

test('the first start passes on the password that is shown once, and --json prints lines of JSON', async () => {
  const { stdout, stderr, exitCode } = await demo('--json');
  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr: expect.stringMatching(/dashboard .*password: \S{16} \(shown this once\)/),
  });
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events[0]).toMatchObject({ kind: 'request' });
  expect(events).toContainEqual(expect.objectContaining({ kind: 'transition', to: 'SUCCEEDED' }));
  expect(events.at(-1)).toMatchObject({ kind: 'balance', accountId: 'acct-demo' });
  expect(ground.leftovers()).toEqual([]);
}, 120_000);

test('a fleet that cannot be started tells why', async () => {
  const taken = createServer().listen(Number(ground.env.SANDBOX_PORT), '127.0.0.1');
  await once(taken, 'listening');
  const { stdout, stderr, exitCode } = await demo();
  taken.close();
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'the fleet could not be started\n' });
  expect(stdout).toContain(`port ${ground.env.SANDBOX_PORT} on 127.0.0.1 is taken`);
});
