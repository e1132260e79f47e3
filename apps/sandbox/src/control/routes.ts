import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { inspectOrder, isReference, type StoredOrder } from '../machine/order.js';
import { isOutageMode, outageModes } from '../machine/outage.js';
import type { SandboxStore } from '../machine/store/store.js';
import type { SandboxParts } from '../plain/routes.js';
import { page } from './page.js';

const PAGE_LIMIT = 100;
const PAGE_LIMIT_MAX = 1_000;

/** The routes of the control API, for tests and people. An outage does not affect them. */
export function controlRoutes(parts: SandboxParts, docsUrl: string | null): Router {
  const router = Router();
  router.get('/_control/orders', (request, response) => {
    const listing = listOrders(parts.store, request.query);
    if (typeof listing === 'string') refuse(response, listing);
    else response.json(listing);
  });
  router.get('/_control/calls', async (request, response) => {
    const { reference } = request.query;
    if (!isReference(reference)) return refuse(response, 'reference: needed');
    response.json({ calls: await parts.calls.of(reference) });
  });
  router.get('/_control/stats', (_request, response) => {
    response.json({ ...parts.store.counters, outage: parts.outage.mode });
  });
  const bodies = [express.json({ limit: '1kb' }), express.urlencoded({ extended: false, limit: '1kb' })];
  router.post('/_control/outage', bodies, (request: Request, response: Response) => {
    const isForm = Boolean(request.is('application/x-www-form-urlencoded'));
    if (isForm && !isOwnForm(request)) return refuse(response, 'the form was sent from another site');
    const mode: unknown = request.body?.mode;
    if (!isOutageMode(mode))
      return refuse(response, `mode: must be one of ${Object.keys(outageModes).join(', ')}`);
    parts.outage.mode = mode;
    if (mode === 'down') parts.webhooks.pause();
    else parts.webhooks.resume();
    if (isForm) return response.redirect(303, '/');
    response.json({ mode, does: outageModes[mode] });
  });
  router.get('/healthz', (_request, response) => void response.json({ ok: true }));
  router.get('/', (_request, response) => {
    const newest = newestOrders(parts.store, undefined, 20);
    const { counters } = parts.store;
    response.type('html').send(page({ newest, counters, mode: parts.outage.mode, docsUrl }));
  });
  router.use((_request: Request, response: Response) => {
    response.status(404).json({ code: 'not_found', message: 'no such call; GET / lists them' });
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (((error as { status?: number }).status ?? 500) >= 500) return next(error);
    refuse(response, (error as Error).message);
  });
  return router;
}

/** Whether a form was sent from the sandbox's own page. A page of another site must not be able to start an outage. */
const isOwnForm = ({ headers }: Request): boolean => {
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin' || site === 'none';
};

function refuse(response: Response, message: string): void {
  response.status(400).json({ code: 'invalid_parameter', message });
}

function listOrders(store: SandboxStore, query: Request['query']): Listing | string {
  const { reference, limit = String(PAGE_LIMIT), cursor } = query;
  if (reference !== undefined) {
    const order = isReference(reference) ? store.orders.get(reference) : undefined;
    return { orders: order ? [withRefunds(store, order)] : [] };
  }
  const size = Number(limit);
  if (!Number.isInteger(size) || size < 1 || size > PAGE_LIMIT_MAX)
    return `limit: must be a number from 1 to ${PAGE_LIMIT_MAX}`;
  if (cursor !== undefined && !isReference(cursor))
    return 'cursor: must be the nextCursor of an earlier page';
  const orders = newestOrders(store, cursor, size);
  return { orders, nextCursor: orders.length === size ? (orders.at(-1)?.id ?? null) : null };
}

type Listing = Readonly<{ orders: ReturnType<typeof newestOrders>; nextCursor?: string | null }>;

/** The orders, newest first. The list starts after the order with the id `cursor`. */
function newestOrders(store: SandboxStore, cursor: string | undefined, limit: number) {
  const from = cursor === undefined ? {} : { start: cursor, exclusiveStart: true };
  const references = store.newest.getRange({ ...from, reverse: true, limit });
  return [...references].flatMap(({ value }) => {
    const order = store.orders.get(value);
    return order ? [withRefunds(store, order)] : [];
  });
}

const withRefunds = (store: SandboxStore, order: StoredOrder) => ({
  ...inspectOrder(order),
  refunds: (store.refunds.get(order.reference) ?? []).flatMap((reference) => {
    const refund = store.orders.get(reference);
    return refund ? [{ reference, amount: refund.amount, status: refund.status }] : [];
  }),
});
