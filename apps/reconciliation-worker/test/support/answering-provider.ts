import type {
  Attempt,
  GuardedProvider,
  OrderPromises,
  OrderStatus,
  QueryOutcome,
} from '@replenish/providers';
import { newId } from '@replenish/runtime';

export type Wishes = Readonly<{
  calls?: readonly Attempt[];
  retryAtMs?: number;
  promises?: Partial<OrderPromises>;
  /** Runs while the query is under way. */
  meanwhile?: () => Promise<unknown>;
}>;

export const called = (outcome: Attempt['outcome']): Attempt => ({
  provider: 'sandbox',
  operation: 'query',
  startedAt: new Date(),
  endedAt: new Date(),
  outcome,
  cause: null,
  httpStatus: 299,
  providerCode: 'said',
});

/** Opens a provider that answers every query with `outcome`. `asked` records the references. */
export function answering(
  outcome: QueryOutcome,
  wishes: Wishes = {},
): { asked: readonly string[]; provider: GuardedProvider } {
  const asked: string[] = [];
  const provider: GuardedProvider = {
    name: 'sandbox',
    promises: { idempotentSubmit: true, queryByReference: true, ...wishes.promises },
    submit: () => Promise.reject(new Error('an asker sends nothing')),
    find: async ({ reference }) => {
      asked.push(reference);
      await wishes.meanwhile?.();
      return { outcome, calls: [...(wishes.calls ?? [called(outcome.kind)])] };
    },
    isOpen: (operation) =>
      operation === 'query' && wishes.retryAtMs ? { retryAtMs: wishes.retryAtMs } : null,
    close: async () => {},
  };
  return { asked, provider };
}

export const found = (status: OrderStatus, over: object = {}): QueryOutcome => ({
  kind: 'found',
  providerOrderId: `sbx_${newId()}`,
  accountId: null,
  status,
  amountMinor: 4_999n,
  currency: 'USD',
  ...over,
});
export const absent: QueryOutcome = { kind: 'absent' };
export const several: QueryOutcome = { kind: 'several', count: 2 };
