import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { bearer, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';
import { signed } from '../support/signing.js';

const PATH = '/v1/recharges';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

/** Sends a signed request with changed headers. Undefined removes a header. */
async function send(changes: Readonly<Record<string, string | undefined>>, by = key) {
  const headers = { ...signed(by, 'GET', PATH), ...changes };
  const kept = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return ingress.call('GET', PATH, { headers: Object.fromEntries(kept) });
}

const hex = 'a'.repeat(64);
const seconds = () => Math.floor(Date.now() / 1_000);

test('the unchanged signed request is accepted', async () => {
  expect((await send({})).status).toBe(200);
});

test.each<[string, () => Readonly<Record<string, string | undefined>>, RegExp]>([
  [
    'milliseconds',
    () => ({ 'x-timestamp': String(Date.now()) }),
    /^X-Timestamp must be Unix seconds in digits, not milliseconds$/,
  ],
  [
    'a date',
    () => ({ 'x-timestamp': '2026-11-27T15:03:00Z' }),
    /^X-Timestamp must be Unix seconds in digits$/,
  ],
  ['a fraction', () => ({ 'x-timestamp': `${seconds()}.5` }), /^X-Timestamp must be Unix seconds in digits$/],
  [
    'an old time',
    () => ({ 'x-timestamp': String(seconds() - 400) }),
    /^X-Timestamp is more than 300 s from our clock/,
  ],
  ['no time', () => ({ 'x-timestamp': undefined }), /^X-Timestamp is missing/],
  ['no nonce', () => ({ 'x-nonce': undefined }), /^X-Nonce is missing/],
  ['an empty nonce', () => ({ 'x-nonce': '' }), /^X-Nonce must be 1 to 128/],
  ['a nonce with blanks', () => ({ 'x-nonce': 'a, b' }), /^X-Nonce must be 1 to 128/],
  ['no signature', () => ({ 'x-signature': undefined }), /^X-Signature is missing/],
  ['no scheme', () => ({ 'x-signature': hex }), /^X-Signature must begin with v1=$/],
  ['another scheme', () => ({ 'x-signature': `v2=${hex}` }), /^X-Signature must begin with v1=$/],
  [
    'base64',
    () => ({ 'x-signature': `v1=${Buffer.alloc(32, 255).toString('base64')}` }),
    /^X-Signature must be v1= and hex: it has other characters$/,
  ],
  [
    'a digit too few',
    () => ({ 'x-signature': `v1=${hex.slice(1)}` }),
    /^X-Signature must be v1= and 64 hex digits: it has 63$/,
  ],
  [
    'capitals',
    () => ({ 'x-signature': `v1=${hex.toUpperCase()}` }),
    /^X-Signature must be v1= and hex in lower case$/,
  ],
  [
    'a wrong signature',
    () => ({ 'x-signature': `v1=${hex}` }),
    /^the key is unknown, or the signature is wrong$/,
  ],
  ['no Authorization', () => ({ authorization: undefined }), /^Authorization is missing: a signed request/],
  [
    'another scheme of Authorization',
    () => ({ authorization: 'Basic eDp5' }),
    /^Authorization must be Bearer/,
  ],
  ['the key id without Bearer', () => ({ authorization: key.keyId }), /^Authorization must be Bearer/],
  [
    'a secret that is not the own one',
    () => ({ authorization: `${bearer(key)}x` }),
    /Authorization has the secret though X-Signature is there/,
  ],
])('the refusal of a signed request with %s names the header', async (_what, changes, words) => {
  const sent = changes();
  const answer = await send(sent);
  expectProblem(answer, 401, 'UNAUTHENTICATED');
  expect(answer.body.detail).toMatch(words);
  for (const secret of [key.secret, hex, ...Object.values(sent).filter((one) => one && one.length > 20)])
    expect(answer.text).not.toContain(secret);
});

test('a caller that sends its secret beside a signature is told so', async () => {
  const only = await ingress.client({ requireSignature: true });
  const answer = await send({ authorization: bearer(only) }, only);
  expectProblem(answer, 401, 'UNAUTHENTICATED');
  expect(answer.body.detail).toMatch(/^this key only takes signed requests; Authorization has the secret/);
});

test('a caller that sends only a key id is told how to authenticate', async () => {
  const answer = await ingress.call('GET', PATH, { headers: { authorization: `Bearer ${key.keyId}` } });
  expect(answer.body.detail).toMatch(/^Authorization has no secret: send/);
  expect((await ingress.call('GET', PATH)).body.detail).toMatch(/^send Authorization: Bearer/);
});
