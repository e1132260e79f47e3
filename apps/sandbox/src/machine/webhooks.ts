import type { Logger } from '@replenish/runtime';
import { Agent, request } from 'undici';
import { type SigningKey, sign } from '../plain/signature.js';
import { DueQueue, type DueRow, type Next } from './due-queue.js';
import { type StoredOrder, type StoredOrderStatus, webhookBody } from './order.js';
import type { SandboxStore, WebhookDelivery } from './store.js';
import type { Timing } from './timing.js';

// One receiver's pool: more than this at once only queues up on its side.
const DELIVERIES_AT_ONCE = 32;
// With gaps up to a minute that is some 15 minutes of a receiver being away.
const TRIES = 20;

/** Sends webhooks until they are taken: 2xx ends it, anything else is tried again with growing gaps. */
export class WebhookSender {
  readonly #store: SandboxStore;
  readonly #key: SigningKey;
  readonly #timing: Timing;
  readonly #log: Logger;
  readonly #deliveries: DueQueue<WebhookDelivery>;
  readonly #agent: Agent;
  /** Submit calls that hold their answer until the first webhook of their reference was taken. */
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

  /** What is being sent goes on; nothing more goes out. */
  pause(): void {
    this.#deliveries.pause();
  }

  /** Breaks off what is being sent: it stays stored and goes out at the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.pause();
    for (const end of this.#awaited.values()) end();
    await this.#agent.destroy();
    await this.#deliveries.stop();
  }

  /** Stores a webhook that is due now, in the caller's turn. `index` tells copies of one event apart. */
  schedule(order: StoredOrder, status: StoredOrderStatus, index: number): void {
    if (!order.notifyUrl) return;
    this.#store.counters.webhooks.pending++;
    const delivery = { reference: order.reference, status, failures: 0 };
    void this.#deliveries.add(Date.now(), `${order.reference}/${index}`, delivery);
  }

  /** Resolves when a webhook of this reference was taken, at the latest after the limit. Must be asked before it is sent. */
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
    if (!isTaken) return this.#isStopping ? 'kept' : this.#again(delivery);
    this.#awaited.get(reference)?.();
    this.#store.counters.webhooks.sent++;
    this.#store.counters.webhooks.pending--;
    return 'done';
  }

  /** The body and the id are the same in every try, the timestamp and so the signature are of the try. */
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

  /** Doubling, capped, from 100 % down to 50 % at random: receivers that come back are not met by all at once. */
  #gapMs(failures: number): number {
    const fullMs = Math.min(this.#timing.retryFirstMs * 2 ** (failures - 1), this.#timing.retryCapMs);
    return Math.ceil(fullMs * (0.5 + Math.random() / 2));
  }
}
