import type {
  Attempt,
  CancelOutcome,
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
  /** The answer to every cancel call. Missing: the provider cancels nothing. */
  canceled?: CancelOutcome;
  /** Runs while the query is under way. */
  meanwhile?: () => Promise<unknown>;
}>;

export const called = (outcome: Attempt['outcome'], operation: Attempt['operation'] = 'query'): Attempt => ({
  provider: 'sandbox',
  account: 'main',
  operation,
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
): { asked: readonly string[]; ended: readonly string[]; provider: GuardedProvider } {
  const asked: string[] = [];
  const ended: string[] = [];
  const { canceled } = wishes;
  const provider: GuardedProvider = {
    name: 'sandbox',
    account: 'main',
    promises: { idempotentSubmit: true, queryByReference: true, ...wishes.promises },
    submit: () => Promise.reject(new Error('an asker sends nothing')),
    find: async ({ reference }) => {
      asked.push(reference);
      await wishes.meanwhile?.();
      return { outcome, calls: [...(wishes.calls ?? [called(outcome.kind)])] };
    },
    ...(canceled && {
      cancel: async ({ reference }) => {
        ended.push(reference);
        return { outcome: canceled, calls: [called(canceled.kind, 'cancel')] };
      },
    }),
    isOpen: (operation) =>
      operation === 'query' && wishes.retryAtMs ? { retryAtMs: wishes.retryAtMs } : null,
    close: async () => {},
  };
  return { asked, ended, provider };
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
