import { createFastServer } from '@replenish/runtime';
import type { Router } from 'express';
import { Behaviors } from '../machine/behaviors.js';
import {
  afterOutage,
  closeServer,
  type DialectOptions,
  dialectApp,
  listenAs,
} from '../machine/dialect-server.js';
import { DueQueue } from '../machine/due-queue.js';
import { type StripeParts, stripeApi } from './api.js';
import { stripeControl } from './control.js';
import { StripeEvents } from './events.js';
import type { StripeBehavior } from './faults.js';
import { IdempotencyKeys } from './idempotency.js';
import { StripeBook } from './machine.js';
import { openStripeStore, type StripeWork } from './store.js';

export type StripeDialectOptions = DialectOptions &
  Readonly<{
    secretKey: string;
    webhookSecret: string;
    /** The address that events are sent to. Null: none is sent until the control face names one. */
    webhookUrl: string | null;
    /** The time until the payer acts by itself. Null: the payer never does. */
    paysAfterMs: number | null;
    searchDelayMs?: number;
    slowAnswerMs?: number;
    retryFirstMs?: number;
    laterNewsMs?: number;
    repeatMs?: number;
  }>;

export type StripeDialect = Readonly<{
  url: string;
  secretKey: string;
  webhookSecret: string;
  /** The control face, for `/_control/stripe`. */
  control: Router;
  close: () => Promise<void>;
}>;

// An event of a short answer time holds its place for milliseconds.
const WORK_AT_ONCE = 64;

/** Opens the simulator of Stripe on its folder, and runs what became due while it was not running. */
export async function openStripeDialect(options: StripeDialectOptions): Promise<StripeDialect> {
  const store = openStripeStore(options.dataDir);
  const behaviors = new Behaviors<StripeBehavior>();
  let { webhookUrl } = options;
  const events = new StripeEvents(store, behaviors, {
    webhookUrl: () => webhookUrl,
    webhookSecret: options.webhookSecret,
    retryFirstMs: options.retryFirstMs ?? 1_000,
    laterNewsMs: options.laterNewsMs ?? 1_500,
    repeatMs: options.repeatMs ?? 100,
    log: options.log,
  });
  const queue = new DueQueue<StripeWork>(store, store.due, WORK_AT_ONCE, async ({ value }) => {
    if (options.outage.mode === 'down') return afterOutage(value);
    if (value.kind === 'deliver') return events.deliver(value);
    book.payIfOpen(value.intentId, value.card);
    return 'done';
  });
  events.useQueue(queue);
  const book = new StripeBook(store, events, queue, options.paysAfterMs);
  const parts: StripeParts = {
    ...{ store, book, behaviors },
    keys: new IdempotencyKeys(store),
    secretKey: options.secretKey,
    searchDelayMs: options.searchDelayMs ?? 300,
  };
  const server = serverOf(parts, options);
  const url = await listenAs(server, options).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  queue.resume();
  return {
    url,
    secretKey: options.secretKey,
    webhookSecret: options.webhookSecret,
    control: stripeControl(parts, (given) => {
      webhookUrl = given;
    }),
    async close() {
      await closeServer(server);
      await events.stop();
      await queue.stop();
      await store.close();
    },
  };
}

const serverOf = (parts: StripeParts, options: StripeDialectOptions) =>
  createFastServer(
    dialectApp(options, {
      path: '/v1',
      api: stripeApi(parts),
      sendError: (response) =>
        response.status(500).json({ error: { type: 'api_error', message: 'An unknown error occurred.' } }),
    }),
  );
