import { createHmac, timingSafeEqual } from 'node:crypto';
import type { WebhookRefusal } from '../contract/webhook.js';

export type SignedMessage = Readonly<{
  /** The bytes as received: a body parsed and printed again is another body. */
  rawBody: Buffer;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Every key that is valid now: the new and the old one while a secret rotates. None refuses everything. */
  keys: readonly Buffer[];
  now: Date;
}>;

export type Verified = Readonly<{ ok: true; id: string }> | Readonly<{ ok: false; refusal: WebhookRefusal }>;

// The tolerance of the Standard Webhooks libraries, both ways: exactly 300 s pass, 301 do not.
const WINDOW_SECONDS = 300;
// A rotation sends two. Sixteen bound the work a stranger can ask for with one header.
const SIGNATURES_MAX = 16;
// No dot in an id: with one, `a.5` at second 6 and `a` at second 5 would sign the same bytes for different messages.
const idForm = /^[\x21-\x2d\x2f-\x7e]{1,255}$/;
const timestampForm = /^\d{1,15}$/;

/**
 * Verifies a Standard Webhooks 1.0.0 signature (scheme `v1`, HMAC-SHA256). Never throws, whatever is sent.
 *
 * The signature is judged before the time, so `outside_window` is said only of a message that is authentic: an old one
 * sent again, or clocks apart.
 */
export function verifySignature({ rawBody, headers, keys, now }: SignedMessage): Verified {
  const id = single(headers['webhook-id']);
  const timestamp = single(headers['webhook-timestamp']);
  const isWellFormed = idForm.test(id) && timestampForm.test(timestamp);
  if (!isWellFormed || !isSigned(`${id}.${timestamp}.`, rawBody, candidatesOf(headers), keys))
    return { ok: false, refusal: 'bad_signature' };
  const ageSeconds = Math.floor(now.getTime() / 1_000) - Number(timestamp);
  // Written this way round, an invalid `now` (NaN) refuses.
  return Math.abs(ageSeconds) <= WINDOW_SECONDS ? { ok: true, id } : { ok: false, refusal: 'outside_window' };
}

/**
 * The keys of a setting: one `whsec_<base64 of 24 to 64 bytes>`, or several separated by spaces.
 * @throws for any other form. A secret misread at start would refuse every webhook in silence.
 */
export const signingKeys = (secrets: string): Buffer[] =>
  secrets
    .split(/\s+/)
    .filter((secret) => secret !== '')
    .map(signingKey);

function signingKey(secret: string): Buffer {
  const text = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : '';
  const key = Buffer.from(text, 'base64');
  const isBase64 = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  if (!isBase64 || key.length < 24 || key.length > 64)
    throw new Error('a webhook secret must be whsec_ and the base64 of 24 to 64 bytes');
  return key;
}

function isSigned(head: string, rawBody: Buffer, candidates: Buffer[], keys: readonly Buffer[]): boolean {
  let isMatch = false;
  for (const key of keys) {
    const expected = Buffer.from(createHmac('sha256', key).update(head).update(rawBody).digest('base64'));
    // No early end: the time taken tells neither which key nor which signature matched.
    for (const given of candidates)
      isMatch = (given.length === expected.length && timingSafeEqual(given, expected)) || isMatch;
  }
  return isMatch;
}

/**
 * The base64 texts of the `v1` signatures. They are compared as text: base64 decoding would let hex, base64url and
 * stray characters through to a second form of the same signature.
 */
function candidatesOf(headers: SignedMessage['headers']): Buffer[] {
  const list = [headers['webhook-signature'] ?? ''].flat().join(' ');
  return list
    .split(' ', SIGNATURES_MAX)
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice('v1,'.length)));
}

/** An id or a timestamp sent twice leaves open which one was signed: as good as none. */
function single(header: string | string[] | undefined): string {
  const values = [header ?? ''].flat();
  return values.length === 1 ? values[0]! : '';
}
