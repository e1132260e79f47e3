import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  bearer,
  client,
  type Fleet,
  get,
  post,
  processesNaming,
  sandboxOrders,
  startFleet,
  until,
} from '../src/index.js';

let fleet: Fleet;
let headers: { authorization: string };

beforeAll(async () => {
  fleet = await startFleet({ ingress: 2 });
  headers = { authorization: bearer(await client(fleet)) };
});

afterAll(() => fleet?.stop());

const recharge = { accountId: 'acct-1001', amount: 4999, currency: 'USD', paymentMethod: 'sandbox' };

const settled = (transactionId: string) =>
  until(
    async () => (await get(fleet, `/v1/recharges/${transactionId}`, headers)).body.state === 'SUCCEEDED',
    { limitMs: 20_000 },
    `${transactionId} SUCCEEDED`,
  );

test('each ingress answers, and a recharge succeeds', async () => {
  const ready = await Promise.all(fleet.ingressUrls.map((url) => fetch(`${url}/readyz`)));
  expect(ready.map(({ status }) => status)).toEqual([200, 200]);
  const answer = await post(fleet, recharge, headers);
  expect(answer.status).toBe(202);
  await settled(answer.body.transactionId);
  expect(await sandboxOrders(fleet, answer.body.transactionId)).toMatchObject([
    { amount: 4999, status: 'settled' },
  ]);
});

test('an armed crash point kills once, the process is restarted, and the money arrives once', async () => {
  const before = fleet.process('submission-worker').pid;
  fleet.arm('submission.after-call');
  const answer = await post(fleet, recharge, headers);
  await fleet.crashed('submission.after-call');
  await settled(answer.body.transactionId);
  // The webhook may arrive before the fleet notices the dead process.
  const isAnother = () => fleet.process('submission-worker').starts > 1;
  await until(isAnother, { limitMs: 20_000 }, 'another submission worker');
  await fleet.ready();
  expect(fleet.process('submission-worker').pid).not.toBe(before);
  expect(fleet.process('submission-worker').starts).toBe(2);
  expect(await sandboxOrders(fleet, answer.body.transactionId)).toHaveLength(1);
});

test('without keepAlive a dead process is not restarted', async () => {
  fleet.keepAlive(false);
  fleet.process('webhook-worker').kill();
  await until(() => !fleet.process('webhook-worker').isAlive, { limitMs: 30_000 }, 'a dead webhook worker');
  expect(() => fleet.process('webhook-worker').pid).toThrow('webhook-worker 0 is not alive');
  fleet.keepAlive(true);
  fleet.process('webhook-worker').start();
  await fleet.ready();
  expect(fleet.logs('webhook-worker')).toContain('ready');
});

test('a stopped fleet leaves no process and no database', async () => {
  const other = await startFleet({ processes: ['sandbox'] });
  expect(processesNaming(other.dir)).toHaveLength(1);
  await other.stop();
  expect(processesNaming(other.dir)).toEqual([]);
});
