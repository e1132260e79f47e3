import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { run } from '../../src/run.js';
import { Ground } from '../support/launcher.js';

const REPLENISH = join(import.meta.dirname, '../../bin/replenish.mjs');
// The tests share a folder, so that its database is made once.
const ground = new Ground();
beforeAll(() => ground.prepare());
afterAll(() => ground.clear());

async function demo(args: readonly string[], env = ground.env) {
  const child = spawn(process.execPath, [REPLENISH, 'demo', ...args], { env });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, exitCode };
}

/** Runs a demo that starts no process, in this process. */
async function refused(env: NodeJS.ProcessEnv, ...args: string[]) {
  const complaints: string[] = [];
  const complain = (line: string) => void complaints.push(line);
  const exitCode = await run(['demo', ...args], { env, say: () => {}, complain });
  return { exitCode, complaint: complaints.join() };
}

test('the first start passes on the password that is shown once, and --json prints lines of JSON', async () => {
  const { stdout, stderr, exitCode } = await demo(['--json']);
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

test('--to cloud pays by card, and ends with the transfer in the books of the simulated cloud', async () => {
  const { stdout, exitCode } = await demo(['--to', 'cloud', '--json']);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(exitCode).toBe(0);
  const [collect] = events.map(({ transactionId }) => transactionId);
  const ends = events.filter(
    ({ kind, to, verdict }) => kind === 'transition' && to === 'SUCCEEDED' && verdict === 'moved',
  );
  expect(ends).toMatchObject([
    { transactionId: collect },
    { transactionId: expect.not.stringMatching(collect) },
  ]);
  expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(events.length);
  const posted = events.flatMap(({ kind, slot }) => (kind === 'posting' ? [slot] : []));
  expect(posted).toEqual(['collect', 'hold', 'settle']);
  expect(events.at(-2)).toMatchObject({
    kind: 'balance',
    accountId: 'acct-demo-cloud',
    balances: [{ available: 0, frozen: 0, currency: 'CNY' }],
  });
  expect(events.at(-1)).toMatchObject({ kind: 'transfer', to: 'fa-demo', amount: 4_999, currency: 'CNY' });
  expect(ground.leftovers()).toEqual([]);
}, 120_000);

test('--port is the port of the ingress', async () => {
  const { INGRESS_PORT, ...others } = ground.env;
  const taken = createServer().listen(Number(INGRESS_PORT), '127.0.0.1');
  await once(taken, 'listening');
  const { stdout, exitCode } = await demo(['--port', INGRESS_PORT!], others);
  taken.close();
  expect(exitCode).toBe(1);
  expect(stdout).toContain(`port ${INGRESS_PORT} on 127.0.0.1 is taken`);
});

test.each(['0', '65536', '80.5', 'x'])('--port %s is refused', async (wrong) => {
  expect(await refused(ground.env, '--port', wrong)).toEqual({
    exitCode: 2,
    complaint: expect.stringContaining('from 1 to 65535'),
  });
});

test('--to cloud is refused where money is real', async () => {
  const real = { STRIPE_SECRET_KEY: 'sk_test_own', STRIPE_WEBHOOK_SECRET: 'whsec_own' };
  expect(await refused({ ...ground.env, ...real }, '--to', 'cloud')).toEqual({
    exitCode: 1,
    complaint: 'the demo of a whole recharge needs the simulated Stripe and the simulated Alibaba Cloud',
  });
});

test('a fleet that cannot be started tells why', async () => {
  const taken = createServer().listen(Number(ground.env.SANDBOX_PORT), '127.0.0.1');
  await once(taken, 'listening');
  const { stdout, stderr, exitCode } = await demo([]);
  taken.close();
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'the fleet could not be started\n' });
  expect(stdout).toContain(`port ${ground.env.SANDBOX_PORT} on 127.0.0.1 is taken`);
});
