import type { Stripe } from 'stripe';
import type { CancelOutcome } from '../contract/collect.js';
import type { OrderFacts, OrderStatus, QueryOutcome, SubmitOutcome } from '../contract/order.js';
import { fromStripe } from './amounts.js';

/** The name of our transaction id in the metadata of Stripe's objects. */
export const OUR_ID = 'transaction_id';

/**
 * The reason with which a declined intent is canceled. It separates a decline that we closed from a cancel that a
 * client asked for.
 */
export const DECLINED_REASON = 'abandoned';
export const CANCELED_REASON = 'requested_by_customer';

/** A payment intent in our terms. `isPayableAfterDecline`: declined, but the payer may try again until it is canceled. */
export type ReadIntent = Readonly<{
  reference: string | null;
  status: OrderStatus;
  isPayableAfterDecline: boolean;
  facts: OrderFacts;
  code?: string;
  message?: string;
}>;

const statuses: Readonly<Record<string, OrderStatus>> = {
  requires_payment_method: 'pending',
  requires_confirmation: 'pending',
  requires_action: 'pending',
  processing: 'pending',
  requires_capture: 'pending',
  succeeded: 'settled',
  canceled: 'canceled',
};

// Stripe keeps an unpaid intent for ever. We stop waiting for its payer after this time, and cancel it.
const PAYABLE_SECONDS = 86_400;

const waitsForPayer = new Set(['requires_payment_method', 'requires_confirmation', 'requires_action']);

/** Reads an intent. Null when a field that decides about money is missing or has an unknown value. */
export function readIntent(given: unknown): ReadIntent | null {
  const intent = (given ?? {}) as Partial<Stripe.PaymentIntent>;
  const { id, object, currency: lowerCase, status: name = '' } = intent;
  const status = Object.hasOwn(statuses, name) ? statuses[name]! : null;
  if (object !== 'payment_intent' || typeof id !== 'string' || typeof lowerCase !== 'string' || !status)
    return null;
  const currency = lowerCase.toUpperCase();
  const paid = status === 'settled' ? intent.amount_received : intent.amount;
  const amountMinor = typeof paid === 'number' ? fromStripe(paid, currency) : null;
  if (amountMinor === null || (status === 'settled' && amountMinor === 0n)) return null;
  const decline = declineOf(intent);
  const isClosedDecline = status === 'canceled' && intent.cancellation_reason === DECLINED_REASON;
  const reference = intent.metadata?.[OUR_ID];
  return {
    reference: typeof reference === 'string' ? reference : null,
    status: isClosedDecline && decline ? 'declined' : status,
    isPayableAfterDecline: name === 'requires_payment_method' && decline !== null,
    facts: {
      ...{ providerOrderId: id, accountId: null, amountMinor, currency },
      ...(waitsForPayer.has(name) && typeof intent.client_secret === 'string'
        ? {
            action: {
              type: 'client_secret',
              value: intent.client_secret,
              expiresAt: payableUntilOf(intent),
            } as const,
          }
        : {}),
    },
    ...(decline && (status === 'pending' || isClosedDecline) ? decline : {}),
  };
}

const payableUntilOf = ({ created }: Partial<Stripe.PaymentIntent>): Date | null =>
  typeof created === 'number' ? new Date((created + PAYABLE_SECONDS) * 1_000) : null;

function declineOf({ last_payment_error: error }: Partial<Stripe.PaymentIntent>) {
  if (!error) return null;
  const code = error.decline_code ?? error.code ?? 'card_declined';
  return { code: String(code).slice(0, 64), message: String(error.message ?? '').slice(0, 500) };
}

/** The outcome of creating an intent. An intent of another reference is not the answer to our order. */
export function submitOutcomeOfIntent(intent: ReadIntent | null, reference: string): SubmitOutcome {
  if (intent?.reference !== reference) return { kind: 'unknown', cause: 'unreadable' };
  if (intent.status === 'settled') return { kind: 'settled', ...intent.facts };
  if (intent.status === 'pending') return { kind: 'accepted', ...intent.facts };
  // An answer that Stripe repeats under our key may show an intent that has ended. The look-up decides.
  return { kind: 'unknown', cause: 'unreadable', code: intent.status };
}

export function foundOutcomeOf(intent: ReadIntent | null, reference: string): QueryOutcome {
  if (intent?.reference !== reference) return { kind: 'unknown', cause: 'unreadable' };
  const { status, facts, code, message } = intent;
  return {
    kind: 'found',
    status,
    ...facts,
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
  };
}

export function cancelOutcomeOf(intent: ReadIntent | null, reference: string): CancelOutcome {
  if (intent?.reference !== reference) return { kind: 'unknown', cause: 'unreadable' };
  if (intent.status === 'settled') return { kind: 'settled', ...intent.facts };
  return intent.status === 'pending' ? { kind: 'pending' } : { kind: 'canceled' };
}
