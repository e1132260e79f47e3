import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type NewKey, newsOfOrder } from '@replenish/domain';
import { until } from '@replenish/testing';
import { created, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress({ providerSettings: { STRIPE_SECRET_KEY: 'sk_test_1' } });
  key = await ingress.client();
});
afterAll(() => ingress.close());

const action = { type: 'client_secret', value: 'pi_1_secret', expiresAt: null } as const;
const report = { source: 'submission', reason: 'told' } as const;

/** A recharge that waits for its payer. */
async function payable(paymentMethod = 'credit_card'): Promise<string> {
  const { id: transactionId } = await created(ingress, key, { paymentMethod });
  await ingress.domain.applyNews({ ...report, transactionId, news: 'submit' });
  const order = newsOfOrder({ providerOrderId: `pi_${transactionId}`, action }, 'pending');
  await ingress.domain.applyNews({ ...report, ...order, transactionId });
  return transactionId;
}
const cancel = (id: string) => ingress.call('POST', `/v1/recharges/${id}/cancel`, { key });
const hintsFor = (id: string) =>
  ingress.hints.filter(({ queue, ids }) => queue.startsWith('reconciliation') && ids.includes(id));

test.each([
  ['canceled', 'CANCELED'],
  ['settled', 'SUCCEEDED'],
] as const)('a recharge that waits for its payer is %s by the word of its provider', async (news, state) => {
  const id = await payable();
  const answering = cancel(id);
  await until(() => hintsFor(id).length > 0, { limitMs: 30_000 }, 'a hint to the worker');
  await ingress.domain.applyNews({ ...report, transactionId: id, news });
  const { status, body } = await answering;
  expect([status, body.state]).toEqual([200, state]);
});

test('without a word of the provider the answer shows the recharge in progress, and the wish stays', async () => {
  const id = await payable();
  const [first, second] = await Promise.all([cancel(id), cancel(id)]);
  for (const { status, body } of [first, second])
    expect([status, body.state]).toEqual([200, 'PENDING_CONFIRMATION']);
  expect(await ingress.domain.reads.recharge(id)).toMatchObject({ nextStep: 'cancel' });
  const [row] = await ingress.sql('select due_at <= now() as due from recharge_transaction where id = $1', [
    id,
  ]);
  expect([row, hintsFor(id)]).toEqual([
    { due: true },
    Array(2).fill({ queue: 'reconciliation-stripe', ids: [id] }),
  ]);
});

test('it is too late where the provider cancels nothing, and where nobody has to pay any more', async () => {
  const uncancelable = await payable('sandbox');
  expectProblem(await cancel(uncancelable), 409, 'INVALID_STATE');
  const paid = await payable();
  await ingress.domain.applyNews({ ...report, transactionId: paid, news: 'settled' });
  expectProblem(await cancel(paid), 409, 'INVALID_STATE');
  expect(hintsFor(uncancelable)).toEqual([]);
});
