import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { readBehave } from '../machine/behaviors.js';
import type { StripeParts } from './api.js';
import { faultsOfStripe, StripeFault } from './faults.js';
import { type CardOutcome, referenceOf, type StoredIntent } from './objects.js';

const cards: readonly CardOutcome[] = ['ok', 'declined', 'requires_action'];

/** The control API of the dialect, for tests and people: what was paid, the payer, and faults. */
export function stripeControl(parts: StripeParts, setWebhookUrl: (url: string) => void): Router {
  const router = Router();
  router.use(express.json({ limit: '4kb' }));
  router.get('/payment_intents', (request, response) => {
    const { reference } = request.query;
    const intents =
      typeof reference === 'string'
        ? parts.book.withMetadata('transaction_id', reference)
        : parts.book.newest(100);
    response.json({ payment_intents: intents.map((intent) => inspect(parts, intent)) });
  });
  router.post('/pay', (request, response) => {
    const { id, card = 'ok' } = (request.body ?? {}) as { id?: unknown; card?: CardOutcome };
    if (typeof id !== 'string') return wrong(response, 'id: must be the id of a payment intent');
    if (!cards.includes(card)) return wrong(response, `card: must be one of ${cards.join(', ')}`);
    response.json(
      inspect(
        parts,
        parts.store.change(() => parts.book.pay(id, card)),
      ),
    );
  });
  router.post('/behave', (request, response) => {
    const behave = readBehave(request.body, faultsOfStripe);
    if (typeof behave === 'string') return wrong(response, behave);
    parts.behaviors.add(behave.fault, behave.times, behave.reference);
    response.json({ scenario: behave.fault, times: behave.times, reference: behave.reference });
  });
  router.post('/webhook_url', (request, response) => {
    const { url } = (request.body ?? {}) as { url?: unknown };
    if (typeof url !== 'string' || !/^https?:\/\//.test(url))
      return wrong(response, 'url: must be an http URL');
    setWebhookUrl(url);
    response.json({ url });
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (!(error instanceof StripeFault)) return next(error);
    response
      .status(error.status)
      .json({ code: String(error.body.code ?? 'refused'), message: error.message });
  });
  return router;
}

function wrong(response: Response, message: string): void {
  response.status(400).json({ code: 'invalid_parameter', message });
}

const inspect = ({ book }: StripeParts, intent: StoredIntent) => ({
  id: intent.id,
  reference: referenceOf(intent),
  amount: intent.amount,
  amountReceived: intent.amountReceived,
  currency: intent.currency.toUpperCase(),
  status: intent.status,
  charges: intent.chargeId === null ? [] : [{ id: intent.chargeId, amount: intent.amountReceived }],
  refunds: book
    .refundsOf(intent.id)
    .map((refund) => ({ id: refund.id, reference: referenceOf(refund), amount: refund.amount })),
  at: new Date(intent.createdMs).toISOString(),
});
