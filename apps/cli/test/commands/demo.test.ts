import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import { run } from '../../src/run.js';
import { livingHolder } from '../../src/start/state/lock.js';
import { Ground } from '../support/launcher.js';

const REPLENISH = join(import.meta.dirname, '../../bin/replenish.mjs');
// The tests share a folder, so that its database is made once.
const ground = new Ground();
beforeAll(() => ground.prepare());
afterAll(() => ground.clear());

/** Starts a demo in a process of its own, which starts the fleet as well. */
function started(args: readonly string[], env = ground.env) {
  const child = spawn(process.execPath, [REPLENISH, 'demo', ...args], { env });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(
    ([stdout, stderr, [exitCode]]) => ({ stdout, stderr, exitCode }),
  );
  return { child, ended };
}

/** Runs a demo in this process. The fleet that it needs runs already. */
async function joined(...args: readonly string[]) {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const exitCode = await run(['demo', ...args], { env: ground.env, say, complain: () => {} });
  return { stdout: said.join('\n'), exitCode };
}

const eventsIn = ({ stdout }: { stdout: string }) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Runs a demo that starts no process, in this process. */
async function refused(env: NodeJS.ProcessEnv, ...args: string[]) {
  const complaints: string[] = [];
  const complain = (line: string) => void complaints.push(line);
  const exitCode = await run(['demo', ...args], { env, say: () => {}, complain });
  return { exitCode, complaint: complaints.join() };
}

// A start takes many seconds of work, so both demos look at the same one.
describe('a demo that starts the fleet, and one that finds it running', () => {
  let plain: Awaited<ReturnType<typeof joined>>;
  let whole: Awaited<ReturnType<typeof started>['ended']>;
  beforeAll(async () => {
    const first = started(['--to', 'cloud', '--json']);
    await until(() => livingHolder(ground.dir), { limitMs: 60_000 }, 'a fleet that starts');
    // The first demo stops its fleet at its end. It is frozen, so that its end comes after that of the second demo.
    first.child.kill('SIGSTOP');
    try {
      plain = await joined('--json');
    } finally {
      first.child.kill('SIGCONT');
    }
    whole = await first.ended;
    for (const { exitCode, stdout } of [plain, whole])
      if (exitCode !== 0)
        throw new Error(`a demo ended with ${exitCode}: ${stdout.trim().split('\n').at(-1)}`);
  }, 240_000);

  test('the first start passes on the password that is shown once, and leaves no process', () => {
    expect(whole).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/dashboard .*password: \S{16} \(shown this once\)/),
    });
    expect(ground.leftovers()).toEqual([]);
  });

  test('--json prints lines of JSON', () => {
    expect(plain.exitCode).toBe(0);
    const events = eventsIn(plain);
    expect(events[0]).toMatchObject({ kind: 'request' });
    expect(events).toContainEqual(expect.objectContaining({ kind: 'transition', to: 'SUCCEEDED' }));
    expect(events.at(-1)).toMatchObject({ kind: 'balance', accountId: 'acct-demo' });
  });

  test('--to cloud pays by card, and ends with the transfer in the books of the simulated cloud', () => {
    const events = eventsIn(whole);
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
  });
});

test('--port is the port of the ingress, and a fleet that cannot be started tells why', async () => {
  const { INGRESS_PORT, ...others } = ground.env;
  const taken = createServer().listen(Number(INGRESS_PORT), '127.0.0.1');
  await once(taken, 'listening');
  const { stdout, stderr, exitCode } = await started(['--port', INGRESS_PORT!], others).ended;
  taken.close();
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'the fleet could not be started\n' });
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
