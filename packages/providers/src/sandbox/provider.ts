import type { RefundOrder } from '../contract/collect.js';
import type { CallAnswer, Order, QueryOutcome, SubmitOutcome } from '../contract/order.js';
import type { Provider } from '../contract/provider.js';
import type { ProviderDefinition } from '../definition.js';
import { type HttpClient, openHttp } from '../transport/http.js';
import { signingKeys, verifySignature } from '../transport/standard-webhooks.js';
import { factsOf, queryOutcomeOf, submitOutcomeOf } from './outcomes.js';
import { sandboxStatement } from './statement.js';
import { readWebhook } from './webhooks.js';

export type SandboxOptions = Readonly<{
  baseUrl: string;
  /**
   * The secret of webhooks: one `whsec_...`, or several separated by spaces during a rotation. Unset: every webhook is
   * refused.
   */
  webhookSecret?: string | undefined;
  now?: () => Date;
}>;

/**
 * The definition of the sandbox. It moves no real money, so production does not open it. Elsewhere it serves every
 * method.
 */
export const sandbox: ProviderDefinition = {
  name: 'sandbox',
  methods: ['sandbox'],
  isFallback: true,
  open: ({ NODE_ENV, SANDBOX_URL, SANDBOX_WEBHOOK_SECRET }) =>
    NODE_ENV === 'production'
      ? null
      : sandboxProvider({ baseUrl: SANDBOX_URL, webhookSecret: SANDBOX_WEBHOOK_SECRET }),
};

/**
 * The client of the provider simulator, which is called over HTTP like any provider.
 * @throws when the secret does not have the form of Standard Webhooks
 */
export function sandboxProvider(options: SandboxOptions): Provider {
  const http = openHttp(options.baseUrl, options.now ?? (() => new Date()));
  const keys = signingKeys(options.webhookSecret ?? '');
  return {
    name: 'sandbox',
    orders: {
      promises: { idempotentSubmit: true, queryByReference: true },
      submit: async (order, signal) => submit(http, order, submitBody(order), signal),
      find: ({ reference }, signal) => find(http, reference, signal),
    },
    refunds: {
      submit: async (refund, signal) => submit(http, refund, refundBody(refund), signal),
      find: ({ reference }, signal) => find(http, reference, signal),
    },
    webhooks: {
      verify(rawBody, headers, now) {
        const signed = verifySignature({ rawBody, headers, keys, now });
        return signed.ok ? { ok: true, eventId: signed.id } : signed;
      },
      read: (rawBody) => readWebhook(jsonOf(rawBody)),
      reply: { contentType: 'application/json', body: '{"received":true}' },
    },
    statement: sandboxStatement(http),
    close: () => http.close(),
  };
}

async function submit(
  http: HttpClient,
  order: Pick<Order, 'reference' | 'accountId'>,
  body: string,
  signal: AbortSignal,
): Promise<CallAnswer<SubmitOutcome>> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': order.reference };
  const exchange = await http.exchange({ method: 'POST', path: '/v1/orders', headers, body }, signal);
  return { outcome: submitOutcomeOf(exchange, order), facts: factsOf(exchange) };
}

async function find(
  http: HttpClient,
  reference: string,
  signal: AbortSignal,
): Promise<CallAnswer<QueryOutcome>> {
  const exchange = await http.exchange({ method: 'GET', path: '/v1/orders', query: { reference } }, signal);
  return { outcome: queryOutcomeOf(exchange, reference), facts: factsOf(exchange) };
}

function submitBody(order: Order): string {
  const { reference, accountId, currency, paymentMethod, notifyUrl, metadata } = order;
  const scenario = textOf(metadata, 'scenario');
  const amount = amountOf(order);
  return JSON.stringify({ reference, accountId, amount, currency, paymentMethod, notifyUrl, scenario });
}

/** A refund is an order of its own that names the order that it pays back. */
function refundBody(refund: RefundOrder): string {
  const { reference, accountId, currency, notifyUrl, metadata } = refund;
  // A recharge that is declined has nothing to refund. So a test can ask for another scenario of the refund.
  const scenario = textOf(metadata, 'refundScenario') ?? textOf(metadata, 'scenario');
  const [amount, refundOf] = [amountOf(refund), refund.of.reference];
  return JSON.stringify({ reference, accountId, amount, currency, notifyUrl, scenario, refundOf });
}

/** Amounts of the protocol are JSON integers. Beyond 2^53-1 a number would be rounded to another amount. */
function amountOf({ amountMinor }: Pick<Order, 'amountMinor'>): number {
  const amount = Number(amountMinor);
  if (!Number.isSafeInteger(amount)) throw new RangeError(`amount out of range: ${amountMinor}`);
  return amount;
}

const textOf = (metadata: Order['metadata'], name: string): string | undefined =>
  Object.hasOwn(metadata, name) ? metadata[name] : undefined;

const utf8 = new TextDecoder('utf-8', { fatal: true });

function jsonOf(rawBody: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(rawBody));
  } catch {
    return undefined;
  }
}
