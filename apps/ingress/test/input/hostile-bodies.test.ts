import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { type Answer, aRecharge, create, type Ingress, openIngress, storedRows } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const good = JSON.stringify(aRecharge());
const withMetadata = (inside: string): string => good.replace('}', `,"metadata":${inside}}`);
// The slowest refusal here takes a tenth of this limit, and a reader with quadratic time takes ten times as long. The
// limit is for the processor time of this process, which runs server and client, because other tests run at the same
// time.
const CPU_LIMIT_MS = 1_000;

async function createSoon(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const before = process.cpuUsage();
  const answer = await create(ingress, key, body, headers);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(CPU_LIMIT_MS);
  return answer;
}

/** Expects a quick refusal that stores nothing and is not an error of ours. */
async function expectRefused(
  body: unknown,
  status: number,
  headers?: Readonly<Record<string, string>>,
): Promise<void> {
  const before = await storedRows(ingress);
  const answer = await createSoon(body, headers);
  expectProblem(answer, status, 'INVALID_ARGUMENT');
  expect(answer.text.length).toBeLessThan(10_000);
  expect(await storedRows(ingress)).toBe(before);
}

afterEach(async () => {
  expect((await createSoon(good)).status).toBe(202);
  expect(ingress.logged.filter(({ level }) => level === 'error')).toEqual([]);
});

test.each([
  ['50,000 brackets', '['.repeat(50_000)],
  ['50,000 lists', '['.repeat(50_000) + ']'.repeat(50_000)],
  ['12,000 objects', `${'{"a":'.repeat(12_000)}1${'}'.repeat(12_000)}`],
  ['50,000 closing brackets', ']'.repeat(50_000)],
  ['a string of escaped quotes that never ends', `"${'\\"'.repeat(60_000)}`],
  ['the same with a backslash at its end', `"${'\\"'.repeat(60_000)}\\`],
  ['backslashes outside of strings', '\\"'.repeat(60_000)],
  ['unknown fields by the thousand', `{${Array.from({ length: 12_000 }, (_, i) => `"${i}":1`)}}`],
  ['bad metadata by the thousand', withMetadata(`{${Array.from({ length: 12_000 }, (_, i) => `"${i}":1`)}}`)],
  ['an unknown field of 100,000 characters', `{"${'x'.repeat(100_000)}":1}`],
  ['that field twice', `{"${'x'.repeat(60_000)}":1,"${'x'.repeat(60_000)}":2}`],
  ['a number of 100,000 digits', good.replace('4999', '9'.repeat(100_000))],
  ['120,000 spaces', ' '.repeat(120_000)],
])('%s: 400', (_what, body) => expectRefused(body, 400));

test('a body of sixteen levels is read, one of seventeen is refused', async () => {
  const nested = (lists: number) => good.replace('"acct-1001"', '['.repeat(lists) + ']'.repeat(lists));
  const read = await createSoon(nested(15));
  expect(read.body.errors).toEqual([expect.objectContaining({ path: 'accountId' })]);
  for (const body of [nested(16), '['.repeat(17), '['.repeat(100_000)])
    expect((await createSoon(body)).body.detail).toMatch(/nested deeper than 16$/);
});

test.each([
  ['10 MB of brackets', '['.repeat(10_000_000)],
  [
    '100,000 entries of metadata',
    withMetadata(`{${Array.from({ length: 100_000 }, (_, i) => `"${i}":""`)}}`),
  ],
  ['a string of a million characters', withMetadata(`{"k":"${'v'.repeat(1_000_000)}"}`)],
  ['a good body in too much white space', good + ' '.repeat(200_000)],
])('%s: 413', (_what, body) => expectRefused(body, 413));

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

test.each([
  ['a stray continuation byte', Buffer.from(good.replace('acct-1001', 'a\u0080'), 'latin1')],
  ['an overlong form', Buffer.concat([Buffer.from('{"a'), Buffer.from([0xc0, 0x80]), Buffer.from('":1}')])],
  [
    'a surrogate in UTF-8',
    Buffer.concat([Buffer.from('{"a'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('":1}')]),
  ],
  ['latin-1', Buffer.from(withMetadata('{"k":"café"}'), 'latin1')],
  ['a byte order mark', Buffer.from(`\ufeff${good}`)],
  ['UTF-16', utf16(good)],
  ['UTF-16, big end first', utf16(good).swap16()],
  ['UTF-32', Buffer.from([...good].flatMap((char) => [char.charCodeAt(0), 0, 0, 0]))],
])('%s is not UTF-8 without a byte order mark: 400', (_what, body) => expectRefused(body, 400));

test.each([
  '',
  ' ',
  'null',
  '[]',
  '"x"',
  '7',
  'true',
  '{}',
  `[${good}]`,
  `${good}${good}`,
  `${good},`,
  `//\n${good}`,
])('body %j is not a recharge: 400', (body) => expectRefused(body, 400));
test.each([
  good.replaceAll('"', "'"),
  good.replace('}', ',}'),
  good.replace('"USD"', 'USD'),
  good.replace('acct', 'ac\tct'),
  good.replace('acct', '\\x61cct'),
  good.replace('acct', '\\u00zzcct'),
  good.replaceAll(',', '\u00a0,'),
  good.replace('4999', '/**/4999'),
])('text similar to JSON (%j) is refused: 400', (body) => expectRefused(body, 400));

test.each([
  ['gzip', gzipSync(good)],
  ['gzip', gzipSync(Buffer.alloc(50_000_000))],
  ['deflate', Buffer.from(good)],
  ['br', Buffer.from(good)],
  ['identity, gzip', Buffer.from(good)],
  ['nonsense', Buffer.from(good)],
])('content encoding %s is refused: 415', (encoding, body) =>
  expectRefused(body, 415, { 'content-encoding': encoding }),
);

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/json',
  'application/jsonp',
  'application/problem+json',
  'application/json; charset=utf-16',
  'application/json; charset=latin1',
  'application/json; charset=us-ascii',
  'application/json; charset=',
  'application/json; charset',
  'application/json; charset="utf-8',
  'application/json; charset=utf-8; charset=latin1',
  'application/json; profile="a;b"; charset="ISO-8859-1"',
  'application/json; profile=";charset=utf-8"; CHARSET=utf-16',
  'application/xml; charset=utf-16',
  'text/xml; charset=iso-8859-1',
  'application/json, text/plain',
  '*/*',
  'nonsense',
])('content type %s is refused: 415', (contentType) =>
  expectRefused(good, 415, { 'content-type': contentType }),
);

test.each([
  'application/json',
  'Application/JSON',
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
  'application/json;charset=utf8',
  'application/json;charset=UTF8',
  "application/json; charset='utf-8'",
  'application/json; Charset="utf\\-8"',
  'application/json;',
  'application/json ; ; ',
  'application/json; charset=utf-8;',
  'application/json; profile=x',
  'application/json; profile="https://a.example/x;charset=latin1"',
  'application/json; odata.metadata=minimal; IEEE754Compatible=true; charset=utf-8',
  'application/json; boundary',
])('content type %s is accepted', async (contentType) => {
  expect((await create(ingress, key, good, { 'content-type': contentType })).status).toBe(202);
});
