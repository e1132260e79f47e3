import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { signingKey } from '../src/plain/signature.js';
import { openRig, type Rig, until } from './support/rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ retryFirstMs: 40, retryCapMs: 80, deliveryLimitMs: 1_000, webhookFirstMs: 300 });
});
afterAll(() => rig.close());

test('a webhook that is not accepted is sent again with the same id and growing gaps', async () => {
  const before = structuredClone(rig.sandbox.counters.webhooks);
  rig.receiver.answers.push(500, 401, 302);
  const reference = rig.newReference();
  await rig.submit(reference);
  await until(() => rig.receiver.of(reference).length === 4);
  await until(() => rig.sandbox.counters.webhooks.pending === 0);
  const tries = rig.receiver.of(reference);
  expect(new Set(tries.map(({ id, body }) => id + body)).size).toBe(1);
  expect(tries[1]!.atMs - tries[0]!.atMs).toBeGreaterThanOrEqual(20);
  expect(tries[3]!.atMs - tries[2]!.atMs).toBeGreaterThanOrEqual(40);
  const { sent, failed, abandoned } = rig.sandbox.counters.webhooks;
  expect([sent - before.sent, failed - before.failed, abandoned]).toEqual([1, 3, 0]);
});

test('after a delivery without an answer, the webhook is sent again', async () => {
  rig.receiver.answers.push('silence');
  const reference = rig.newReference();
  await rig.submit(reference);
  await until(() => rig.receiver.of(reference).length === 2);
  const [first, second] = rig.receiver.of(reference);
  expect([second!.id, second!.atMs - first!.atMs >= 990]).toEqual([first!.id, true]);
});

test('webhook_first answers after its time limit when the webhook is not accepted', async () => {
  rig.receiver.answers.push('silence');
  const reference = rig.newReference();
  const startedMs = Date.now();
  expect((await rig.submit(reference, { scenario: 'webhook_first' })).status).toBe(201);
  expect(Date.now() - startedMs).toBeGreaterThanOrEqual(290);
  await until(() => rig.receiver.of(reference).length === 2);
});

test('after twenty failed attempts a webhook is abandoned and counted', async () => {
  const before = rig.sandbox.counters.webhooks.failed;
  rig.receiver.answers.push(...Array.from({ length: 20 }, () => 500));
  const reference = rig.newReference();
  await rig.submit(reference);
  await until(() => rig.sandbox.counters.webhooks.abandoned === 1);
  expect([rig.receiver.of(reference).length, rig.sandbox.counters.webhooks.failed - before]).toEqual([
    20, 20,
  ]);
  expect(rig.sandbox.counters.webhooks.pending).toBe(0);
});

test('an invalid secret is refused', () => {
  for (const wrong of ['', 'secret', 'whsec_', 'whsec_not base64!'])
    expect(() => signingKey(wrong)).toThrow('whsec_');
});
