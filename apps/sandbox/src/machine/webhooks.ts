import type { Logger } from '@replenish/runtime';
import { Agent, request } from 'undici';
import { type SigningKey, sign } from '../plain/signature.js';
import { DueQueue, type DueRow, type Next } from './due-queue.js';
import { type StoredOrder, type StoredOrderStatus, webhookBody } from './order.js';
import type { SandboxStore, WebhookDelivery } from './store/store.js';
import type { Timing } from './timing.js';

// The number of deliveries at the same time. A receiver would only queue more of them.
const DELIVERIES_AT_ONCE = 32;
// With waits of up to a minute, 20 attempts cover about 15 minutes of downtime of a receiver.
const TRIES = 20;

/**
 * Sends each webhook until the receiver accepts it with a 2xx status. After any other result the delivery is retried
 * with growing gaps.
 */
export class WebhookSender {
  readonly #store: SandboxStore;
  readonly #key: SigningKey;
  readonly #timing: Timing;
  readonly #log: Logger;
  readonly #deliveries: DueQueue<WebhookDelivery>;
  readonly #agent: Agent;
  /** Submit calls that delay their answer until the first webhook of their reference is accepted. */
  readonly #awaited = new Map<string, () => void>();
  #isStopping = false;

  constructor(store: SandboxStore, key: SigningKey, timing: Timing, log: Logger) {
    this.#store = store;
    this.#key = key;
    this.#timing = timing;
    this.#log = log;
    this.#deliveries = new DueQueue(store, store.deliveries, DELIVERIES_AT_ONCE, (row) => this.#deliver(row));
    this.#agent = new Agent({ connections: DELIVERIES_AT_ONCE, pipelining: 1 });
  }

  resume(): void {
    this.#deliveries.resume();
  }

  /** Starts no more deliveries. Deliveries under way continue. */
  pause(): void {
    this.#deliveries.pause();
  }

  /** Aborts the deliveries under way. They stay stored and are sent at the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.pause();
    for (const end of this.#awaited.values()) end();
    await this.#agent.destroy();
    await this.#deliveries.stop();
  }

  /**
   * Stores a webhook that is due now, in the transaction of the caller's turn. `index` distinguishes the copies of one
   * event.
   */
  schedule(order: StoredOrder, status: StoredOrderStatus, index: number): void {
    if (!order.notifyUrl) return;
    this.#store.counters.webhooks.pending++;
    const delivery = { reference: order.reference, status, failures: 0 };
    void this.#deliveries.add(Date.now(), `${order.reference}/${index}`, delivery);
  }

  /**
   * Resolves when a webhook of this reference is accepted, or after the time limit. Call it before the webhook is sent.
   */
  taken(reference: string): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#awaited.delete(reference);
        resolve();
      };
      const timer = setTimeout(end, this.#timing.webhookFirstMs);
      this.#awaited.set(reference, end);
    });
  }

  async #deliver({ value: delivery }: DueRow<WebhookDelivery>): Promise<Next<WebhookDelivery>> {
    const { reference, status } = delivery;
    const order = this.#store.orders.get(reference);
    if (!order?.notifyUrl) {
      this.#log.warn(delivery, 'webhook dropped: its order is lost');
      this.#store.counters.webhooks.abandoned++;
      this.#store.counters.webhooks.pending--;
      return 'done';
    }
    const id = `msg_${order.id.slice(4)}_${status}`;
    const isTaken = await this.#post(order.notifyUrl, id, webhookBody(order, status));
    if (!isTaken) return this.#isStopping ? 'unchanged' : this.#again(delivery);
    this.#awaited.get(reference)?.();
    this.#store.counters.webhooks.sent++;
    this.#store.counters.webhooks.pending--;
    return 'done';
  }

  /** Makes one attempt. All attempts have the same body and id. Each has its own timestamp and so its own signature. */
  async #post(url: string, id: string, body: string): Promise<boolean> {
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...sign(this.#key, id, Date.now(), body) },
        body,
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(this.#timing.deliveryLimitMs),
      });
      await answer.body.dump();
      return answer.statusCode >= 200 && answer.statusCode < 300;
    } catch (error) {
      this.#log.debug({ err: error, webhookId: id }, 'webhook not delivered');
      return false;
    }
  }

  #again(delivery: WebhookDelivery): Next<WebhookDelivery> {
    const failures = delivery.failures + 1;
    const { webhooks } = this.#store.counters;
    webhooks.failed++;
    if (failures < TRIES)
      return { dueAtMs: Date.now() + this.#gapMs(failures), work: { ...delivery, failures } };
    webhooks.abandoned++;
    webhooks.pending--;
    this.#log.warn({ ...delivery, failures }, 'webhook abandoned');
    return 'done';
  }

  /**
   * The wait before the next attempt. It doubles up to a cap and is shortened at random by up to 50 %. So a receiver
   * that works again does not get all webhooks at the same time.
   */
  #gapMs(failures: number): number {
    const fullMs = Math.min(this.#timing.retryFirstMs * 2 ** (failures - 1), this.#timing.retryCapMs);
    return Math.ceil(fullMs * (0.5 + Math.random() / 2));
  }
}
