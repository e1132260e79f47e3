import type { Stripe } from 'stripe';
import type { Refunds, SoughtRefund } from '../contract/collect.js';
import type { OrderFacts, OrderStatus, QueryOutcome, SubmitOutcome } from '../contract/order.js';
import { fromStripe, toStripe } from './amounts.js';
import type { StripeClient } from './client.js';
import { factsOf, noAnswerOf, outcomeOfError } from './errors.js';
import { OUR_ID } from './intents.js';

export type ReadRefund = Readonly<{
  reference: string | null;
  status: OrderStatus;
  facts: OrderFacts;
  code?: string;
  message?: string;
}>;

const statuses: Readonly<Record<string, OrderStatus>> = {
  pending: 'pending',
  requires_action: 'pending',
  succeeded: 'settled',
  failed: 'declined',
  canceled: 'canceled',
};

/** Reads a refund. Null when a field that decides about money is missing or has an unknown value. */
export function readRefund(given: unknown): ReadRefund | null {
  const refund = (given ?? {}) as Partial<Stripe.Refund>;
  const name = refund.status ?? '';
  if (refund.object !== 'refund' || typeof refund.id !== 'string' || !Object.hasOwn(statuses, name))
    return null;
  if (typeof refund.currency !== 'string' || typeof refund.amount !== 'number') return null;
  const currency = refund.currency.toUpperCase();
  const amountMinor = fromStripe(refund.amount, currency);
  if (amountMinor === null) return null;
  const reference = refund.metadata?.[OUR_ID];
  return {
    reference: typeof reference === 'string' ? reference : null,
    status: statuses[name]!,
    facts: { providerOrderId: refund.id, accountId: null, amountMinor, currency },
    ...(refund.failure_reason ? { code: refund.failure_reason } : {}),
  };
}

export const stripeRefunds = (client: StripeClient, now: () => Date): Refunds => ({
  async submit(refund, signal) {
    const { reference, of, amountMinor, currency } = refund;
    const amount = toStripe(amountMinor, currency);
    if (amount === null) return { outcome: notRepresentable, facts: nothingSent };
    if (of.providerOrderId === null) return { outcome: unknownPayment, facts: nothingSent };
    const params = { payment_intent: of.providerOrderId, amount, metadata: { [OUR_ID]: reference } };
    const answer = await client.ask(
      (stripe) => stripe.refunds.create(params, { idempotencyKey: reference }),
      signal,
    );
    if ('error' in answer) {
      const { call, error } = answer;
      return { outcome: outcomeOfError(call, error, now()), facts: factsOf(call, error) };
    }
    return { outcome: submitOutcomeOf(readRefund(answer.value), refund), facts: factsOf(answer.call) };
  },

  /** Looks in the list of the payment's refunds. Unlike a search, a list shows an object as soon as it exists. */
  async find(refund, signal) {
    // The submit of the payment was refused, so Stripe has no such refund.
    if (refund.of.providerOrderId === null) return { outcome: { kind: 'absent' }, facts: nothingSent };
    const params = { payment_intent: refund.of.providerOrderId, limit: 100 };
    const answer = await client.ask((stripe) => stripe.refunds.list(params), signal);
    if ('error' in answer) {
      const { call, error } = answer;
      return { outcome: noAnswerOf(call, error, now()), facts: factsOf(call, error) };
    }
    return { outcome: foundIn(answer.value, refund), facts: factsOf(answer.call) };
  },
});

const nothingSent = { httpStatus: null, providerCode: null };

/** Stripe refunds a payment intent by its id only. */
const unknownPayment = {
  kind: 'rejected',
  code: 'payment_unknown',
  message: 'the id of the payment intent is not known',
} as const;

export const notRepresentable = {
  kind: 'rejected',
  code: 'amount_not_representable',
  message: 'Stripe cannot charge this amount in this currency',
} as const;

function submitOutcomeOf(read: ReadRefund | null, { reference }: SoughtRefund): SubmitOutcome {
  if (read?.reference !== reference) return { kind: 'unknown', cause: 'unreadable' };
  const { status, facts, code } = read;
  if (status === 'settled') return { kind: 'settled', ...facts };
  if (status === 'pending') return { kind: 'accepted', ...facts };
  return { kind: 'rejected', code: code ?? status, message: '' };
}

function foundIn(
  { data, has_more }: Stripe.ApiList<Stripe.Refund>,
  { reference }: SoughtRefund,
): QueryOutcome {
  if (!Array.isArray(data)) return { kind: 'unknown', cause: 'unreadable' };
  const ours = data.filter((one) => one?.metadata?.[OUR_ID] === reference);
  if (ours.length > 1) return { kind: 'several', count: ours.length };
  // A list that goes on proves no absence. A payment with more than 100 refunds is for a person.
  if (!ours[0]) return has_more ? { kind: 'unknown', cause: 'unreadable' } : { kind: 'absent' };
  const read = readRefund(ours[0]);
  if (!read) return { kind: 'unknown', cause: 'unreadable' };
  return { kind: 'found', status: read.status, ...read.facts, ...(read.code ? { code: read.code } : {}) };
}
