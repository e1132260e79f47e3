import { createHmac, timingSafeEqual } from 'node:crypto';
import type { WebhookRefusal } from '../contract/webhook.js';

export type SignedMessage = Readonly<{
  /** The bytes as received. Parsing and printing the body again would change it. */
  rawBody: Buffer;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /**
   * Every valid key. During a rotation of the secret there are two, the new one and the old one. Without a key every
   * message is refused.
   */
  keys: readonly Buffer[];
  now: Date;
}>;

export type Verified = Readonly<{ ok: true; id: string }> | Readonly<{ ok: false; refusal: WebhookRefusal }>;

// The tolerance of the Standard Webhooks libraries, in both directions: 300 s pass, 301 s do not.
const WINDOW_SECONDS = 300;
// A sender that rotates its secret sends two signatures. A limit of sixteen bounds the work that a stranger can cause
// with one header.
const SIGNATURES_MAX = 16;
// An id must not contain a dot. Otherwise id `a.5` at second 6 and id `a` at second 5 could sign the same bytes for
// different messages.
const idForm = /^[\x21-\x2d\x2f-\x7e]{1,255}$/;
const timestampForm = /^\d{1,15}$/;

/**
 * Verifies a Standard Webhooks 1.0.0 signature (scheme `v1`, HMAC-SHA256). Never throws.
 *
 * The signature is checked before the time. So `outside_window` always means an authentic message. Either it is old and
 * was sent again, or the clocks differ.
 */
export function verifySignature({ rawBody, headers, keys, now }: SignedMessage): Verified {
  const id = single(headers['webhook-id']);
  const timestamp = single(headers['webhook-timestamp']);
  const isWellFormed = idForm.test(id) && timestampForm.test(timestamp);
  if (!isWellFormed || !isSigned(`${id}.${timestamp}.`, rawBody, candidatesOf(headers), keys))
    return { ok: false, refusal: 'bad_signature' };
  const ageSeconds = Math.floor(now.getTime() / 1_000) - Number(timestamp);
  // This comparison also refuses the message if `now` is invalid (NaN).
  return Math.abs(ageSeconds) <= WINDOW_SECONDS ? { ok: true, id } : { ok: false, refusal: 'outside_window' };
}

/**
 * The keys in a setting: one `whsec_<base64 of 24 to 64 bytes>`, or several separated by spaces.
 * @throws for any other form, because a misread secret would silently refuse every webhook
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
    // The loop does not end early, so that its duration does not reveal which key or signature matched.
    for (const given of candidates)
      isMatch = (given.length === expected.length && timingSafeEqual(given, expected)) || isMatch;
  }
  return isMatch;
}

/**
 * The base64 texts of the `v1` signatures. They are compared as text: decoding would accept hex, base64url and stray
 * characters, and one signature would have several valid forms.
 */
function candidatesOf(headers: SignedMessage['headers']): Buffer[] {
  const list = [headers['webhook-signature'] ?? ''].flat().join(' ');
  return list
    .split(' ', SIGNATURES_MAX)
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice('v1,'.length)));
}

/** The value of a header. Empty when it was sent twice, because it is unclear which value was signed. */
function single(header: string | string[] | undefined): string {
  const values = [header ?? ''].flat();
  return values.length === 1 ? values[0]! : '';
}
