import type { IncomingHttpHeaders } from 'node:http';

/** The proof that the headers of a request offer. It is not checked yet. */
export type Presented =
  | Readonly<{ form: 'bearer'; keyId: string; secret: string }>
  | Readonly<{ form: 'signed'; keyId: string; signature: string; timestamp: string; nonce: string }>
  | Readonly<{ form: 's3'; keyId: string; signature: string; timestamp: string | null }>
  | Readonly<{ form: 'token'; token: string }>;

/** Headers that fit no form of proof. `why` names the wrong header and the right form, and never a value. */
export type UnreadableProof = Readonly<{ form: 'none'; why: string }>;

const keyWithSecret = /^Bearer (rk_[A-Za-z0-9_]{1,64})\.(rs_[A-Za-z0-9_-]{1,128})$/i;
const keyAlone = /^Bearer (rk_[A-Za-z0-9_]{1,64})$/i;
const jsonWebToken = /^Bearer (eyJ[\w-]{1,8000}\.[\w-]{1,8000}\.[\w-]{1,2000})$/i;

// Only lower-case hex is accepted, as documented. A second accepted spelling would make a second signature of one
// request.
const hexForm = /^[0-9a-f]{64}$/;
const signedForm = /^v1=([0-9a-f]{64})$/;
const timestampForm = /^\d{1,12}$/;
// A nonce has no blanks. Node joins two headers of one name by ", ", and then it is unclear which one was signed.
const nonceForm = /^[\x21-\x7e]{1,128}$/;

/** Reads the proof from the headers. It never throws. */
export function presentedBy(headers: IncomingHttpHeaders): Presented | UnreadableProof {
  const authorization = headers.authorization ?? '';
  const bearer = keyWithSecret.exec(authorization);
  if (bearer) return { form: 'bearer', keyId: bearer[1]!, secret: bearer[2]! };
  const token = jsonWebToken.exec(authorization);
  if (token) return { form: 'token', token: token[1]! };
  const keyId = keyAlone.exec(authorization)?.[1];
  if (keyId !== undefined) return signedBy(headers, keyId);
  return unreadable(authorization === '' ? withoutAuthorization(headers) : WRONG_AUTHORIZATION);
}

const unreadable = (why: string): UnreadableProof => ({ form: 'none', why });

const HOW_TO_AUTHENTICATE = 'send Authorization: Bearer <key id>.<secret>, or sign the request';
const WRONG_AUTHORIZATION =
  'Authorization must be Bearer and a blank, then <key id>.<secret>, or the key id alone beside a signature, or a token';

const isSigning = (headers: IncomingHttpHeaders): boolean =>
  ['x-signature', 'x-timestamp', 'x-nonce'].some((name) => headers[name] !== undefined);

const withoutAuthorization = (headers: IncomingHttpHeaders): string =>
  isSigning(headers)
    ? 'Authorization is missing: a signed request sends Authorization: Bearer <key id>'
    : HOW_TO_AUTHENTICATE;

function signedBy(headers: IncomingHttpHeaders, keyId: string): Presented | UnreadableProof {
  const sent = headers['x-signature'] === undefined ? null : textOf(headers['x-signature']);
  const timestamp = headers['x-timestamp'] === undefined ? null : textOf(headers['x-timestamp']);
  const nonce = headers['x-nonce'] === undefined ? null : textOf(headers['x-nonce']);
  if (sent === null)
    return unreadable(
      isSigning(headers) ? 'X-Signature is missing' : `Authorization has no secret: ${HOW_TO_AUTHENTICATE}`,
    );
  if (timestamp !== null && !timestampForm.test(timestamp)) return unreadable(whyNoTimestamp(timestamp));
  if (hexForm.test(sent) && nonce === null) return { form: 's3', keyId, signature: sent, timestamp };
  const signature = signedForm.exec(sent)?.[1];
  if (signature === undefined) return unreadable(whyNoSignature(sent));
  if (timestamp === null) return unreadable('X-Timestamp is missing: Unix seconds');
  if (nonce === null) return unreadable('X-Nonce is missing: a text that was not sent before');
  if (!nonceForm.test(nonce))
    return unreadable('X-Nonce must be 1 to 128 printable ASCII characters without blanks, sent once');
  return { form: 'signed', keyId, signature, timestamp, nonce };
}

const whyNoTimestamp = (timestamp: string): string =>
  `X-Timestamp must be Unix seconds in digits${/^\d{13}$/.test(timestamp) ? ', not milliseconds' : ''}`;

/** The text must not repeat any digit of the signature. */
function whyNoSignature(sent: string): string {
  if (!sent.startsWith('v1=')) return 'X-Signature must begin with v1=';
  const digits = sent.slice('v1='.length);
  if (!/^[0-9a-f]*$/i.test(digits)) return 'X-Signature must be v1= and hex: it has other characters';
  if (digits.length !== 64) return `X-Signature must be v1= and 64 hex digits: it has ${digits.length}`;
  return 'X-Signature must be v1= and hex in lower case';
}

const textOf = (header: string | string[] | undefined): string => (typeof header === 'string' ? header : '');
