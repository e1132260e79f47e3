import type { Order } from '../contract/order.js';
import type { Provider } from '../contract/provider.js';
import type { ProviderDefinition } from '../definition.js';
import { openHttp } from '../transport/http.js';
import { signingKeys, verifySignature } from '../transport/standard-webhooks.js';
import { factsOf, queryOutcomeOf, submitOutcomeOf } from './outcomes.js';
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

      async submit(order, signal) {
        const headers = { 'content-type': 'application/json', 'idempotency-key': order.reference };
        const request = { method: 'POST', path: '/v1/orders', headers, body: submitBody(order) } as const;
        const exchange = await http.exchange(request, signal);
        return { outcome: submitOutcomeOf(exchange, order), facts: factsOf(exchange) };
      },

      async find({ reference }, signal) {
        const request = { method: 'GET', path: '/v1/orders', query: { reference } } as const;
        const exchange = await http.exchange(request, signal);
        return { outcome: queryOutcomeOf(exchange, reference), facts: factsOf(exchange) };
      },
    },
    webhooks: {
      verify(rawBody, headers, now) {
        const signed = verifySignature({ rawBody, headers, keys, now });
        return signed.ok ? { ok: true, eventId: signed.id } : signed;
      },
      read: (rawBody) => readWebhook(jsonOf(rawBody)),
      reply: { contentType: 'application/json', body: '{"received":true}' },
    },
    close: () => http.close(),
  };
}

function submitBody(order: Order): string {
  const amount = Number(order.amountMinor);
  // Amounts of the protocol are JSON integers. Beyond 2^53-1 a number would be rounded to another amount.
  if (!Number.isSafeInteger(amount)) throw new RangeError(`amount out of range: ${order.amountMinor}`);
  const { reference, accountId, currency, paymentMethod, notifyUrl, metadata } = order;
  const scenario = Object.hasOwn(metadata, 'scenario') ? metadata.scenario : undefined;
  return JSON.stringify({ reference, accountId, amount, currency, paymentMethod, notifyUrl, scenario });
}

function jsonOf(rawBody: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody));
  } catch {
    return undefined;
  }
}
