import type { OrderStatus, Provider, ProviderEvent, Webhooks } from '@replenish/providers';

export type Facts = Readonly<{
  reference?: string | null;
  providerOrderId?: string | null;
  accountId?: string | null;
  amountMinor?: number;
}>;

export const eventBody = (status: OrderStatus, facts: Facts): string =>
  JSON.stringify({
    reference: null,
    providerOrderId: null,
    accountId: null,
    status,
    amountMinor: 4_999,
    currency: 'USD',
    ...facts,
  });

const noCalls = () => Promise.reject(new Error('an event calls nobody'));

/** A provider that reads the bodies of `eventBody`. */
export const provider: Provider & { webhooks: Webhooks } = {
  name: 'sandbox',
  orders: {
    promises: { idempotentSubmit: true, queryByReference: true },
    submit: noCalls,
    find: noCalls,
  },
  webhooks: {
    verify: () => ({ ok: false, refusal: 'bad_signature' }),
    read: (rawBody): ProviderEvent => {
      const text = rawBody.toString('utf8');
      if (text === 'ping') return { kind: 'ignored', type: 'ping' };
      if (!text.startsWith('{'))
        return { kind: 'unread', type: null, reference: null, providerOrderId: null };
      const { amountMinor, ...order } = JSON.parse(text);
      if (order.type) return { kind: 'unread', ...order };
      return { kind: 'order', ...order, amountMinor: BigInt(amountMinor) };
    },
    reply: { contentType: 'text/plain', body: '' },
  },
  close: async () => {},
};
