import { setTimeout as delay } from 'node:timers/promises';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import type { CallLog } from '../machine/call-log.js';
import { isReference, OrderRequest, showOrder } from '../machine/order.js';
import type { OrderBook, Submitted } from '../machine/orders.js';
import type { Outage } from '../machine/outage.js';
import type { FirstAnswer, Refusal } from '../machine/scenarios.js';
import type { SandboxStore } from '../machine/store.js';
import type { Timing } from '../machine/timing.js';
import type { WebhookSender } from '../machine/webhooks.js';

type FaceAnswer =
  | Readonly<{ status: number; body: unknown; headers?: Readonly<Record<string, string>> }>
  | 'silence';

/** What the provider face works on. */
export type Desk = Readonly<{
  store: SandboxStore;
  orders: OrderBook;
  webhooks: WebhookSender;
  calls: CallLog;
  outage: Outage;
  timing: Timing;
  /** Aborted when the process is about to end. */
  closing: AbortSignal;
}>;

const problem = (status: number, code: string, message: string): FaceAnswer => ({
  status,
  body: { code, message },
});
const invalid = (message: string): FaceAnswer => problem(422, 'invalid_parameter', message);
const internalError = problem(500, 'internal_error', 'something broke; the order may have been taken or not');

const refusals: Record<Refusal, FaceAnswer> = {
  rejected: invalid('paymentMethod: not accepted for this account'),
  silence: 'silence',
  unavailable: problem(503, 'unavailable', 'try again; nothing was executed'),
  rate_limited: {
    status: 429,
    headers: { 'Retry-After': '1' },
    body: { code: 'rate_limited', message: 'too many requests; nothing was executed' },
  },
};

/** The provider's own HTTP face, as its callers meet it. */
export function providerFace(desk: Desk): Router {
  const router = Router();
  router.use((request, response, next) => outageGuard(desk, request, response, next));
  router.post('/orders', express.json({ limit: '64kb' }), async (request, response) => {
    const contact = contactOf(request, response);
    await give(desk, contact, await answerSubmit(desk, request));
  });
  router.get('/orders', async (request, response) => {
    await give(desk, contactOf(request, response), answerQuery(desk, request));
  });
  router.use((request: Request, response: Response) =>
    give(desk, contactOf(request, response), problem(404, 'not_found', 'no such call')),
  );
  router.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    const status = (error as { status?: number }).status ?? 500;
    if (status >= 500) return next(error);
    const code = status === 413 ? 'too_large' : 'malformed_body';
    return give(desk, contactOf(request, response), problem(status, code, (error as Error).message));
  });
  return router;
}

async function answerSubmit(desk: Desk, request: Request): Promise<FaceAnswer> {
  const parsed = OrderRequest.safeParse(request.body);
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    return invalid(`${first?.path.join('.') || 'body'}: ${first?.message}`);
  }
  if (request.get('idempotency-key') !== parsed.data.reference)
    return invalid('header Idempotency-Key must be the reference');
  const submitted = await desk.orders.submit(parsed.data);
  return answerTo(desk, submitted);
}

async function answerTo(desk: Desk, submitted: Submitted): Promise<FaceAnswer> {
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
      // The webhook cannot be sent before this line is reached: its row was committed just now, and it is read
      // in a later turn of the event loop.
      if (submitted.answers === 'order_after_webhook') await desk.webhooks.taken(submitted.order.reference);
      return firstAnswers[submitted.answers](submitted);
    }
  }
}

const made = ({ order }: Submitted & { kind: 'made' }): FaceAnswer => ({
  status: 201,
  body: showOrder(order),
});

const firstAnswers: Record<FirstAnswer, (submitted: Submitted & { kind: 'made' }) => FaceAnswer> = {
  order: made,
  order_after_webhook: made,
  silence: () => 'silence',
  internal_error: () => internalError,
};

function answerQuery(desk: Desk, request: Request): FaceAnswer {
  const { reference } = request.query;
  if (!isReference(reference))
    return invalid('reference: needed, 1 to 128 characters of A-Z a-z 0-9 . _ : -');
  const order = desk.orders.find(reference);
  return { status: 200, body: { orders: order ? [showOrder(order)] : [] } };
}

type FaceCall = Readonly<{
  response: Response;
  reference: unknown;
  operation: 'submit' | 'query';
  atMs: number;
}>;

function contactOf(request: Request, response: Response): FaceCall {
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

/** Sends the answer the way the outage of this moment lets it through, and files the contact. */
async function give(desk: Desk, contact: FaceCall, answer: FaceAnswer): Promise<void> {
  const { response } = contact;
  if (desk.outage.mode === 'slow') await slowly(desk);
  const isLost = response.destroyed || desk.outage.mode === 'down';
  if (isLost) response.socket?.destroy();
  // Silence: the connection stays open until the caller goes away, or this process does.
  if (isLost || answer === 'silence') return desk.calls.file(contact, 'none');
  desk.calls.file(contact, String(answer.status));
  if (answer.headers) response.set(answer.headers);
  response.status(answer.status).json(answer.body);
}

const slowly = (desk: Desk): Promise<void> =>
  delay(desk.timing.slowAnswerMs, undefined, { signal: desk.closing }).catch(() => {});

function outageGuard(desk: Desk, request: Request, response: Response, next: NextFunction): unknown {
  switch (desk.outage.mode) {
    case 'none':
    case 'slow':
      return next();
    case 'down':
    case 'errors':
      return give(desk, contactOf(request, response), internalError);
  }
}
