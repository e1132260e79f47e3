import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Ingress, openIngress } from '../support/ingress.js';

let ingress: Ingress;
beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

test.each(['/v1/recharges', '/recharge'])(
  'by %s an amount strictly above the limit of its key waits for a second person',
  async (path) => {
    const key = await ingress.client({ approvalAbove: { USD: 100n } });
    const send = (amount: number, currency = 'USD') =>
      ingress.call('POST', path, {
        key,
        body: { accountId: 'acct-1001', amount, currency },
        headers: { 'idempotency-key': `${path}-${amount}-${currency}` },
      });
    const reasons = [];
    for (const answer of [await send(101), await send(100), await send(101, 'EUR')])
      reasons.push((answer.body as { waiting: { reason: string } }).waiting.reason);
    expect(reasons).toEqual(['APPROVAL', 'QUEUE', 'QUEUE']);
    const replayed = await send(101);
    expect([replayed.status, replayed.body]).toEqual([
      200,
      expect.objectContaining({ state: 'CREATED', waiting: expect.objectContaining({ reason: 'APPROVAL' }) }),
    ]);
  },
);
