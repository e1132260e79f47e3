import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { aRecharge, create, type Ingress, openIngress, storedRows } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

/** Expects a refusal for the field at `path` and no stored row. */
async function expectRefused(body: unknown, path: string | null): Promise<string> {
  const before = await storedRows(ingress);
  const answer = await create(ingress, key, body);
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  if (path !== null) expect(answer.body.errors.map((error) => error.path)).toEqual([path]);
  expect(await storedRows(ingress)).toBe(before);
  return String(answer.body.detail);
}

/** Sent as text, because JSON.stringify would correct most of these amounts. */
const withAmount = (text: string): string => `{"accountId":"acct-1","amount":${text},"currency":"USD"}`;

const notJson = [
  'NaN',
  'Infinity',
  '-Infinity',
  '00100',
  '-01',
  '0x10',
  '1_000',
  '1.',
  '.5',
  '+1',
  '1e',
  '1n',
  '',
];
const notAnAmount = [
  ...['-1', '0', '-0', '1.0', '1.5', '4999.0', '1e3', '1E3', '1e0', '10e-1', '1e400', '-1e400', '1e-400'],
  ...['9007199254740992', '9007199254740993', '99999999999999999999999999', '9007199254740991.0'],
  ...['"100"', '""', 'null', 'true', 'false', '[1]', '[]', '{}', '{"value":"1"}'],
  ...['{"isLosslessNumber":true,"value":"1"}', '"\\u0031"'],
];

test.each(notJson)('amount %s makes the body invalid JSON', (text) => expectRefused(withAmount(text), null));
test.each(notAnAmount)('amount %s is refused', (text) => expectRefused(withAmount(text), 'amount'));

test.each(['1', '9007199254740991'])('amount %s is accepted unchanged', async (text) => {
  const answer = await create(ingress, key, withAmount(text));
  expect(answer.status).toBe(202);
  expect(answer.text).toContain(`"amount":${text},`);
  const [row] = await ingress.sql('select amount from report.recharges where transaction_id = $1', [
    answer.body.transactionId,
  ]);
  expect(row!.amount).toBe(text);
});

const twice = (first: string, second: string): string =>
  `{"accountId":"acct-1",${first},"currency":"USD",${second}}`;

test.each([
  ['with another value', twice('"amount":1', '"amount":2')],
  ['with an equal value', twice('"amount":1', '"amount":1')],
  ['escaped', twice('"amount":1', '"\\u0061mount":1')],
  ['as an unknown field', twice('"amount":1,"x":{}', '"x":{}')],
  ['nested', twice('"amount":1', '"metadata":{"a":"1","a":"1"}')],
  ['nested and escaped', twice('"amount":1', '"metadata":{"a":"1","\\u0061":"2"}')],
  ['as __proto__', twice('"amount":1,"__proto__":{}', '"__proto__":{}')],
])('a duplicate field, %s, is refused', (_how, body) => expectRefused(body, null));

test('a colon or a quote inside a string is not taken for a duplicate key', async () => {
  const body = aRecharge({ orderReference: 'a:b":"c\\', metadata: { 'k:"': ':{"amount":1}\\' } });
  expect((await create(ingress, key, body)).status).toBe(202);
});

test.each(['state', 'transactionId', 'status', 'providerOrderId', 'clientId', 'id', 'provider', 'kind'])(
  'a producer cannot set %s',
  async (field) => {
    expect(await expectRefused(aRecharge({ [field]: 'SUCCEEDED' }), field)).toContain('not a known field');
  },
);

test.each(['constructor', 'toString', 'hasOwnProperty', 'prototype'])(
  'an unknown field %s is refused',
  (field) => expectRefused(aRecharge({ [field]: { prototype: { polluted: true } } }), field),
);

test.each([
  ['the body', '{"accountId":"acct-1","amount":1,"currency":"USD","__proto__":{"polluted":true}}'],
  ['metadata', '{"accountId":"acct-1","amount":1,"currency":"USD","metadata":{"__proto__":"x"}}'],
  ['nothing else', '{"__proto__":{"accountId":"acct-1","amount":1,"currency":"USD"}}'],
])('__proto__ in %s is refused and changes no prototype', async (_where, body) => {
  await expectRefused(body, null);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('a refusal names every wrong field', async () => {
  const answer = await create(ingress, key, { amount: 'x', currency: 'usd', metadata: { a: 1 } });
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors.map(({ path }) => path).sort()).toEqual([
    'accountId',
    'amount',
    'currency',
    'metadata.a',
  ]);
});

test.each([
  'http://example.com/x',
  'https://10.0.0.1/x',
  'https://localhost/x',
  'file:///etc/passwd',
  'example.com',
])('callbackUrl %s is refused with an explanation', async (callbackUrl) => {
  expect(await expectRefused(aRecharge({ callbackUrl }), 'callbackUrl')).toMatch(/must/);
});

const entries = (count: number, key = (i: number) => `k${i}`) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [key(i), 'v']));

