import { join } from 'node:path';
import { createFastServer } from '@replenish/runtime';
import { Router } from 'express';
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
import { openStripeStore, type StripeStore, type StripeWork } from './store.js';

export type StripeDialectOptions = DialectOptions &
  Readonly<{
    secretKey: string;
    webhookSecret: string;
    /** The names of further accounts. Default: none. */
    accounts?: readonly string[];
    /** The address that events are sent to. Null: none is sent until the control API names one. */
    webhookUrl: string | null;
    /** The time until the payer acts by itself. Null: the payer never does. */
    paysAfterMs: number | null;
    searchDelayMs?: number;
    slowAnswerMs?: number;
    retryFirstMs?: number;
    laterNewsMs?: number;
    repeatMs?: number;
  }>;

/** The keys of an account. `name`: null for the one that is always there. */
export type StripeAccount = Readonly<{ name: string | null; secretKey: string; webhookSecret: string }>;

export type StripeDialect = Readonly<{
  url: string;
  secretKey: string;
  webhookSecret: string;
  /** The accounts beside the first one. */
  accounts: readonly StripeAccount[];
  /** The control API, for `/_control/stripe`. */
  control: Router;
  close: () => Promise<void>;
}>;

// The work that runs at the same time. An event whose receiver answers soon takes milliseconds.
const WORK_AT_ONCE = 64;

/** Opens the simulator of Stripe on its folder, and runs what became due while it was not running. */
export async function openStripeDialect(options: StripeDialectOptions): Promise<StripeDialect> {
  const { secretKey, webhookSecret, dataDir } = options;
  const main = openAccount(options, { name: null, secretKey, webhookSecret }, dataDir);
  const others = (options.accounts ?? []).map((name) =>
    openAccount(options, accountOf(name, options), join(dataDir, 'accounts', name)),
  );
  const all = [main, ...others];
  const server = serverOf(all, options);
  const url = await listenAs(server, options).catch(async (error: unknown) => {
    await Promise.all(all.map(({ store }) => store.close()));
    throw error;
  });
  for (const { queue } of all) queue.resume();
  return {
    ...{ url, secretKey, webhookSecret, accounts: others.map(({ account }) => account) },
    control: controlOf(main, others),
    async close() {
      await closeServer(server);
      await Promise.all(all.map(({ close }) => close()));
    },
  };
}

/** The keys of a further account follow from its name and the keys of the first one. */
const accountOf = (
  name: string,
  { secretKey, webhookSecret }: Pick<StripeDialectOptions, 'secretKey' | 'webhookSecret'>,
): StripeAccount => ({ name, secretKey: `${secretKey}_${name}`, webhookSecret: `${webhookSecret}_${name}` });

type OpenAccount = Readonly<{
  account: StripeAccount;
  store: StripeStore;
  queue: DueQueue<StripeWork>;
  api: Router;
  control: Router;
  close: () => Promise<void>;
}>;

/** Opens the books of an account, which share nothing with those of another. */
function openAccount(options: StripeDialectOptions, account: StripeAccount, dataDir: string): OpenAccount {
  const store = openStripeStore(dataDir);
  const behaviors = new Behaviors<StripeBehavior>();
  let { webhookUrl } = options;
  const events = new StripeEvents(store, behaviors, {
    webhookUrl: () => webhookUrl,
    webhookSecret: account.webhookSecret,
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
    secretKey: account.secretKey,
    searchDelayMs: options.searchDelayMs ?? 300,
  };
  const control = stripeControl(parts, (given) => {
    webhookUrl = given;
  });
  const close = async () => {
    await events.stop();
    await queue.stop();
    await store.close();
  };
  return { account, store, queue, api: stripeApi(parts), control, close };
}

/** The control API: that of the first account, and those of the others below `/accounts`. */
function controlOf(main: OpenAccount, others: readonly OpenAccount[]): Router {
  const router = Router();
  for (const { account, control } of others) router.use(`/accounts/${account.name}`, control);
  return router.use(main.control);
}

/**
 * Each request goes to the account of its key. A request with an unknown key goes to the first account, which refuses
 * it.
 */
function apiOf(all: readonly OpenAccount[]): Router {
  const router = Router();
  router.use((request, response, next) => {
    const given = request.get('authorization');
    const found = all.find(({ account }) => given === `Bearer ${account.secretKey}`);
    (found ?? all[0]!).api(request, response, next);
  });
  return router;
}

const serverOf = (all: readonly OpenAccount[], options: StripeDialectOptions) =>
  createFastServer(
    dialectApp(options, {
      path: '/v1',
      api: apiOf(all),
      sendError: (response) =>
        response.status(500).json({ error: { type: 'api_error', message: 'An unknown error occurred.' } }),
    }),
  );
