import { createHmac } from 'node:crypto';
import type { WitnessedOrder } from '../books/witness.js';
import type { Fleet } from './fleet.js';

export type EventStatus = 'pending' | 'settled' | 'declined' | 'canceled';

/** The body of a webhook that reports the status of an order, in the sandbox's format. */
export const eventBody = (
  order: Pick<WitnessedOrder, 'id' | 'reference' | 'amount' | 'currency'> & { accountId: string },
  status: EventStatus,
): string =>
  JSON.stringify({
    type: `order.${status}`,
    timestamp: new Date().toISOString(),
    data: {
      ...order,
      status,
      code: status === 'declined' ? 'insufficient_funds' : null,
      message: null,
      charges: status === 'settled' ? [{ amount: order.amount, status: 'captured' }] : [],
    },
  });

/** Posts a webhook to the first ingress, signed by Standard Webhooks 1.0 with the fleet's secret. */
export async function postEvent(
  fleet: Pick<Fleet, 'ingressUrl' | 'webhookSecret'>,
  eventId: string,
  body: string,
): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const key = Buffer.from(fleet.webhookSecret.replace('whsec_', ''), 'base64');
  const hmac = createHmac('sha256', key).update(`${eventId}.${timestamp}.${body}`).digest('base64');
  const response = await fetch(`${fleet.ingressUrl}/webhooks/sandbox`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': eventId,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${hmac}`,
    },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}
