import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type GatewayError, gatewayError } from './answers.js';

/** A request as it was received. Header names are in lower case. */
export type RpcRequest = Readonly<{
  method: string;
  url: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}>;

/** An operation that an authentic request asks for. */
export type RpcCall = Readonly<{ action: string; version: string; params: ReadonlyMap<string, string> }>;

type SignedCall = Readonly<{ accessKeyId: string; nonce: string; call: RpcCall }>;
type Judged = Readonly<{ claim: SignedCall }> | Readonly<{ error: GatewayError }>;

export type SignatureRules = Readonly<{
  secretOf: (accessKeyId: string) => string | undefined;
  nowMs: number;
  /** Takes a nonce. False when it was taken before. */
  takeNonce: (accessKeyId: string, nonce: string) => boolean;
}>;

// The tolerance of Alibaba Cloud's gateway (document 48054).
const SKEW_MS = 15 * 60_000;

const refused = (status: number, code: string, message: string): Judged => ({
  error: gatewayError(status, code, message),
});

/**
 * Verifies the signature of a request, in the form ACS3-HMAC-SHA256 or in the older RPC form HMAC-SHA1. A nonce is taken
 * only by an authentic request.
 */
export function verifyRequest(
  request: RpcRequest,
  rules: SignatureRules,
): Readonly<{ call: RpcCall }> | Readonly<{ error: GatewayError }> {
  const pairs = pairsOf(request);
  const names = pairs.map(([name]) => name);
  if (new Set(names).size < names.length)
    return { error: gatewayError(400, 'InvalidParameter', 'A parameter is given twice.') };
  const judged = request.headers.authorization
    ? judgeAcs3(request, pairs, rules)
    : judgeRpc(request, new Map(pairs), rules);
  if ('error' in judged) return judged;
  const { accessKeyId, nonce, call } = judged.claim;
  if (!rules.takeNonce(accessKeyId, nonce))
    return {
      error: gatewayError(400, 'SignatureNonceUsed', 'Specified signature nonce was used already.'),
    };
  return { call };
}

type Pairs = readonly (readonly [name: string, value: string])[];

const searchOf = (url: string): URLSearchParams => new URL(url, 'http://gateway').searchParams;

/** The parameters of the query and of the form body. */
function pairsOf({ url, headers, body }: RpcRequest): Pairs {
  const isForm = textOf(headers['content-type']).startsWith('application/x-www-form-urlencoded');
  return [...searchOf(url), ...(isForm ? new URLSearchParams(body.toString('utf8')) : [])];
}

const AUTHORIZATION =
  /^ACS3-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/;

function judgeAcs3(request: RpcRequest, pairs: Pairs, { secretOf, nowMs }: SignatureRules): Judged {
  const { headers } = request;
  const [, accessKeyId = '', signed = '', given = ''] =
    AUTHORIZATION.exec(textOf(headers.authorization)) ?? [];
  if (accessKeyId === '')
    return refused(400, 'IncompleteSignature', 'The Authorization header is malformed.');
  const secret = secretOf(accessKeyId);
  if (secret === undefined) return unknownKey;
  const names = signed.split(';');
  if (!coversAll(headers, names))
    return refused(400, 'IncompleteSignature', 'A header of the protocol is not signed.');
  const stale = staleness(textOf(headers['x-acs-date']), nowMs);
  if (stale) return stale;
  const nonce = textOf(headers['x-acs-signature-nonce']);
  if (nonce === '') return missingNonce;
  const bodyHash = sha256(request.body);
  if (!isEqual(bodyHash, textOf(headers['x-acs-content-sha256'])))
    return refused(400, 'SignatureDoesNotMatch', 'x-acs-content-sha256 is not the hash of the body.');
  const canonical = [
    request.method,
    new URL(request.url, 'http://gateway').pathname,
    canonicalPairs([...searchOf(request.url)]),
    names.map((name) => `${name}:${textOf(headers[name]).trim()}\n`).join(''),
    signed,
    bodyHash,
  ].join('\n');
  const stringToSign = `ACS3-HMAC-SHA256\n${sha256(Buffer.from(canonical))}`;
  if (!isEqual(createHmac('sha256', secret).update(stringToSign).digest('hex'), given))
    return refused(400, 'SignatureDoesNotMatch', `server StringToSign is ${stringToSign}`);
  const call = {
    action: textOf(headers['x-acs-action']),
    version: textOf(headers['x-acs-version']),
    params: new Map(pairs),
  };
  return { claim: { accessKeyId, nonce, call } };
}

/** Whether each header of the protocol that is present is signed. An unsigned one could be altered unseen. */
function coversAll(headers: RpcRequest['headers'], names: readonly string[]): boolean {
  const needed = Object.keys(headers).filter(
    (name) => name === 'host' || name === 'content-type' || name.startsWith('x-acs-'),
  );
  const isSorted = names.join() === [...names].sort().join();
  return isSorted && ['host', ...needed].every((name) => names.includes(name));
}

function judgeRpc(
  { method }: RpcRequest,
  params: ReadonlyMap<string, string>,
  { secretOf, nowMs }: SignatureRules,
): Judged {
  const of = (name: string) => params.get(name) ?? '';
  const accessKeyId = of('AccessKeyId');
  if (accessKeyId === '')
    return refused(400, 'MissingAccessKeyId', 'AccessKeyId is mandatory for this action.');
  const secret = secretOf(accessKeyId);
  if (secret === undefined) return unknownKey;
  if (of('SignatureMethod') !== 'HMAC-SHA1' || of('SignatureVersion') !== '1.0')
    return refused(400, 'InvalidSignatureMethod', 'Specified signature method is not valid.');
  const stale = staleness(of('Timestamp'), nowMs);
  if (stale) return stale;
  if (of('SignatureNonce') === '') return missingNonce;
  const canonical = canonicalPairs([...params].filter(([name]) => name !== 'Signature'));
  const stringToSign = `${method}&${encode('/')}&${encode(canonical)}`;
  const wanted = createHmac('sha1', `${secret}&`).update(stringToSign).digest('base64');
  if (!isEqual(wanted, of('Signature')))
    return refused(400, 'SignatureDoesNotMatch', `server StringToSign is ${stringToSign}`);
  const call = { action: of('Action'), version: of('Version'), params };
  return { claim: { accessKeyId, nonce: of('SignatureNonce'), call } };
}

const unknownKey = refused(404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.');
const missingNonce = refused(400, 'MissingSignatureNonce', 'SignatureNonce is mandatory for this action.');

function staleness(date: string, nowMs: number): Judged | null {
  const atMs = Date.parse(date);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(date) || Number.isNaN(atMs))
    return refused(
      400,
      'InvalidTimeStamp.Format',
      'Specified time stamp or date value is not well formatted.',
    );
  if (Math.abs(nowMs - atMs) > SKEW_MS)
    return refused(400, 'InvalidTimeStamp.Expired', 'Specified time stamp or date value is expired.');
  return null;
}

const textOf = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? value.join(', ') : (value ?? '');

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** RFC 3986: encodeURIComponent leaves ! ' ( ) * as they are. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

/** The pairs in the order of their names' code units, as the signature's canonical form requires. */
const canonicalPairs = (pairs: Pairs): string =>
  [...pairs]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
