import { expect, test } from '@jest/globals';
import type { CallAnswer, QueryOutcome, ScanEvidence, SubmitOutcome } from '../../src/contract/order.js';
import type { Provider } from '../../src/contract/provider.js';
import { sandboxProvider } from '../../src/sandbox/provider.js';
import { anOrder } from '../support/builders.js';
import { around, breaker, guarded, quick, reportedAttempts, server, states } from '../support/guard-bench.js';

const facts = { httpStatus: 200, providerCode: null };
const strict = { ...quick, breaker: { ...breaker, callsMin: 1 } };
const silent = { kind: 'unknown', cause: 'timeout' } as const;

/** Opens a provider with these parts, and a breaker that opens at the first outage. */
function openWith(parts: Partial<Provider>, changes: Parameters<typeof around>[1] = {}): void {
  around({ ...sandboxProvider({ baseUrl: server.url }), ...parts }, { limits: strict, ...changes });
}

const answers = <O>(outcome: O) => ({ outcome, facts }) as CallAnswer<never>;

const refund = {
  reference: 'r',
  of: { reference: 'o', providerOrderId: 'p' },
  accountId: 'acct-1',
  notifyUrl: '',
  metadata: {},
  amountMinor: 1n,
  currency: 'USD',
};

test('each operation has a breaker of its own', async () => {
  openWith({
    orders: {
      promises: { idempotentSubmit: true, queryByReference: true },
      submit: async () => answers({ kind: 'accepted', providerOrderId: null }),
      find: async () => answers({ kind: 'absent' }),
    },
    cancels: { cancel: async () => answers(silent) },
    refunds: { submit: async () => answers(silent), find: async () => answers({ kind: 'absent' }) },
    balance: { currencies: ['USD'], read: async () => answers(silent) },
  });
  await guarded.cancel!(anOrder());
  await guarded.refunds!.submit(refund);
  await guarded.balance!.read('USD');
  expect(states).toEqual(['cancel open', 'refund open', 'read open']);
  expect((await guarded.submit(anOrder())).outcome.kind).toBe('accepted');
  expect((await guarded.find(anOrder())).outcome.kind).toBe('absent');
  expect((await guarded.refunds!.find(refund)).outcome.kind).toBe('absent');
  expect((await guarded.cancel!(anOrder())).outcome).toMatchObject({ cause: 'unavailable' });
});

test('a part that a provider does not offer is missing', () => {
  const { refunds: _, ...bare } = sandboxProvider({ baseUrl: server.url });
  around(bare);
  expect([guarded.cancel, guarded.refunds, guarded.balance]).toEqual([undefined, undefined, undefined]);
});

const orders = (submit: SubmitOutcome, find: QueryOutcome): Provider['orders'] => ({
  promises: { idempotentSubmit: false, queryByReference: false },
  submit: async () => answers(submit),
  find: async () => answers(find),
});

test('a lack of money and a search without a proof are answers of a provider that works', async () => {
  const short = { kind: 'not_executed', cause: 'source_funds', retryAfterMs: 30_000 } as const;
  openWith({ orders: orders(short, { kind: 'unknown', cause: 'unproven', code: 'IncompleteScan' }) });
  expect((await guarded.submit(anOrder())).calls).toHaveLength(1);
  expect((await guarded.find(anOrder())).calls).toHaveLength(1);
  expect(states).toEqual([]);
});

test('the evidence of a search is in the record of its attempt', async () => {
  const evidence = { pages: 3, isComplete: true } as ScanEvidence;
  openWith({
    orders: {
      ...orders(silent, silent),
      find: async () => ({ outcome: { kind: 'absent' }, facts, evidence }),
    },
  });
  const { calls } = await guarded.find(anOrder());
  expect(calls[0]!.evidence).toEqual(evidence);
  expect(reportedAttempts[0]!.evidence).toEqual(evidence);
});

test('a search for an order or a refund has the longer limit that its provider needs, and a submit has not', async () => {
  const until = (signal: AbortSignal) =>
    new Promise<CallAnswer<never>>((resolve) => {
      const patience = setTimeout(() => resolve(answers({ kind: 'absent' })), 300);
      signal.addEventListener('abort', () => {
        clearTimeout(patience);
        resolve(answers(silent));
      });
    });
  openWith(
    {
      orders: {
        promises: { idempotentSubmit: false, queryByReference: false, findLimitMs: 5_000 },
        submit: (_order, signal) => until(signal),
        find: (_order, signal) => until(signal),
      },
      refunds: { submit: (_refund, signal) => until(signal), find: (_refund, signal) => until(signal) },
    },
    { timeoutMs: 50 },
  );
  expect((await guarded.find(anOrder())).outcome.kind).toBe('absent');
  expect((await guarded.refunds!.find(refund)).outcome.kind).toBe('absent');
  expect((await guarded.refunds!.submit(refund)).outcome.kind).toBe('unknown');
  expect((await guarded.submit(anOrder())).outcome.kind).toBe('unknown');
});
