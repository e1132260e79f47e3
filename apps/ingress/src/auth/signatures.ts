import { hash, timingSafeEqual } from 'node:crypto';
import type { KeyVerifier } from '@replenish/domain';
import type { Request } from 'express';
import type { Presented } from './forms.js';

type Signed = Extract<Presented, { form: 'signed' }>;
type S3 = Extract<Presented, { form: 's3' }>;
type Sent = Pick<Request, 'method' | 'originalUrl' | 'body'>;

// The most that a signed time may differ from ours, in both directions. As for webhooks, 300 s are accepted and 301 s
// are not.
const SIGNED_WINDOW_SECONDS = 300;
const S3_WINDOW_SECONDS = 60;

/** The text that a v1 signature covers. A change of method, path, query, time, nonce or body makes another text. */
export function signedText({ method, originalUrl, body }: Sent, { timestamp, nonce }: Signed): string {
  const rawBody: Buffer = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  const bodyHash = hash('sha256', rawBody);
  return `v1\n${method}\n${originalUrl}\n${timestamp}\n${nonce}\n${bodyHash}`;
}

export function isSigned(known: KeyVerifier, text: string, { signature }: Signed): boolean {
  return isOneOf(signature, known.hmacs(text));
}

export const isInWindow = ({ timestamp }: Signed, nowMs: number): boolean =>
  Math.abs(Math.floor(nowMs / 1_000) - Number(timestamp)) <= SIGNED_WINDOW_SECONDS;

/**
 * The form of the source document: HMAC over timestamp and key id. The sample code of the document does not send its
 * timestamp. For a request without a timestamp, each second of the window is tried. The signature does not cover the
 * request, so it is accepted for the balance query only.
 */
export function isS3Signed(known: KeyVerifier, { keyId, signature, timestamp }: S3, nowMs: number): boolean {
  if (!known.key.allowS3) return false;
  const now = Math.floor(nowMs / 1_000);
  if (timestamp === null) {
    const seconds = Array.from({ length: S3_WINDOW_SECONDS + 1 }, (_, age) => now - age);
    return isOneOf(
      signature,
      seconds.flatMap((second) => known.hmacs(`${second}${keyId}`)),
    );
  }
  const age = now - Number(timestamp);
  return age >= 0 && age <= S3_WINDOW_SECONDS && isOneOf(signature, known.hmacs(timestamp + keyId));
}

export const isBalanceQuery = ({ method, path }: Pick<Request, 'method' | 'path'>): boolean =>
  method === 'GET' && path === '/v1/account/balance';

/**
 * Compares with all expected signatures, so that the time reveals neither the secret that matched nor the number of
 * equal bytes.
 */
function isOneOf(signature: string, expected: readonly Buffer[]): boolean {
  const given = Buffer.from(signature, 'hex');
  let isMatch = false;
  for (const one of expected)
    isMatch = (given.length === one.length && timingSafeEqual(given, one)) || isMatch;
  return isMatch;
}
