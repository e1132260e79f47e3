import type { CancelOutcome } from '../contract/collect.js';
import type { CallAnswer, Order, QueryOutcome, SoughtOrder } from '../contract/order.js';
import type { CollectProvider } from '../contract/provider.js';
import type { ProviderDefinition } from '../definition.js';
import { toStripe } from './amounts.js';
import { openStripe, type StripeClient } from './client.js';
import { codeOf, factsOf, noAnswerOf, outcomeOfError } from './errors.js';
import {
  CANCELED_REASON,
  cancelOutcomeOf,
  DECLINED_REASON,
  foundOutcomeOf,
  OUR_ID,
  readIntent,
  submitOutcomeOfIntent,
} from './intents.js';
import { notRepresentable, stripeRefunds } from './refunds.js';
import { stripeStatement } from './statement.js';
import { stripeWebhooks } from './webhooks.js';

export type StripeOptions = Readonly<{
  /** `STRIPE_SECRET_KEY`. */
  secretKey: string;
  /** `STRIPE_WEBHOOK_SECRET`: one `whsec_...`, or several separated by commas. Unset: every webhook is refused. */
  webhookSecret?: string | undefined;
  /** `STRIPE_API_BASE`. */
  apiBase?: string | undefined;
  /** Whether the scenario of an order is passed on. Only simulators understand it. */
  passesScenario?: boolean;
  now?: () => Date;
}>;

/** The definition of Stripe. It is open where `STRIPE_SECRET_KEY` is set. */
export const stripe: ProviderDefinition = {
  name: 'stripe',
  methods: ['credit_card'],
  open({ NODE_ENV, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_BASE }) {
    if (!STRIPE_SECRET_KEY) return null;
    return stripeProvider({
      secretKey: STRIPE_SECRET_KEY,
      webhookSecret: STRIPE_WEBHOOK_SECRET,
      apiBase: STRIPE_API_BASE,
      passesScenario: NODE_ENV !== 'production' && STRIPE_API_BASE !== undefined,
    });
  },
};

const nothingSent = { httpStatus: null, providerCode: null };

/** Collects card payments by PaymentIntents. Our transaction id is the Idempotency-Key and is in the metadata. */
export function stripeProvider(options: StripeOptions): CollectProvider {
  const client = openStripe(options.apiBase ?? 'https://api.stripe.com', options.secretKey);
  const now = options.now ?? (() => new Date());
  return {
    name: 'stripe',
    orders: {
      // The search may miss a young intent, so its "absent" proves nothing by itself. It does not have to: within 24
      // hours the key makes a repeat harmless, and after them the search has long caught up.
      promises: { idempotentSubmit: true, queryByReference: true },

      async submit(order, signal) {
        const amount = toStripe(order.amountMinor, order.currency);
        if (amount === null) return { outcome: notRepresentable, facts: nothingSent };
        const params = intentParams(order, amount, options.passesScenario ?? false);
        const answer = await client.ask(
          (stripe) => stripe.paymentIntents.create(params, { idempotencyKey: order.reference }),
          signal,
        );
        if ('error' in answer) {
          const { call, error } = answer;
          return { outcome: outcomeOfError(call, error, now()), facts: factsOf(call, error) };
        }
        const outcome = submitOutcomeOfIntent(readIntent(answer.value), order.reference);
        return { outcome, facts: factsOf(answer.call) };
      },

      find: (order, signal) => findIntent(client, order, now(), signal),
    },
    cancels: { cancel: (order, signal) => cancelIntent(client, order, now(), signal) },
    refunds: stripeRefunds(client, now),
    statement: stripeStatement(client, now),
    webhooks: stripeWebhooks(options.webhookSecret ?? ''),
    close: () => client.close(),
  };
}

/** The parameters of an intent. None of them may change between two tries of an order, or the key is refused. */
const intentParams = ({ reference, currency, metadata }: Order, amount: number, passesScenario: boolean) => ({
  amount,
  currency: currency.toLowerCase(),
  payment_method_types: ['card'],
  metadata: {
    [OUR_ID]: reference,
    ...(passesScenario && Object.hasOwn(metadata, 'scenario') ? { scenario: metadata.scenario! } : {}),
  },
});

