import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openRig, type Rig, until } from './support/rig.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig({ settlementMs: 200, slowAnswerMs: 1_500 });
});
afterEach(() => rig.close());

test('down: calls get no answer and do nothing, and the control API still works', async () => {
  await rig.outage('down');
  const reference = rig.newReference();
  expect([(await rig.submit(reference)).status, (await rig.query(reference)).status]).toEqual([
    'none',
    'none',
  ]);
  expect(await rig.inspect(reference)).toEqual([]);
  expect(await rig.calls(reference)).toEqual(['submit none', 'query none']);
  expect((await rig.call('GET', '/healthz')).status).toBe(200);
  await rig.outage('none');
  expect((await rig.submit(reference)).status).toBe(201);
});

test('down: orders settle, and their webhooks wait until the outage ends', async () => {
  const reference = rig.newReference();
  await rig.submit(reference);
  await rig.outage('down');
  await until(async () => (await rig.inspect(reference))[0].status === 'settled');
  expect([rig.sandbox.counters.webhooks.pending, rig.receiver.received]).toEqual([1, []]);
  await rig.outage('none');
  await until(() => rig.receiver.of(reference).length === 1);
});

test('slow: the order is created at once and answered late', async () => {
  await rig.outage('slow');
  const reference = rig.newReference();
  const startedMs = Date.now();
  const answer = rig.submit(reference);
  const isAnswered = answer.then(() => true);
  await until(async () => (await rig.inspect(reference)).length === 1);
  expect(await Promise.race([isAnswered, false])).toBe(false);
  expect((await answer).status).toBe(201);
  expect(Date.now() - startedMs).toBeGreaterThanOrEqual(1_490);
});

test('slow: a caller that disconnected is logged without an answer', async () => {
  await rig.outage('slow');
  const reference = rig.newReference();
  expect((await rig.submit(reference, {}, 100)).status).toBe('none');
  await until(async () => (await rig.calls(reference)).length === 1);
  expect(await rig.calls(reference)).toEqual(['submit none']);
  expect(await rig.inspect(reference)).toHaveLength(1);
});

test('errors: calls get a 500 and do nothing', async () => {
  await rig.outage('errors');
  const reference = rig.newReference();
  const { status, body } = await rig.submit(reference);
  expect([status, body.code, (await rig.query(reference)).status]).toEqual([500, 'internal_error', 500]);
  await rig.outage('none');
  expect((await rig.query(reference)).body.orders).toEqual([]);
});

test.each(['broken', undefined, 'toString', 5])('mode %j is refused', async (mode) => {
  const { status, body } = await rig.outage(mode);
  expect([status, body.message]).toEqual([400, 'mode: must be one of none, down, slow, errors']);
  expect((await rig.call('GET', '/_control/stats')).body.outage).toBe('none');
});
