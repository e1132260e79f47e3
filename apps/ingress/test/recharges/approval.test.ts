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
    const waits = (reason: string) => ({ waiting: expect.objectContaining({ reason }) });
    expect((await send(101)).body).toMatchObject(waits('APPROVAL'));
    expect((await send(100)).body).toMatchObject(waits('QUEUE'));
    expect((await send(101, 'EUR')).body).toMatchObject(waits('QUEUE'));
    const replayed = await send(101);
    expect([replayed.status, replayed.body]).toEqual([
      200,
      expect.objectContaining({ state: 'CREATED', waiting: expect.objectContaining({ reason: 'APPROVAL' }) }),
    ]);
  },
);
