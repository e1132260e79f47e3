import { createHmac } from 'node:crypto';

/** A message as Standard Webhooks 1.0.0 signs it. `at` is the time of the attempt. */
export type EventToSign = Readonly<{ id: string; at: Date; body: string; secrets: readonly string[] }>;

/**
 * The headers of Standard Webhooks 1.0.0. Several secrets give several signatures, and the receiver needs to know one
 * of them. The secret is `whsec_` and base64, and its bytes are the key.
 */
export function signatureHeaders({ id, at, body, secrets }: EventToSign): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
