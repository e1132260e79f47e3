import { createHmac } from 'node:crypto';
import { type Logger, newId } from '@replenish/runtime';
import { Agent, request } from 'undici';
import type { Behaviors } from '../machine/behaviors.js';
import type { DueQueue, Next } from '../machine/due-queue.js';
import type { StripeBehavior } from './faults.js';
import type { StripeStore, StripeWork } from './store.js';

export type StripeEventOptions = Readonly<{
  /** The address that events are sent to. Null: none is sent. */
  webhookUrl: () => string | null;
  webhookSecret: string;
  /** The wait before the first retry of an event. It doubles with each failure. */
  retryFirstMs: number;
  /** The delay of an event that arrives after a later one. */
  laterNewsMs: number;
  /** The delay of the second copy of an event. */
  repeatMs: number;
  log: Logger;
}>;

// Stripe repeats a test event three times within hours, and a live one for three days. The simulator keeps trying for as
// long as a fleet may be down while someone tries things out.
const TRIES = 12;
const DELIVERY_LIMIT_MS = 10_000;
const API_VERSION = '2026-10-28.endive';

// The events whose loss or repetition matters. Faults apply to these events only, so no other event uses a fault up.
const telling = /^(payment_intent\.(succeeded|payment_failed|canceled)|refund\.)/;

/** Makes events, and delivers them signed as Stripe signs. Their order is not guaranteed, and some arrive twice. */
export class StripeEvents {
  readonly #store: StripeStore;
  readonly #behaviors: Behaviors<StripeBehavior>;
  readonly #options: StripeEventOptions;
  readonly #agent = new Agent({ connections: 64 });
  #queue!: DueQueue<StripeWork>;
  #isStopping = false;

  constructor(store: StripeStore, behaviors: Behaviors<StripeBehavior>, options: StripeEventOptions) {
    this.#store = store;
    this.#behaviors = behaviors;
    this.#options = options;
  }

  useQueue(queue: DueQueue<StripeWork>): void {
    this.#queue = queue;
  }

  /** Stores an event and schedules its deliveries. */
  emit(type: string, object: unknown, reference: string | null, key: string | null): void {
    const id = `evt_${newId().replaceAll('-', '')}`;
    const nowMs = Date.now();
    const body = JSON.stringify({
      id,
      object: 'event',
      api_version: API_VERSION,
      created: Math.floor(nowMs / 1_000),
      type,
      livemode: false,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: key },
      data: { object },
    });
    this.#store.events.putSync(id, { id, type, reference, body });
    for (const dueAtMs of this.#dueTimes(type, reference, nowMs))
      void this.#queue.add(dueAtMs, `deliver/${id}`, { kind: 'deliver', eventId: id, failures: 0 });
  }

  #dueTimes(type: string, reference: string | null, nowMs: number): number[] {
    if (this.#behaviors.take(['webhook_out_of_order'], reference)) return [nowMs + this.#options.laterNewsMs];
    const fault = telling.test(type) && this.#behaviors.take(['webhook_lost', 'webhook_twice'], reference);
    if (fault === 'webhook_lost') return [];
    return fault === 'webhook_twice' ? [nowMs, nowMs + this.#options.repeatMs] : [nowMs];
  }

  async deliver({ eventId, failures }: StripeWork & { kind: 'deliver' }): Promise<Next<StripeWork>> {
    const event = this.#store.events.get(eventId);
    const url = this.#options.webhookUrl();
    if (!event || url === null || (await this.#post(url, event.body))) return 'done';
    if (this.#isStopping) return 'unchanged';
    if (failures + 1 >= TRIES) return 'done';
    const dueAtMs = Date.now() + this.#options.retryFirstMs * 2 ** failures;
    return { dueAtMs, work: { kind: 'deliver', eventId, failures: failures + 1 } };
  }

  async #post(url: string, body: string): Promise<boolean> {
    const seconds = Math.floor(Date.now() / 1_000);
    // Unlike Standard Webhooks, Stripe uses the secret as text, with its prefix.
    const hmac = createHmac('sha256', this.#options.webhookSecret).update(`${seconds}.${body}`).digest('hex');
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'stripe-signature': `t=${seconds},v1=${hmac}`,
        },
        body,
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(DELIVERY_LIMIT_MS),
      });
      await answer.body.dump();
      return answer.statusCode >= 200 && answer.statusCode < 300;
    } catch (error) {
      this.#options.log.debug({ err: error, url }, 'event of Stripe not delivered');
      return false;
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#agent.destroy();
  }
}
