import type { Attempt, GuardedProvider, Order, SubmitOutcome } from '@replenish/providers';

export type Wishes = Readonly<{
  calls?: readonly Attempt[];
  retryAtMs?: number;
  /** Runs while the call is under way. */
  meanwhile?: (order: Order) => Promise<unknown>;
}>;

export const called = (outcome: Attempt['outcome'], over: Partial<Attempt> = {}): Attempt => ({
  provider: 'sandbox',
  account: 'main',
  operation: 'submit',
  startedAt: new Date(),
  endedAt: new Date(),
  outcome,
  cause: null,
  httpStatus: 201,
  providerCode: null,
  ...over,
});

/** Opens a provider that answers every submit with `outcome`. `sent` records the orders. */
export function answering(
  outcome: SubmitOutcome,
  wishes: Wishes = {},
): { sent: readonly Order[]; provider: GuardedProvider } {
  const sent: Order[] = [];
  const provider: GuardedProvider = {
    name: 'sandbox',
    account: 'main',
    promises: { idempotentSubmit: true, queryByReference: true },
    submit: async (order) => {
      sent.push(order);
      await wishes.meanwhile?.(order);
      return { outcome, calls: [...(wishes.calls ?? [called(outcome.kind)])] };
    },
    find: () => Promise.reject(new Error('a submitter asks nothing')),
    isOpen: (operation) =>
      operation === 'submit' && wishes.retryAtMs ? { retryAtMs: wishes.retryAtMs } : null,
    close: async () => {},
  };
  return { sent, provider };
}
