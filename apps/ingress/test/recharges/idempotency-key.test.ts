import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { aRecharge, bearer, create, type Ingress, openIngress, storedRows } from '../support/ingress.js';
import { expectProblem, sendBytes } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const withoutHeader = (body: unknown) => ingress.call('POST', '/v1/recharges', { key, body });

test('header and field may both carry the same idempotency key', async () => {
  const inHeader = await create(ingress, key, aRecharge(), { 'idempotency-key': 'one' });
  const inBody = await withoutHeader(aRecharge({ idempotencyKey: 'one' }));
  const both = await create(ingress, key, aRecharge({ idempotencyKey: 'one' }), { 'idempotency-key': 'one' });
  expect([inHeader.status, inBody.status, both.status]).toEqual([202, 200, 200]);
  expect(new Set([inHeader, inBody, both].map(({ body }) => body.transactionId)).size).toBe(1);
});

test('different idempotency keys in header and field are refused', async () => {
  const before = await storedRows(ingress);
  const body = aRecharge({ idempotencyKey: 'this' });
  const answer = await create(ingress, key, body, { 'idempotency-key': 'that' });
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors).toEqual([expect.objectContaining({ path: 'idempotencyKey' })]);
  expect(await storedRows(ingress)).toBe(before);
});

test('without an idempotency key the request is refused', async () => {
  const answer = await withoutHeader(aRecharge());
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors).toEqual([expect.objectContaining({ path: 'idempotencyKey' })]);
});

const everyAllowed = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).join('');

test.each([
  ['of one character', '!'],
  ['of 255 characters', 'k'.repeat(255)],
  ['of every character allowed', everyAllowed],
])('an idempotency key %s is accepted in header and field', async (_what, idempotencyKey) => {
  const first = await create(ingress, key, aRecharge(), { 'idempotency-key': idempotencyKey });
  const second = await withoutHeader(aRecharge({ idempotencyKey }));
  expect([first.status, second.status]).toEqual([202, 200]);
  const [row] = await ingress.sql('select idempotency_key from recharge_request where transaction_id = $1', [
    second.body.transactionId,
  ]);
  expect(row!.idempotency_key).toBe(idempotencyKey);
});

test.each(['"a', 'a"', 'a"b', "'a'", '""a'])(
  'an idempotency key with quotes at other places (%s) is accepted',
  async (idempotencyKey) => {
    const answer = await create(ingress, key, aRecharge(), { 'idempotency-key': idempotencyKey });
    expect(answer.status).toBe(202);
  },
);

test('a quoted key is refused with an explanation, on both routes', async () => {
  for (const [path, body] of [
    ['/v1/recharges', aRecharge()],
    ['/api/charge', { account_id: 'acct-1', amount: 1, currency: 'USD' }],
  ] as const) {
    const headers = { 'idempotency-key': '"quoted"' };
    const answer = await ingress.call('POST', path, { key, body, headers });
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    expect(answer.body.errors).toEqual([
      { path: 'idempotencyKey', message: expect.stringMatching(/without quotes/) },
    ]);
  }
});

test.each([
  ['that is empty', '""'],
  ['of 256 characters', `"${'k'.repeat(256)}"`],
  ['with a space', '"a b"'],
  ['that ends in a space', '"a "'],
  ['with a NUL', '"a\\u0000"'],
  ['with a line feed', '"a\\n"'],
  ['with DEL', '"a\\u007f"'],
  ['with a high surrogate alone', '"\\ud800"'],
  ['with another one alone', '"\\ud801"'],
  ['composed (NFC)', '"caf\u00e9"'],
  ['decomposed (NFD)', '"cafe\u0301"'],
  ['that turns the reading direction', '"\u202ekey"'],
  ['in quotes', '"\\"a\\""'],
  ['of two quotes', '"\\"\\""'],
  ['of one quote', '"\\""'],
  ['that is a number', '7'],
  ['that is null', 'null'],
  ['that is a list', '["a"]'],
])('an idempotency key %s is refused in the field', async (_what, written) => {
  const before = await storedRows(ingress);
  const answer = await withoutHeader(
    `{"idempotencyKey":${written},"accountId":"acct-1","amount":1,"currency":"USD"}`,
  );
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors).toEqual([expect.objectContaining({ path: 'idempotencyKey' })]);
  expect(await storedRows(ingress)).toBe(before);
});

const post = (headerLines: Buffer): Promise<string> => {
  const body = JSON.stringify(aRecharge());
  const head = [
    'POST /v1/recharges HTTP/1.1',
    'Host: localhost',
    'Connection: close',
    `Authorization: ${bearer(key)}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
  ].join('\r\n');
  return sendBytes(
    ingress.url,
    Buffer.concat([Buffer.from(head), headerLines, Buffer.from(`\r\n\r\n${body}`)]),
  );
};
const keyLine = (...bytes: (string | number)[]): Buffer =>
  Buffer.concat([
    Buffer.from('Idempotency-Key: '),
    ...bytes.map((b) => (typeof b === 'string' ? Buffer.from(b) : Buffer.from([b]))),
  ]);

test.each([
  ['that is empty', keyLine('')],
  ['of 256 characters', keyLine('k'.repeat(256))],
  ['with a space', keyLine('a b')],
  ['with a tab', keyLine('a\tb')],
  ['with byte 0x80', keyLine('a', 0x80)],
  ['with byte 0xe9 (latin-1)', keyLine('caf', 0xe9)],
  ['with byte 0xff', keyLine(0xff)],
  ['in UTF-8', keyLine('café')],
  ['in quotes', keyLine('"a"')],
  ['of two quotes', keyLine('""')],
  ['of one quote', keyLine('"')],
  ['sent twice', Buffer.concat([keyLine('a'), Buffer.from('\r\n'), keyLine('a')])],
])('an idempotency key %s is refused in the header', async (_what, lines) => {
  const before = await storedRows(ingress);
  const answer = await post(lines);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('"code":"INVALID_ARGUMENT"');
  expect(answer).toContain('"errors":[{"path":"idempotencyKey",');
  expect(await storedRows(ingress)).toBe(before);
});

test.each([
  ['NUL', keyLine('a', 0, 'b')],
  ['escape', keyLine('a', 0x1b, '[31m')],
  ['DEL', keyLine('a', 0x7f)],
])('a header with a control character (%s) is refused as invalid HTTP', async (_what, lines) => {
  const before = await storedRows(ingress);
  expect(await post(lines)).toMatch(/^HTTP\/1\.1 400 /);
  expect(await storedRows(ingress)).toBe(before);
});

test('white space around a header is not part of the key (RFC 9110)', async () => {
  expect(await post(keyLine('  padded \t'))).toMatch(/^HTTP\/1\.1 202 /);
  const replay = await create(ingress, key, aRecharge(), { 'idempotency-key': 'padded' });
  expect(replay.status).toBe(200);
});
