import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { created, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const recheck = (id: string, by = key) => ingress.call('POST', `/v1/recharges/${id}/recheck`, { key: by });

/** A recharge that was sent, and whose provider has said nothing since. */
async function sent(): Promise<string> {
  const { id: transactionId } = await created(ingress, key);
  await ingress.domain.applyNews({ transactionId, news: 'submit', source: 'submission', reason: 'told' });
  await ingress.domain.applyNews({ transactionId, news: 'accepted', source: 'submission', reason: 'told' });
  return transactionId;
}

test('the provider is asked now: the recharge becomes due, and its worker gets a hint', async () => {
  const id = await sent();
  const { status, body } = await recheck(id);
  expect([status, body.transactionId, body.state]).toEqual([202, id, 'PENDING_CONFIRMATION']);
  const [row] = await ingress.sql('select due_at <= now() as due from recharge_transaction where id = $1', [
    id,
  ]);
  expect(row).toEqual({ due: true });
  expect(ingress.hints).toContainEqual({ queue: 'reconciliation-sandbox', ids: [id] });
});

test('a recharge is asked about at most once in five seconds, however many ask at once', async () => {
  const id = await sent();
  const answers = await Promise.all([recheck(id), recheck(id), recheck(id)]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 429, 429]);
  const limited = answers.find(({ status }) => status === 429)!;
  expectProblem(limited, 429, 'RATE_LIMITED');
  expect(limited.headers.get('retry-after')).toBe('5');
  await ingress.sql("update recheck set at = at - interval '5 s' where transaction_id = $1", [id]);
  expect((await recheck(id)).status).toBe(202);
});

test('where nothing is under way the answer is 409', async () => {
  const { id: unsent } = await created(ingress, key);
  expectProblem(await recheck(unsent), 409, 'INVALID_STATE');
  const done = await sent();
  await ingress.domain.applyNews({ transactionId: done, news: 'settled', source: 'webhook', reason: 'told' });
  expectProblem(await recheck(done), 409, 'INVALID_STATE');
});

test("another client's recharge is not found, and a key that may only read may not ask", async () => {
  const id = await sent();
  expectProblem(await recheck(id, await ingress.client()), 404, 'NOT_FOUND');
  const reader = await ingress.client({ scopes: ['recharges:read'] });
  expectProblem(await recheck(id, reader), 403, 'UNAUTHORIZED');
});
