import { setTimeout as delay } from 'node:timers/promises';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import type { CallLog } from '../machine/call-log.js';
import { isReference, OrderRequest, showOrder } from '../machine/order.js';
import type { OrderBook, Submitted } from '../machine/orders.js';
import type { Outage } from '../machine/outage.js';
import type { FirstAnswer, Refusal } from '../machine/scenarios.js';
import type { SandboxStore, StatementPlace } from '../machine/store/store.js';
import type { Timing } from '../machine/timing.js';
import type { WebhookSender } from '../machine/webhooks.js';

type ApiAnswer =
  | Readonly<{ status: number; body: unknown; headers?: Readonly<Record<string, string>> }>
  | 'silence';

/** The parts of the simulator that its routes use. */
export type SandboxParts = Readonly<{
  store: SandboxStore;
  orders: OrderBook;
  webhooks: WebhookSender;
  calls: CallLog;
  outage: Outage;
  timing: Timing;
  /** Aborted when the simulator closes. */
  closing: AbortSignal;
}>;

const problem = (status: number, code: string, message: string): ApiAnswer => ({
  status,
  body: { code, message },
});
const invalid = (message: string): ApiAnswer => problem(422, 'invalid_parameter', message);
const internalError = problem(500, 'internal_error', 'something broke; the order may have been taken or not');

const refusals: Record<Refusal, ApiAnswer> = {
  rejected: invalid('paymentMethod: not accepted for this account'),
  not_refundable: problem(422, 'not_refundable', 'the order is not settled, or not that much of it is left'),
  silence: 'silence',
  unavailable: problem(503, 'unavailable', 'try again; nothing was executed'),
  rate_limited: {
    status: 429,
    headers: { 'Retry-After': '1' },
    body: { code: 'rate_limited', message: 'too many requests; nothing was executed' },
  },
};

/** The routes of the provider API, which simulates a payment provider. */
export function providerRoutes(parts: SandboxParts): Router {
  const router = Router();
  router.use((request, response, next) => outageGuard(parts, request, response, next));
  router.post('/orders', express.json({ limit: '64kb' }), async (request, response) => {
    const contact = contactOf(request, response);
    await give(parts, contact, await answerSubmit(parts, request));
  });
  router.get('/orders', async (request, response) => {
    await give(parts, contactOf(request, response), answerQuery(parts, request));
  });
  router.get('/statement', async (request, response) => {
    await give(parts, contactOf(request, response), answerStatement(parts, request));
  });
  router.use((request: Request, response: Response) =>
    give(parts, contactOf(request, response), problem(404, 'not_found', 'no such call')),
  );
  router.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    const status = (error as { status?: number }).status ?? 500;
    if (status >= 500) return next(error);
    const code = status === 413 ? 'too_large' : 'malformed_body';
    return give(parts, contactOf(request, response), problem(status, code, (error as Error).message));
  });
  return router;
}

async function answerSubmit(parts: SandboxParts, request: Request): Promise<ApiAnswer> {
  const parsed = OrderRequest.safeParse(request.body);
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    return invalid(`${first?.path.join('.') || 'body'}: ${first?.message}`);
  }
  if (request.get('idempotency-key') !== parsed.data.reference)
    return invalid('header Idempotency-Key must be the reference');
  const submitted = await parts.orders.submit(parsed.data);
  return answerTo(parts, submitted);
}

async function answerTo(parts: SandboxParts, submitted: Submitted): Promise<ApiAnswer> {
  switch (submitted.kind) {
    case 'refused':
      return refusals[submitted.answer];
    case 'reused':
      return problem(409, 'reference_reused', 'this reference belongs to an order with other fields');
    case 'replayed':
      return {
        status: 200,
        headers: { 'Idempotent-Replayed': 'true' },
        body: showOrder(submitted.order),
      };
    case 'made': {
      // The webhook is not sent before this line, because its row was committed just now, and due rows are read in a
      // later turn of the event loop.
      if (submitted.answers === 'order_after_webhook') await parts.webhooks.taken(submitted.order.reference);
      return firstAnswers[submitted.answers](submitted);
    }
  }
}

const made = ({ order }: Submitted & { kind: 'made' }): ApiAnswer => ({
  status: 201,
  body: showOrder(order),
});

const firstAnswers: Record<FirstAnswer, (submitted: Submitted & { kind: 'made' }) => ApiAnswer> = {
  order: made,
  order_after_webhook: made,
  silence: () => 'silence',
  internal_error: () => internalError,
};

function answerQuery(parts: SandboxParts, request: Request): ApiAnswer {
  const { reference } = request.query;
  if (!isReference(reference))
    return invalid('reference: needed, 1 to 128 characters of A-Z a-z 0-9 . _ : -');
  const order = parts.orders.find(reference);
  return { status: 200, body: { orders: order ? [showOrder(order)] : [] } };
}

const LINES_MAX = 100;
const CURSOR = /^(\d{1,15})-(\d{1,15})$/;

/** The lines of the statement from `from` on and before `to`, oldest first, in pages. */
function answerStatement({ orders }: SandboxParts, { query }: Request): ApiAnswer {
  const [fromMs, toMs] = [Date.parse(String(query.from)), Date.parse(String(query.to))];
  if (Number.isNaN(fromMs) || Number.isNaN(toMs)) return invalid('from, to: needed, times of RFC 3339');
  const [, atMs, number] = CURSOR.exec(String(query.after ?? '')) ?? [];
  if (query.after !== undefined && atMs === undefined) return invalid('after: is no `next` of a page');
  const after: StatementPlace | null = atMs === undefined ? null : [Number(atMs), Number(number)];
  const rows = orders.statement.read(fromMs, toMs, after, LINES_MAX);
  const last = rows.at(-1)?.key;
  const lines = rows.map(({ key, value }) => ({
    line: key.join('-'),
    at: new Date(key[0]).toISOString(),
    ...value,
  }));
  return { status: 200, body: { lines, next: last && rows.length === LINES_MAX ? last.join('-') : null } };
}

type ApiCall = Readonly<{
  response: Response;
  reference: unknown;
  operation: 'submit' | 'query';
  atMs: number;
}>;

function contactOf(request: Request, response: Response): ApiCall {
  const isSubmit = request.method === 'POST';
  return {
    response,
    reference: isSubmit
      ? (request.get('idempotency-key') ?? request.body?.reference)
      : request.query.reference,
    operation: isSubmit ? 'submit' : 'query',
    atMs: Date.now(),
  };
}

/** Sends the answer, changed as the current outage requires, and logs the contact. */
async function give(parts: SandboxParts, contact: ApiCall, answer: ApiAnswer): Promise<void> {
  const { response } = contact;
  if (parts.outage.mode === 'slow') await slowly(parts);
  const isLost = response.destroyed || parts.outage.mode === 'down';
  if (isLost) response.socket?.destroy();
  // For `silence` the connection stays open until the caller or this process ends it.
  if (isLost || answer === 'silence') return parts.calls.file(contact, 'none');
  parts.calls.file(contact, String(answer.status));
  if (answer.headers) response.set(answer.headers);
  response.status(answer.status).json(answer.body);
}

const slowly = (parts: SandboxParts): Promise<void> =>
  delay(parts.timing.slowAnswerMs, undefined, { signal: parts.closing }).catch(() => {});

function outageGuard(parts: SandboxParts, request: Request, response: Response, next: NextFunction): unknown {
  switch (parts.outage.mode) {
    case 'none':
    case 'slow':
      return next();
    case 'down':
    case 'errors':
      return give(parts, contactOf(request, response), internalError);
  }
}
