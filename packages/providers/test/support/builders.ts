import type { Order } from '../../src/contract/order.js';

export const anOrder = (changes: Partial<Order> = {}): Order => ({
  reference: 'rcg-1',
  accountId: 'acct-1',
  amountMinor: 4_999n,
  currency: 'USD',
  paymentMethod: 'sandbox',
  notifyUrl: 'http://127.0.0.1:8080/webhooks/sandbox',
  metadata: {},
  ...changes,
});

/** An order in the JSON form of the sandbox. */
export const aSandboxOrder = (changes: Record<string, unknown> = {}) => ({
  id: 'sbx_1',
  reference: 'rcg-1',
  accountId: 'acct-1',
  amount: 4_999,
  currency: 'USD',
  status: 'pending',
  code: null,
  message: null,
  charges: [],
  createdAt: '2026-11-22T00:00:00.000Z',
  ...changes,
});

export const aSettledOrder = (changes: Record<string, unknown> = {}) =>
  aSandboxOrder({ status: 'settled', charges: [{ amount: 4_999, status: 'captured' }], ...changes });

export const soon = (limitMs = 5_000): AbortSignal => AbortSignal.timeout(limitMs);
