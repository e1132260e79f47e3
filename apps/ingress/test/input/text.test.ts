import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { aRecharge, create, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem, sendBytes } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const texts = [
  "'; drop table recharge_transaction; --",
  "' or '1'='1",
  '100%',
  'a_b',
  'back\\slash\\',
  '$1 {{x}} %s',
  'quote " and comma, and ; and tab-less',
  "=cmd|' /C calc'!A0",
  '@SUM(1+1)',
  '+1',
  '-1',
  '\u202ereversed',
  'e\u0301 is not \u00e9',
  '😀 𝄞',
  ']]><a&b>',
  '__proto__',
  ' spaces around ',
];

const plain = new Map(texts.map((text, nth) => [text, nth] as const));

test.each(texts)('the text %j is kept unchanged, and a filter finds only it', async (text) => {
  const nth = plain.get(text)!;
  const fields = { orderReference: text, planId: text, productType: text, metadata: { [`k${nth}`]: text } };
  const json = await create(ingress, key, aRecharge(fields));
  expect([json.status, json.body.orderReference]).toEqual([202, text]);
  const path = `/v1/recharges?orderReference=${encodeURIComponent(text)}`;
  const found = await ingress.call('GET', path, { key });
  expect(
    found.body.data.map(({ transactionId, orderReference, metadata }) => [
      transactionId,
      orderReference,
      metadata,
    ]),
  ).toEqual([[json.body.transactionId, text, fields.metadata]]);
  const csv = await ingress.call('GET', path, { key, headers: { accept: 'text/csv' } });
  expect(csv.text.trim().split('\n')).toHaveLength(2);
  expect(csv.text).not.toMatch(/(^|,)"?[=+@-](?!\d+,)/m);
});

test.each(['line\r\nbreak', 'a\nb', '\u001b[31mred', 'a\u0000b', '\ud800', 'tab\there', '\u0085'])(
  '%j is refused in every field',
  async (text) => {
    for (const field of ['orderReference', 'planId', 'productType', 'accountId', 'idempotencyKey'])
      expectProblem(await create(ingress, key, aRecharge({ [field]: text })), 400, 'INVALID_ARGUMENT');
    for (const metadata of [{ k: text }, { [text]: 'v' }])
      expectProblem(await create(ingress, key, aRecharge({ metadata })), 400, 'INVALID_ARGUMENT');
    const filter = await ingress.call(
      'GET',
      `/v1/recharges?orderReference=${encodeURIComponent(Buffer.from(text).toString())}`,
      { key },
    );
    if (text !== '\ud800') expectProblem(filter, 400, 'INVALID_ARGUMENT');
  },
);

test.each([
  'limit=-1',
  'limit=1e9',
  'limit=NaN',
  'limit=0',
  'limit=101',
  'cursor=x',
  "cursor='; drop",
  'limit=1&limit=2',
])('a list with ?%s is refused', async (query) => {
  expectProblem(await ingress.call('GET', `/v1/recharges?${query}`, { key }), 400, 'INVALID_ARGUMENT');
});

test('a forged cursor shows no rows of others and causes no error', async () => {
  const other = await ingress.client();
  const { body } = await create(ingress, other, aRecharge());
  const packed = Buffer.from(body.transactionId.replaceAll('-', ''), 'hex');
  for (const change of [0, 7, 15]) {
    const cursor = Buffer.from(packed.map((byte, nth) => (nth === change ? byte ^ 0xff : byte))).toString(
      'base64url',
    );
    const answer = await ingress.call('GET', `/v1/recharges?limit=100&cursor=${cursor}`, { key });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain(body.transactionId);
  }
});

test('a correlation id with an escape or a line end is replaced', async () => {
  const lines = ['X-Correlation-Id: \u001b[31mred', 'X-Correlation-Id: a%0d%0aSet-Cookie: b=c'];
  for (const line of lines) {
    const logged = ingress.logged.length;
    const answer = await sendBytes(
      ingress.url,
      `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${line}\r\n\r\n`,
    );
    expect(answer).not.toMatch(/\[31m|^set-cookie/im);
    expect(JSON.stringify(ingress.logged.slice(logged))).not.toContain('u001b');
  }
});
