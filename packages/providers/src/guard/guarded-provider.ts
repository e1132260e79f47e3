import type { BalanceOutcome } from '../contract/balance.js';
import type { CancelOutcome, RefundOrder, SoughtRefund } from '../contract/collect.js';
import type { NoDefiniteAnswer, Order, QueryOutcome, SoughtOrder, SubmitOutcome } from '../contract/order.js';
import type { OrderPromises, Provider } from '../contract/provider.js';
import type { StatementDays, StatementOutcome, StatementPageAsk } from '../contract/statement.js';
import type { Attempt, Outcome, ProviderOperation, SendOnce } from './attempt.js';

/** `calls` holds every attempt in order. It is empty when the breaker admitted none. */
export type Guarded<O extends Outcome> = Readonly<{ outcome: O; calls: Attempt[] }>;

export interface GuardedRefunds {
  submit(refund: RefundOrder): Promise<Guarded<SubmitOutcome>>;
  find(refund: SoughtRefund): Promise<Guarded<QueryOutcome>>;
}

/**
 * A provider behind the guard. A call takes at most the retry budget plus one attempt and its grace. A missing part
 * means that the provider does not offer it.
 */
export interface GuardedProvider {
  readonly name: string;
  /** The name of our account at the provider. */
  readonly account: string;
  readonly promises: OrderPromises;
  submit(order: Order): Promise<Guarded<SubmitOutcome>>;
  find(order: SoughtOrder): Promise<Guarded<QueryOutcome>>;
  readonly cancel?: (order: SoughtOrder) => Promise<Guarded<CancelOutcome>>;
  readonly refunds?: GuardedRefunds;
  /** Reads the money of our account that pays the deliveries. */
  readonly balance?: Readonly<{
    currencies: readonly string[];
    read(currency: string): Promise<Guarded<BalanceOutcome>>;
    readTarget?: (account: string) => Promise<Guarded<BalanceOutcome>>;
  }>;
  /** Reads a page of the provider's own statement of our account. */
  readonly statement?: (ask: StatementPageAsk) => Promise<Guarded<StatementOutcome>>;
  /** The days of that statement. Missing: it can be read at any time. */
  readonly statementDays?: StatementDays;
  /**
   * Whether the breaker is open. Call it before the claim is committed. `retryAtMs` is in epoch milliseconds. Null: a
   * call may start now.
   */
  isOpen(operation: ProviderOperation): { retryAtMs: number } | null;
  close(): Promise<void>;
}

export type GuardedCall = <O extends Outcome>(
  operation: ProviderOperation,
  run: SendOnce<O>,
) => Promise<Guarded<O | NoDefiniteAnswer>>;

/** The parts of a provider with each operation behind `call`. */
export function guardedOperations(
  { name, orders, cancels, refunds, balance, statement }: Provider,
  call: GuardedCall,
): Omit<GuardedProvider, 'account' | 'isOpen' | 'close'> {
  return {
    name,
    promises: orders.promises,
    submit: (order) => call<SubmitOutcome>('submit', (signal) => orders.submit(order, signal)),
    find: (order) => call<QueryOutcome>('query', (signal) => orders.find(order, signal)),
    ...(cancels && {
      cancel: (order) => call<CancelOutcome>('cancel', (signal) => cancels.cancel(order, signal)),
    }),
    ...(refunds && {
      refunds: {
        submit: (refund) => call<SubmitOutcome>('refund', (signal) => refunds.submit(refund, signal)),
        find: (refund) => call<QueryOutcome>('refund_query', (signal) => refunds.find(refund, signal)),
      },
    }),
    ...(balance && {
      balance: {
        currencies: balance.currencies,
        read: (currency) => call<BalanceOutcome>('read', (signal) => balance.read(currency, signal)),
        ...(balance.readTarget && {
          readTarget: (account: string) =>
            call<BalanceOutcome>('read', (signal) => balance.readTarget!(account, signal)),
        }),
      },
    }),
    ...(statement && {
      statement: (ask) => call<StatementOutcome>('statement', (signal) => statement.read(ask, signal)),
      ...(statement.days && { statementDays: statement.days }),
    }),
  };
}
