import type { StoredOrder } from './order.js';
import type { SandboxStore, StatementPlace } from './store/store.js';

/** The payment methods that pay out of the account. */
const paysOut: readonly string[] = ['balance', 'fund_account'];

/** Writes the statement: a line per order that settles. */
export class AccountStatement {
  readonly #store: Pick<SandboxStore, 'lines' | 'balances' | 'orders'>;
  #last: StatementPlace = [0, 0];

  constructor(store: Pick<SandboxStore, 'lines' | 'balances' | 'orders'>) {
    this.#store = store;
  }

  /** Joins the transaction of the event-loop turn, like the order itself. */
  settled(order: StoredOrder, nowMs: number): void {
    const direction = this.#directionOf(order);
    const { balances, lines } = this.#store;
    const before = BigInt(balances[order.currency] ?? '0');
    const balance = String(before + (direction === 'in' ? 1n : -1n) * BigInt(order.amount));
    balances[order.currency] = balance;
    const { id: orderId, reference, amount, currency } = order;
    lines.put(this.#nextKey(nowMs), { orderId, reference, direction, amount, currency, balance });
  }

  /** The lines of a span of time: the first `limit` after a key. */
  read(fromMs: number, toMs: number, after: StatementPlace | null, limit: number) {
    const start = after ? { start: after, exclusiveStart: true } : { start: [fromMs, 0] as StatementPlace };
    return [...this.#store.lines.getRange({ ...start, end: [toMs, 0], limit })];
  }

  #directionOf({ paymentMethod, refundOf }: StoredOrder): 'in' | 'out' {
    if (!refundOf) return paysOut.includes(paymentMethod) ? 'out' : 'in';
    const original = this.#store.orders.get(refundOf);
    return original && this.#directionOf(original) === 'out' ? 'in' : 'out';
  }

  /** A clock that is set back does not change the order of the lines. */
  #nextKey(nowMs: number): StatementPlace {
    const [lastMs, number] = this.#last;
    this.#last = nowMs > lastMs ? [nowMs, 1] : [lastMs, number + 1];
    return this.#last;
  }
}
