import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openStore } from '../src/machine/store/store.js';
import { SECRET } from './support/receiver.js';
import { openRig, type Rig, until } from './support/rig.js';

let rig: Rig;
const children: ChildProcess[] = [];
beforeEach(async () => {
  rig = await openRig({ settlementMs: 1_000 });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rig.close();
});

test('a pending order settles after the restart, and its webhook is sent', async () => {
  const reference = rig.newReference();
  const { body } = await rig.submit(reference);
  await rig.sandbox.close();
  await rig.start();
  expect((await rig.inspect(reference))[0]).toMatchObject({ id: body.id, status: 'pending' });
  await until(() => rig.receiver.of(reference).length === 1);
  expect((await rig.inspect(reference))[0].status).toBe('settled');
  expect((await rig.submit(reference)).body.id).toBe(body.id);
});

test('a delivery that the end of the process aborts is repeated after the restart, with the same id', async () => {
  rig.receiver.answers.push('silence');
  const reference = rig.newReference();
  await rig.submit(reference);
  await until(() => rig.receiver.of(reference).length === 1);
  await rig.sandbox.close();
  await rig.start();
  await until(() => rig.receiver.of(reference).length === 2);
  const [first, second] = rig.receiver.of(reference);
  expect([second?.id, second?.body]).toEqual([first?.id, first?.body]);
  await until(() => rig.sandbox.counters.webhooks.pending === 0);
});

test('refusals, contacts and counters survive a restart, an outage does not', async () => {
  const reference = rig.newReference();
  const scenario = 'server_error_then_ok';
  expect((await rig.submit(reference, { scenario })).status).toBe(503);
  await rig.outage('errors');
  await rig.sandbox.close();
  await rig.start();
  expect((await rig.submit(reference, { scenario })).status).toBe(503);
  expect((await rig.submit(reference, { scenario })).status).toBe(201);
  expect(await rig.calls(reference)).toEqual(['submit 503', 'submit 503', 'submit 201']);
  expect(rig.sandbox.counters.submits).toBe(3);
});

test('a step and a webhook without their order are dropped, and other work continues', async () => {
  await rig.sandbox.close();
  const store = openStore(rig.dataDir);
  await Promise.all([
    store.steps.put([1, 'lost'], { reference: 'lost', index: 0 }),
    store.deliveries.put([1, 'lost/0'], { reference: 'lost', status: 'settled', failures: 0 }),
  ]);
  await store.close();
  await rig.start();
  const reference = rig.newReference();
  await rig.submit(reference);
  await until(() => rig.receiver.of(reference).length === 1);
  await rig.sandbox.close();
  const after = openStore(rig.dataDir);
  expect([after.steps.get([1, 'lost']), after.deliveries.get([1, 'lost/0'])]).toEqual([undefined, undefined]);
  await after.close();
  await rig.start();
});

test('an open call does not delay the end of the process', async () => {
  const reference = rig.newReference();
  const held = rig.submit(reference, { scenario: 'timeout_after_charge' });
  const waiting = rig.submit(rig.newReference(), {
    scenario: 'webhook_first',
    notifyUrl: 'http://127.0.0.1:9/',
  });
  await until(async () => (await rig.inspect(reference)).length === 1);
  await rig.sandbox.close();
  expect([(await held).status, (await waiting).status]).toEqual(['none', 'none']);
  await rig.start();
  expect((await rig.inspect(reference))[0].status).toBe('settled');
});

test('a process that is killed with kill -9 loses no answered order and no webhook', async () => {
  const dataDir = join(rig.dataDir, 'process');
  const first = await startProcess({ SANDBOX_DATA_DIR: dataDir });
  const submitted: string[] = [];
  // No webhook is accepted before the kill, so all of them are still to be delivered after it.
  rig.receiver.answers.push(...Array<number>(5_000).fill(503));
  const load = Array.from({ length: 8 }, async () => {
    while (submitted.length < 150) {
      const reference = rig.newReference();
      const { status } = await post(first.url, reference);
      if (status === 201) submitted.push(reference);
    }
  });
  await Promise.all(load);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  expect(rig.receiver.answers.length).toBeGreaterThan(0);
  rig.receiver.answers.length = 0;
  const refused = rig.receiver.received.length;

  const second = await startProcess({ SANDBOX_DATA_DIR: dataDir });
  const accepted = () => new Set(rig.receiver.received.slice(refused).map(({ order }) => order.reference));
  await until(() => accepted().size >= submitted.length, 50_000);
  const stats = (await (await fetch(`${second.url}/_control/stats`)).json()) as {
    orders: Record<string, number>;
  };
  expect(stats.orders.settled! + stats.orders.pending!).toBeGreaterThanOrEqual(submitted.length);
  const ids = new Map(rig.receiver.received.map(({ order, id }) => [order.reference, id]));
  for (const { order, id } of rig.receiver.received) expect(ids.get(order.reference)).toBe(id);
});

test('a process without a secret ends with an error that says so', async () => {
  const { output, code } = await runProcess({ SANDBOX_WEBHOOK_SECRET: '' });
  expect(code).toBe(78);
  expect(output()).toContain('SANDBOX_WEBHOOK_SECRET is not set');
});

const post = (url: string, reference: string) =>
  fetch(`${url}/v1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': reference },
    body: JSON.stringify(rig.body(reference)),
  });

function launch(env: Record<string, string>) {
  const main = join(import.meta.dirname, '../dist/main.js');
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      REPLENISH_DIR: rig.dataDir,
      SANDBOX_PORT: '0',
      METRICS_PORT: '0',
      SANDBOX_WEBHOOK_SECRET: SECRET,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return { child, output: () => output };
}

async function startProcess(env: Record<string, string>) {
  const { child, output } = launch(env);
  await until(() => output().includes('ready: http'), 20_000);
  return { child, url: /ready: (http:\/\/[^"]+)/.exec(output())![1]! };
}

async function runProcess(env: Record<string, string>) {
  const { child, output } = launch(env);
  const [code] = await once(child, 'exit');
  return { code, output };
}
