import type { IncomingHttpHeaders } from 'node:http';

/** What a caller shows to be let in, as its headers say it; nothing of it is proven yet. */
export type Presented =
  | Readonly<{ form: 'bearer'; keyId: string; secret: string }>
  | Readonly<{ form: 'signed'; keyId: string; signature: string; timestamp: string; nonce: string }>
  | Readonly<{ form: 's3'; keyId: string; signature: string; timestamp: string | null }>
  | Readonly<{ form: 'token'; token: string }>;

const keyWithSecret = /^Bearer (rk_[A-Za-z0-9_]{1,64})\.(rs_[A-Za-z0-9_-]{1,128})$/i;
const keyAlone = /^Bearer (rk_[A-Za-z0-9_]{1,64})$/i;
const jsonWebToken = /^Bearer (eyJ[\w-]{1,8000}\.[\w-]{1,8000}\.[\w-]{1,2000})$/i;

// Signatures are compared as text, in the one spelling that is documented: lower-case hex. A looser reading would
// make several texts of one signature.
const hexForm = /^[0-9a-f]{64}$/;
const signedForm = /^v1=([0-9a-f]{64})$/;
const timestampForm = /^\d{1,12}$/;
// No blank: two headers of one name arrive joined with ", ", and nobody could say which one was signed.
const nonceForm = /^[\x21-\x7e]{1,128}$/;

/** Null when no known form is there. Never throws, whatever the headers hold. */
export function presentedBy(headers: IncomingHttpHeaders): Presented | null {
  const authorization = headers.authorization ?? '';
  const bearer = keyWithSecret.exec(authorization);
  if (bearer) return { form: 'bearer', keyId: bearer[1]!, secret: bearer[2]! };
  const token = jsonWebToken.exec(authorization);
  if (token) return { form: 'token', token: token[1]! };
  const keyId = keyAlone.exec(authorization)?.[1];
  return keyId === undefined ? null : signedBy(headers, keyId);
}

function signedBy(headers: IncomingHttpHeaders, keyId: string): Presented | null {
  const shown = textOf(headers['x-signature']);
  const timestamp = headers['x-timestamp'] === undefined ? null : textOf(headers['x-timestamp']);
  if (timestamp !== null && !timestampForm.test(timestamp)) return null;
  if (hexForm.test(shown)) return { form: 's3', keyId, signature: shown, timestamp };
  const signature = signedForm.exec(shown)?.[1];
  const nonce = textOf(headers['x-nonce']);
  if (signature === undefined || timestamp === null || !nonceForm.test(nonce)) return null;
  return { form: 'signed', keyId, signature, timestamp, nonce };
}

const textOf = (header: string | string[] | undefined): string => (typeof header === 'string' ? header : '');
