import { type Logger, newId } from '@replenish/runtime';
import { DueQueue, type DueRow } from './due-queue.js';
import { enter, isSameIntent, makeOrder, type OrderRequest, type StoredOrder } from './order.js';
import { type FirstAnswer, type Refusal, type Scenario, scenarioOf } from './scenarios.js';
import { AccountStatement } from './statement.js';
import type { SandboxStore, Step } from './store/store.js';
import { delayMs, type Timing } from './timing.js';
import type { WebhookSender } from './webhooks.js';

/** The result of one submit call. */
export type Submitted =
  | Readonly<{ kind: 'made'; order: StoredOrder; answers: FirstAnswer }>
  | Readonly<{ kind: 'replayed'; order: StoredOrder }>
  | Readonly<{ kind: 'reused' }>
  | Readonly<{ kind: 'refused'; answer: Refusal }>;

// A step only writes to the transaction of its event-loop turn, so many can run at the same time. The limit bounds the
// memory that a backlog after a restart takes.
const STEPS_AT_ONCE = 512;

/** Creates one order per reference, and runs the events of its scenario. */
export class OrderBook {
  readonly #store: SandboxStore;
  readonly #webhooks: WebhookSender;
  readonly #timing: Timing;
  readonly #log: Logger;
  readonly #steps: DueQueue<Step>;
  readonly statement: AccountStatement;
  /** References with a submit under way. Each maps to the result of the last call, which the next call waits for. */
  readonly #turns = new Map<string, Promise<Submitted>>();

  constructor(store: SandboxStore, webhooks: WebhookSender, timing: Timing, log: Logger) {
    this.#store = store;
    this.#webhooks = webhooks;
    this.#timing = timing;
    this.#log = log;
    this.statement = new AccountStatement(store);
    this.#steps = new DueQueue(store, store.steps, STEPS_AT_ONCE, (row) => this.#happen(row));
  }

  start(): void {
    this.#steps.resume();
  }

  stop(): Promise<void> {
    return this.#steps.stop();
  }

  find(reference: string): StoredOrder | undefined {
    return this.#store.orders.get(reference);
  }

  /**
   * Submits an order. Calls with the same reference run one after the other, and so do the refunds of one order. A
   * written order cannot be read before its commit, so two parallel calls would create two orders.
   */
  submit(request: OrderRequest): Promise<Submitted> {
    const reference = request.refundOf ?? request.reference;
    const before = this.#turns.get(reference);
    const mine = before ? before.then(() => this.#submit(request)) : this.#submit(request);
    this.#turns.set(reference, mine);
    const leave = () => {
      if (this.#turns.get(reference) === mine) this.#turns.delete(reference);
    };
    mine.then(leave, leave);
    return mine;
  }

  async #submit(request: OrderRequest): Promise<Submitted> {
    const known = this.find(request.reference);
    if (known) return isSameIntent(known, request) ? { kind: 'replayed', order: known } : { kind: 'reused' };
    if (request.refundOf && !this.#isRefundable(request, request.refundOf))
      return { kind: 'refused', answer: 'not_refundable' };
    const scenario = scenarioOf(request.scenario);
    const refused = this.#store.refusals.get(request.reference) ?? 0;
    if (scenario.refuses && refused < scenario.refuses.times) {
      await this.#store.refusals.put(request.reference, refused + 1);
      return { kind: 'refused', answer: scenario.refuses.answer };
    }
    return { kind: 'made', order: await this.#make(request, scenario), answers: scenario.answers };
  }

  /**
   * Whether the original is settled, and the sum of its refunds, with this one, is not above its amount. Declined
   * refunds do not count.
   */
  #isRefundable(refund: OrderRequest, of: string): boolean {
    const original = this.find(of);
    if (original?.status !== 'settled' || original.refundOf) return false;
    if (original.accountId !== refund.accountId || original.currency !== refund.currency) return false;
    const refunds = (this.#store.refunds.get(of) ?? []).flatMap((reference) => this.find(reference) ?? []);
    const paidBack = refunds.filter(({ status }) => status !== 'declined');
    return paidBack.reduce((sum, { amount }) => sum + amount, refund.amount) <= original.amount;
  }

  async #make(request: OrderRequest, scenario: Scenario): Promise<StoredOrder> {
    const nowMs = Date.now();
    const order = makeOrder(request, `sbx_${newId().replaceAll('-', '')}`, scenario.madeAs, nowMs);
    this.#store.newest.put(order.id, order.reference);
    if (order.refundOf) {
      const others = this.#store.refunds.get(order.refundOf) ?? [];
      this.#store.refunds.put(order.refundOf, [...others, order.reference]);
    }
    this.#scheduleStep(order, 0, nowMs);
    this.#store.counters.orders[order.status]++;
    if (order.status === 'settled') this.statement.settled(order, nowMs);
    await this.#store.orders.put(order.reference, order);
    return order;
  }

  #scheduleStep(order: StoredOrder, index: number, nowMs: number): void {
    const event = scenarioOf(order.scenario).events[index];
    if (!event) return;
    const dueAtMs = nowMs + delayMs(this.#timing, event.after);
    void this.#steps.add(dueAtMs, order.reference, { reference: order.reference, index });
  }

  /**
   * Runs one event. The new status, the webhook, the next event and the end of this one are written in one transaction.
   */
  async #happen({ value: step }: DueRow<Step>): Promise<'done'> {
    const before = this.find(step.reference);
    const event = before && scenarioOf(before.scenario).events[step.index];
    if (!event) {
      // After a power failure a step may exist without its order. It is dropped, because an error would stop every
      // later start.
      this.#log.warn(step, 'step dropped: its order or its event is lost');
      return 'done';
    }
    const nowMs = Date.now();
    let order = before;
    if (event.becomes) {
      order = enter(before, event.becomes, event.amountOff ?? 0, nowMs);
      this.#store.counters.orders[before.status]--;
      this.#store.counters.orders[order.status]++;
      this.#store.orders.put(order.reference, order);
      if (order.status === 'settled' && before.status !== 'settled') this.statement.settled(order, nowMs);
    }
    if (event.webhook) this.#webhooks.schedule(order, event.webhook, step.index);
    this.#scheduleStep(order, step.index + 1, nowMs);
    return 'done';
  }
}
