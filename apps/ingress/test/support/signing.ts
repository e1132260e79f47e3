import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { NewKey } from '@replenish/domain';
import type { Answer, Ingress } from './ingress.js';

export const hmacHex = (secret: string, text: string): string =>
  createHmac('sha256', secret).update(text).digest('hex');

export const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

export type Wish = Readonly<{ body?: string; timestamp?: number | string; nonce?: string }>;

/** The headers of a v1 signature. They are made from the documentation alone, without the code under test. */
export function signed(
  { keyId, secret }: NewKey,
  method: string,
  path: string,
  { body = '', timestamp = nowSeconds(), nonce = randomUUID() }: Wish = {},
): Record<string, string> {
  const bodyHash = createHash('sha256').update(body).digest('hex');
  const text = ['v1', method, path, timestamp, nonce, bodyHash].join('\n');
  return {
    authorization: `Bearer ${keyId}`,
    'x-timestamp': String(timestamp),
    'x-nonce': nonce,
    'x-signature': `v1=${hmacHex(secret, text)}`,
  };
}

/** Sends a signed call. `changes` replace headers after the signing. */
export const callSigned = (
  ingress: Ingress,
  key: NewKey,
  method: string,
  path: string,
  wish: Wish = {},
  changes: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  ingress.call(method, path, {
    headers: { ...signed(key, method, path, wish), ...changes },
    ...(wish.body !== undefined && { body: wish.body }),
  });

/** The signature of the source document, as in its sample. */
export const s3Signed = (
  { keyId, secret }: NewKey,
  timestamp: number,
  sent: { timestamp: boolean },
): Record<string, string> => ({
  authorization: `Bearer ${keyId}`,
  'x-signature': hmacHex(secret, `${timestamp}${keyId}`),
  ...(sent.timestamp && { 'x-timestamp': String(timestamp) }),
});
