import { createHmac } from 'node:crypto';

export type SigningKey = Buffer;

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

/** Parses a secret of Standard Webhooks. @throws when it is not `whsec_` and base64 */
export function signingKey(secret: string): SigningKey {
  const base64 = SECRET.exec(secret)?.[1];
  if (!base64) throw new Error('the webhook secret must be "whsec_" followed by base64');
  return Buffer.from(base64, 'base64');
}

/**
 * The headers of one delivery, signed as Standard Webhooks 1.0 requires: HMAC-SHA256 of id, Unix seconds and raw body.
 */
export function sign(key: SigningKey, id: string, nowMs: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${hmac}` };
}