test.each([
  ['accountId', 'a'.repeat(65)],
  ['accountId', ''],
  ['accountId', 'acct 1'],
  ['accountId', 'acct/1'],
  ['accountId', 'acct%31'],
  ['accountId', 'acct-1\n'],
  ['accountId', 'ACCT-é'],
  ['accountId', "a'; drop table client; --"],
  ['accountId', null],
  ['accountId', 1],
  ...['orderReference', 'productType', 'planId'].flatMap((field) =>
    [
      'r'.repeat(256),
      '',
      'a\u0000b',
      'a\nb',
      'a\r\nX: y',
      '\u001b[31mred',
      'a\u0085b',
      'a\ud800',
      '\udc00a',
      7,
      null,
    ].map((value) => [field, value] as const),
  ),
  ['metadata.k', 'v'.repeat(501)],
  ['metadata.k', 'a\u0000b'],
  ['metadata.k', '\ud801'],
  ['metadata.k', 1],
  ['metadata.k', null],
  ['metadata.k', { deep: 'er' }],
  [`metadata.${'k'.repeat(41)}`, 'v'],
  ['metadata.a\u0000b', 'v'],
  ['metadata.', 'v'],
])('%s of %j is refused', async (path, value) => {
  const [field, ...rest] = path.split('.');
  await expectRefused(aRecharge({ [field!]: rest.length ? { [rest.join('.')]: value } : value }), path);
});

test.each([null, [], 'text', 7, entries(51)])('metadata %j is refused', (metadata) =>
  expectRefused(aRecharge({ metadata }), 'metadata'),
);

test.each([
  ...['usd', 'Usd', 'US', 'USDT', '', ' USD', 'XAU', 'XXX', 'XTS', 'XDR', 'ZZZ', '840', null, 840].map(
    (value) => ['currency', value] as const,
  ),
  ...['cash', 'Sandbox', '', 'constructor', '__proto__', null, 7].map(
    (value) => ['paymentMethod', value] as const,
  ),
  ...['today', '2026-11-21', '2026-11-21T22:00:00', '2026-11-21 22:00:00Z', '2026-11-21T22:00Z'].map(
    (value) => ['timestamp', value] as const,
  ),
  ...[
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-21T25:00:00Z',
    '2026-11-21T22:00:00+25:00',
  ].map((value) => ['timestamp', value] as const),
  ...[
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    1_790_000_000,
    null,
  ].map((value) => ['timestamp', value] as const),
])('%s %j is refused', (field, value) => expectRefused(aRecharge({ [field]: value }), field));

test.each([
  ['accountId', 'aZ09._:-'.repeat(8)],
  ['orderReference', 'r'.repeat(255)],
  ['productType', 'p'.repeat(255)],
  ['planId', 'p'.repeat(255)],
  ['metadata', entries(50, (i) => `${i}`.padStart(40, 'k'))],
  ['metadata', { k: 'v'.repeat(500), empty: '' }],
  ['currency', 'JPY'],
  ['currency', 'KWD'],
  ['currency', 'CNY'],
  ['paymentMethod', 'wechat_pay'],
  ['paymentMethod', 'bank_transfer'],
  ['timestamp', '2026-11-21T22:00:00.123456789+08:00'],
  ['timestamp', '0001-01-01T00:00:00Z'],
  ['timestamp', '9999-12-31T23:59:59Z'],
])('%s %j is within the limits', async (field, value) => {
  const answer = await create(ingress, key, aRecharge({ [field]: value }));
  expect([answer.status, answer.text]).toEqual([202, expect.any(String)]);
  if (field !== 'timestamp' && field !== 'productType' && field !== 'planId')
    expect(answer.body[field]).toEqual(value);
});

test('the largest valid recharge fits into the body limit', async () => {
  const metadata = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`${i}`.padStart(40, 'é'), '\u{1f4b0}'.repeat(250)]),
  );
  const long = 'é'.repeat(255);
  const body = aRecharge({ metadata, orderReference: long, productType: long, planId: long });
  const escaped = JSON.stringify(body).replace(/[^\x20-\x7e]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  const answer = await create(ingress, key, escaped);
  expect(answer.status).toBe(202);
  expect(answer.body).toMatchObject({ metadata, orderReference: long });
});