type IntentLookUp = CallAnswer<QueryOutcome> & Readonly<{ intent: ReturnType<typeof readIntent> }>;

/**
 * Finds an intent. A declined one is canceled first, and only then reported as declined: until it is canceled, the payer
 * may pay it with another card.
 */
async function findIntent(
  client: StripeClient,
  order: SoughtOrder,
  now: Date,
  signal: AbortSignal,
): Promise<CallAnswer<QueryOutcome>> {
  const found = await lookUp(client, order, now, signal);
  if (found.outcome.kind !== 'found' || !found.intent?.isPayableAfterDecline) return found;
  const canceled = await endIntent(client, order, found.outcome.providerOrderId, DECLINED_REASON, signal);
  if (!canceled.value)
    return { outcome: noAnswerOf(canceled.call, canceled.error, now), facts: canceled.facts };
  return { outcome: foundOutcomeOf(readIntent(canceled.value), order.reference), facts: canceled.facts };
}

async function cancelIntent(
  client: StripeClient,
  order: SoughtOrder,
  now: Date,
  signal: AbortSignal,
): Promise<CallAnswer<CancelOutcome>> {
  const { outcome, facts, intent } = await lookUp(client, order, now, signal);
  if (outcome.kind === 'unknown' || outcome.kind === 'not_executed') return { outcome, facts };
  // No intent is found, or several. A submit may still be under way, so nothing is certain.
  if (outcome.kind !== 'found') return { outcome: { kind: 'unknown', cause: 'unreadable' }, facts };
  if (outcome.status !== 'pending') return { outcome: cancelOutcomeOf(intent, order.reference), facts };
  const ended = await endIntent(client, order, outcome.providerOrderId, CANCELED_REASON, signal);
  if (ended.value)
    return { outcome: cancelOutcomeOf(readIntent(ended.value), order.reference), facts: ended.facts };
  // The intent moved on between the look-up and the cancel.
  if (codeOf(ended.error) === 'payment_intent_unexpected_state')
    return { outcome: { kind: 'pending' }, facts: ended.facts };
  return { outcome: noAnswerOf(ended.call, ended.error, now), facts: ended.facts };
}

async function lookUp(
  client: StripeClient,
  { reference, providerOrderId }: SoughtOrder,
  now: Date,
  signal: AbortSignal,
): Promise<IntentLookUp> {
  const answer = await client.ask(async (stripe) => {
    if (providerOrderId) return [await stripe.paymentIntents.retrieve(providerOrderId)];
    const query = `metadata['${OUR_ID}']:'${reference.replace(/[\\']/g, '\\$&')}'`;
    return (await stripe.paymentIntents.search({ query, limit: 100 })).data;
  }, signal);
  const { call } = answer;
  if ('error' in answer) {
    const facts = factsOf(call, answer.error);
    return { outcome: noAnswerOf(call, answer.error, now), facts, intent: null };
  }
  const facts = factsOf(call);
  const intents = answer.value;
  if (!Array.isArray(intents))
    return { outcome: { kind: 'unknown', cause: 'unreadable' }, facts, intent: null };
  if (intents.length === 0) return { outcome: { kind: 'absent' }, facts, intent: null };
  if (intents.length > 1) return { outcome: { kind: 'several', count: intents.length }, facts, intent: null };
  const intent = readIntent(intents[0]);
  return { outcome: foundOutcomeOf(intent, reference), facts, intent };
}

/**
 * Cancels an intent. The reason is in the key: an answer that Stripe stored for one attempt must not answer another that
 * was made for another reason.
 */
async function endIntent(
  client: StripeClient,
  { reference }: SoughtOrder,
  intentId: string,
  reason: typeof DECLINED_REASON | typeof CANCELED_REASON,
  signal: AbortSignal,
) {
  const answer = await client.ask(
    (stripe) =>
      stripe.paymentIntents.cancel(
        intentId,
        { cancellation_reason: reason },
        { idempotencyKey: `${reference}:cancel:${reason}` },
      ),
    signal,
  );
  const error = 'error' in answer ? answer.error : undefined;
  const value = 'value' in answer ? answer.value : null;
  return { call: answer.call, value, error, facts: factsOf(answer.call, error) };
}
