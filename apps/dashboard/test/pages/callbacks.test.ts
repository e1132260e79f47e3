import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import { fieldIn, linksIn, openConsoleOnBooks, type ServedConsole } from './support/console.js';

let served: ServedConsole;
beforeAll(async () => {
  served = await openConsoleOnBooks();
});
afterAll(() => served.close());

const HOSTILE = 'https://shop.example/"><script>alert(1)</script>';

/** A recharge whose event was posted once and is given up. Returns the id of the delivery. */
async function failed(callbackUrl: string): Promise<string> {
  const transactionId = await served.recharge({ callbackUrl });
  await execute(
    served.databaseUrl,
    `update callback_delivery set status = 'failed', due_at = null, tries = 1,
      attempts = '[{"at": "2026-11-28T00:00:00Z", "httpStatus": 500, "error": "answered 500", "durationMs": 3}]'
    where transaction_id = '${transactionId}'`,
  );
  const page = await served.domain.console.callbackDeliveries({ status: null, beforeId: null, limit: 100 });
  return page.rows.find((row) => row.transactionId === transactionId)!.id;
}

const statusOf = async (id: string) => (await served.domain.console.callbackDelivery(id))?.status;

test('everybody sees the deliveries of all clients with their last answer, and texts of others as text', async () => {
  const id = await failed(HOSTILE);
  for (const role of ['viewer', 'operator', 'approver', 'admin'] as const) {
    const list = await served.get('/callbacks', role);
    expect([list.status, list.text.includes('answered 500')]).toEqual([200, true]);
    expect(list.text).not.toContain('<script>alert');
    expect(linksIn(list).includes(`/callbacks/${id}/replay`)).toBe(role === 'operator' || role === 'admin');
  }
  expect((await served.get('/callbacks?status=delivered')).text).not.toContain('answered 500');
  expect((await served.get('/callbacks?lang=zh')).text).toContain('重新投递');
  expect((await served.get('/callbacks/none/replay')).status).toBe(404);
});

test('a replay makes the delivery due again, once, with actor and reason on record', async () => {
  const id = await failed('https://shop.example/callback');
  const path = `/callbacks/${id}/replay`;
  const fields = { stamp: fieldIn(await served.get(path), 'stamp'), reason: 'their server is back' };
  for (const role of ['viewer', 'approver'] as const)
    expect((await served.send(path, fields, role)).status).toBe(403);
  expect((await served.send(path, { ...fields, reason: '' })).status).toBe(400);
  expect(await statusOf(id)).toBe('failed');
  const answers = [(await served.send(path, fields)).status, (await served.send(path, fields)).status];
  expect([answers, await statusOf(id)]).toEqual([[303, 409], 'pending']);
  const acts = await served.domain.console.actions(null, 50);
  expect(acts.filter(({ subject }) => subject === `delivery ${id}`)).toMatchObject([
    { actor: 'mia', role: 'operator', verb: 'console_replay', reason: 'their server is back' },
  ]);
});
