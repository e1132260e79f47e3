import { randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import type { Behaviors } from '../machine/behaviors.js';
import { balanceTransactions } from './balance-transactions.js';
import { invalid, missing, type StripeBehavior, StripeFault } from './faults.js';
import type { IdempotencyKeys } from './idempotency.js';
import type { StripeBook } from './machine.js';
import { referenceOf, type StoredIntent, showIntent, showList, showRefund } from './objects.js';
import {
  cancelReasonOf,
  cardOf,
  type FormParams,
  intentRequestOf,
  limitOf,
  needed,
  printOf,
  readForm,
  refundRequestOf,
} from './params.js';
import type { StripeStore } from './store.js';

export type StripeParts = Readonly<{
  store: StripeStore;
  book: StripeBook;
  keys: IdempotencyKeys;
  behaviors: Behaviors<StripeBehavior>;
  secretKey: string;
  /** The time until a new intent can be found by a search. */
  searchDelayMs: number;
}>;

// The time of a slow call, in which a second call with the same key arrives.
const SLOW_MS = 1_000;

type StripeRun = (params: FormParams, id: string, key: string | null) => unknown;

/** The routes of Stripe's API that the simulator has. */
export function stripeApi(parts: StripeParts): Router {
  const router = Router();
  router.use((request, response, next) => authenticate(parts, request, response, next));
  router.use(express.text({ type: () => true, limit: '64kb' }));
  addObjects(router, parts);
  router.use((request: Request) => {
    throw new StripeFault(
      404,
      {
        type: 'invalid_request_error',
        message: `Unrecognized request URL (${request.method}: ${request.originalUrl}).`,
      },
      false,
    );
  });
  router.use(refuse);
  return router;
}

/** Adds the calls about payment intents, refunds and events. */
function addObjects(router: Router, parts: StripeParts): void {
  const { book } = parts;
  const post = (path: string, run: StripeRun) =>
    router.post(path, (request, response) => write(parts, request, response, run));
  const get = (path: string, run: (params: FormParams, id: string) => unknown) =>
    router.get(path, (request, response) => read(request, response, run));

  get('/balance', () => ({
    object: 'balance',
    available: [{ amount: 0, currency: 'usd' }],
    pending: [],
    livemode: false,
  }));
  get('/payment_intents/search', (params) => search(parts, params));
  get('/payment_intents', (params) => list(book, params));
  get('/payment_intents/:id', (_params, id) => showIntent(book.intent(id)));
  post('/payment_intents', (params, _id, key) => create(book, params, key));
  post('/payment_intents/:id/confirm', (params, id, key) => {
    const paymentMethod = params.get('payment_method') ?? 'pm_card_visa';
    return showIntent(book.confirm(id, cardOf(paymentMethod), paymentMethod, key));
  });
  post('/payment_intents/:id/cancel', (params, id, key) =>
    showIntent(book.cancel(id, cancelReasonOf(params), key)),
  );
  post('/refunds', (params, _id, key) => showRefund(book.refund(refundRequestOf(params), key)));
  get('/refunds', (params) => {
    const refunds = book.refundsOf(needed(params, 'payment_intent')).map(showRefund).reverse();
    const limit = limitOf(params);
    return showList('/v1/refunds', refunds.slice(0, limit), refunds.length > limit);
  });
  get('/refunds/:id', (_params, id) => {
    const refund = parts.store.refunds.get(id);
    if (!refund) throw missing('refund', id);
    return showRefund(refund);
  });
  get('/balance_transactions', (params) => balanceTransactions(parts, params));
  get('/events/:id', (_params, id) => {
    const event = parts.store.events.get(id);
    if (!event) throw missing('event', id);
    return JSON.parse(event.body);
  });
}

function create(book: StripeBook, params: FormParams, key: string | null) {
  const intent = book.create(intentRequestOf(params), key);
  const paymentMethod = params.get('payment_method');
  if (params.get('confirm') !== 'true') return showIntent(intent);
  if (paymentMethod === undefined) throw invalid('A payment method is needed to confirm.', 'payment_method');
  return showIntent(book.confirm(intent.id, cardOf(paymentMethod), paymentMethod, key));
}

/** A search is not up to date: a new intent is missing for a moment. */
function search({ book, searchDelayMs }: StripeParts, params: FormParams) {
  const query = needed(params, 'query');
  const [, name, quoted] = /^metadata\['([^'\\]+)'\]:'((?:[^'\\]|\\.)*)'$/.exec(query) ?? [];
  if (name === undefined || quoted === undefined)
    throw invalid("This simulator understands metadata['name']:'value' only.", 'query');
  const visibleMs = Date.now() - searchDelayMs;
  const found = book
    .withMetadata(name, quoted.replace(/\\(.)/g, '$1'))
    .filter(({ createdMs }) => createdMs <= visibleMs);
  const page = found.slice(0, limitOf(params)).map(showIntent);
  return {
    ...showList('/v1/payment_intents/search', page, found.length > page.length, 'search_result'),
    next_page: null,
  };
}

function list(book: StripeBook, params: FormParams) {
  const limit = limitOf(params);
  const since = Number(params.get('created[gte]') ?? 0);
  const intents = book
    .newest(limit + 1, params.get('starting_after'))
    .filter(({ createdMs }) => createdMs >= since * 1_000);
  return showList('/v1/payment_intents', intents.slice(0, limit).map(showIntent), intents.length > limit);
}

function read(request: Request, response: Response, run: (params: FormParams, id: string) => unknown): void {
  const query = request.originalUrl.split('?')[1] ?? '';
  const body = run(readForm(query), String(request.params.id ?? ''));
  send(response, 200, JSON.stringify(body, null, 2));
}

async function write(
  parts: StripeParts,
  request: Request,
  response: Response,
  run: StripeRun,
): Promise<void> {
  const params = readForm(typeof request.body === 'string' ? request.body : '');
  const key = request.get('idempotency-key') ?? null;
  const id = String(request.params.id ?? '');
  const reference = params.get('metadata[transaction_id]') ?? referenceOfIntent(parts, id);
  if (parts.behaviors.take(['throttled'], reference)) throw throttled();
  if (parts.behaviors.take(['timeout_before_create'], reference)) return;
  const isSlow = parts.behaviors.take(['slow_create'], reference) !== null;
  const isBroken = parts.behaviors.take(['server_error_before_create'], reference) !== null;
  const after = parts.behaviors.take(afterFaults, reference);
  const isServerError = after === 'server_error_after_create';
  const reply = await parts.keys.once(key, printOf(request.method, request.path, params), async () => {
    if (isSlow) await delay(SLOW_MS);
    if (isBroken) return { ...serverError, isStored: true };
    const done = execute(parts, () => run(params, id, key));
    return isServerError ? { ...serverError, isStored: true } : done;
  });
  // Without an answer the connection stays open until the caller or this process ends it.
  if (after === 'timeout_after_create') return;
  if (after === 'reset_after_create') return void request.socket.resetAndDestroy();
  if (after === 'html_answer') return void response.status(502).type('html').send('<h1>Bad gateway</h1>');
  if (reply.isReplayed) response.set('idempotent-replayed', 'true');
  if (key !== null) response.set('idempotency-key', key);
  send(response, reply.status, reply.body);
}

const afterFaults: readonly StripeBehavior[] = [
  'timeout_after_create',
  'reset_after_create',
  'server_error_after_create',
  'html_answer',
];

const serverError = {
  status: 500,
  body: { error: { type: 'api_error', message: 'An unknown error occurred.' } },
};

/** Runs a change. A refusal that Stripe keeps under its key is an answer like any other. */
function execute({ store }: StripeParts, run: () => unknown) {
  // The refusal is caught inside the transaction, because a decline changes the intent that it refuses.
  return store.change(() => {
    try {
      return { status: 200, body: run(), isStored: true };
    } catch (error) {
      if (!(error instanceof StripeFault) || !error.isStored) throw error;
      return { status: error.status, body: { error: error.body }, isStored: true };
    }
  });
}

const referenceOfIntent = ({ store }: StripeParts, id: string): string | null => {
  const intent: StoredIntent | undefined = id === '' ? undefined : store.intents.get(id);
  return intent ? referenceOf(intent) : null;
};

const throttled = () =>
  new StripeFault(
    429,
    {
      type: 'invalid_request_error',
      code: 'rate_limit',
      message: 'Too many requests hit the API too quickly.',
    },
    false,
  );

function authenticate(
  { secretKey }: StripeParts,
  request: Request,
  _response: Response,
  next: NextFunction,
): void {
  const given = Buffer.from(request.get('authorization') ?? '');
  const expected = Buffer.from(`Bearer ${secretKey}`);
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new StripeFault(
      401,
      { type: 'invalid_request_error', message: 'Invalid API Key provided.' },
      false,
    );
  next();
}

function refuse(error: unknown, _request: Request, response: Response, next: NextFunction): unknown {
  if (error instanceof StripeFault)
    return send(response, error.status, JSON.stringify({ error: error.body }, null, 2));
  const status = (error as { status?: number }).status ?? 500;
  if (status >= 500) return next(error);
  send(
    response,
    status,
    JSON.stringify({ error: { type: 'invalid_request_error', message: String(error) } }),
  );
}

function send(response: Response, status: number, body: string): void {
  response.set('request-id', `req_${randomBytes(7).toString('hex')}`);
  response.status(status).type('application/json').send(body);
}
