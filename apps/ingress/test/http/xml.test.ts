import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { SaxesParser } from 'saxes';
import {
  type Answer,
  aRecharge,
  create,
  created,
  end,
  type Ingress,
  listen,
  openIngress,
  storedRows,
} from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const inXml = { 'content-type': 'application/xml' };
const outXml = { accept: 'application/xml' };
const rechargeXml = (fields: string): string => `<recharge>${fields}</recharge>`;
const amountXml = (amount: string): string =>
  rechargeXml(`<accountId>acct-1001</accountId><amount>${amount}</amount><currency>USD</currency>`);
const good = amountXml('4999');
const send = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  create(ingress, key, body, { ...inXml, ...headers });

/** The text of each leaf by its path, read by a parser that does not know our writer. */
function leaves(xml: string): Record<string, string> {
  const found: Record<string, string> = {};
  const path: string[] = [];
  const parser = new SaxesParser();
  let text = '';
  parser.on('opentag', ({ name, attributes }) => {
    path.push(attributes.key ? `${name}[${attributes.key}]` : name);
    text = attributes.nil === 'true' ? '(nil)' : '';
  });
  parser.on('text', (more) => {
    text += more;
  });
  parser.on('closetag', () => {
    found[path.join('/')] ??= text;
    path.pop();
  });
  parser.write(xml).close();
  return found;
}

test('the same request in JSON and in XML is a replay', async () => {
  const idempotency = { 'idempotency-key': randomUUID() };
  const fields = { orderReference: 'PO <&> 7', metadata: { 'a "b"': "c's <d>", e: '' } };
  const first = await create(ingress, key, aRecharge(fields), idempotency);
  const xml = `<?xml version="1.0" encoding="utf-8"?>
    <recharge>
      <metadata><entry key="e"/><entry key="a &quot;b&#x22;">c&apos;s <![CDATA[<d>]]></entry></metadata>
      <!-- a comment --><orderReference>PO &lt;&amp;&gt; 7</orderReference>
      <currency>USD</currency><amount>4999</amount><accountId>acct-1001</accountId>
    </recharge>`;
  const second = await send(xml, idempotency);
  expect([first.status, second.status, second.text]).toEqual([202, 200, expect.any(String)]);
  expect(second.body).toEqual(first.body);
  const other = await send(xml.replace('4999', '5000'), idempotency);
  expectProblem(other, 422, 'DUPLICATE_REQUEST');
});

test('an answer in XML has the fields of the answer in JSON', async () => {
  const { id } = await created(ingress, key, { metadata: { 'a<b': 'x&y' }, orderReference: ']]>' });
  const [json, xml] = await Promise.all(
    [{}, outXml].map((headers) => ingress.call('GET', `/v1/recharges/${id}`, { key, headers })),
  );
  expect(xml!.headers.get('content-type')).toBe('application/xml; charset=utf-8');
  expect(xml!.headers.get('vary')).toMatch(/accept/i);
  const fields = leaves(xml!.text);
  const { metadata: _, waiting, ...plain } = json!.body;
  for (const [name, value] of Object.entries(plain))
    expect(fields[`recharge/${name}`]).toBe(value === null ? '(nil)' : String(value));
  for (const [name, value] of Object.entries(waiting as object))
    expect(fields[`recharge/waiting/${name}`]).toBe(value === null ? '(nil)' : String(value));
  expect(fields['recharge/metadata/entry[a<b]']).toBe('x&y');
});

test('every route of the API can answer XML', async () => {
  const { id } = await created(ingress, key);
  const call = async (method: string, path: string, body?: string) =>
    (await ingress.call(method, path, { key, headers: { ...outXml, ...inXml }, body })).text;
  const charge = '<charge><account_id>a</account_id><amount>1.50</amount><currency>USD</currency></charge>';
  const answers = await Promise.all([
    call('POST', '/api/charge', charge),
    call('GET', '/v1/recharges'),
    call('GET', `/v1/recharges/${id}/timeline`),
    call('GET', '/v1/account/balance?accountId=a'),
    call('GET', '/v1/accounts/a/ledger'),
    call('GET', '/nowhere'),
  ]);
  const roots = answers.map((text) => /<(\w+)>/.exec(text)![1]);
  expect(roots).toEqual(['charge', 'recharges', 'timeline', 'balance', 'ledger', 'problem']);
  expect(answers.map((text) => Object.keys(leaves(text)).length > 0)).not.toContain(false);
  expect(leaves(answers[0]!)['charge/status']).toBe('processing');
  expect(await call('POST', `/v1/recharges/${id}/cancel`)).toContain('<state>CANCELED</state>');
});

test.each([
  ['application/xml', 'application/problem+xml'],
  ['application/problem+xml', 'application/problem+xml'],
  ['text/xml', 'application/problem+xml'],
  ['application/json;q=0.5, application/xml', 'application/problem+xml'],
  ['application/xml;q=0.5, application/json', 'application/problem+json'],
  ['application/xml;charset=utf-8', 'application/problem+xml'],
  ['application/xml; charset="utf-8"; q=0.9, application/json; q=0.1', 'application/problem+xml'],
  ['application/json; profile=x, application/xml; q=0.5', 'application/problem+json'],
  ['*/*', 'application/problem+json'],
  ['text/csv', 'application/problem+json'],
  ['image/png', 'application/problem+json'],
  ['nonsense', 'application/problem+json'],
])('Accept: %s is answered with %s', async (accept, type) => {
  const answer = await create(ingress, key, {}, { accept });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([400, type]);
  expect(answer.text).toContain('INVALID_ARGUMENT');
});

test('a problem in XML has the fields of a problem', async () => {
  const answer = await send(amountXml('-1'), outXml);
  expect(leaves(answer.text)).toMatchObject({
    'problem/type': '/docs/errors/INVALID_ARGUMENT',
    'problem/status': '400',
    'problem/code': 'INVALID_ARGUMENT',
    'problem/correlationId': answer.headers.get('x-correlation-id'),
    'problem/errors/item/path': 'amount',
  });
});

test('integers beyond 2^53 stay exact in both forms', async () => {
  const accountId = `acct-${randomUUID()}`;
  for (const nth of [1, 2, 3]) {
    const changes = { accountId, amount: 9_007_199_254_740_991 - nth };
    await end(ingress, await created(ingress, key, changes), 'settled');
  }
  const path = `/v1/account/balance?accountId=${accountId}`;
  const [json, xml] = await Promise.all(
    [{}, outXml].map((headers) => ingress.call('GET', path, { key, headers })),
  );
  expect(json!.text).toContain('"available":27021597764222967,');
  expect(xml!.text).toContain('<available>27021597764222967</available>');
});

const amounts: readonly (readonly [text: string, isGood: boolean])[] = [
  ...['1', '4999', '9007199254740991'].map((text) => [text, true] as const),
  ...['-1', '0', '-0', '1.0', '1.5', '1e3', '1e400', '9007199254740992', '9007199254740993', 'null', 'true'],
  ...['[1]', '{}', 'NaN', 'Infinity', '00100', '0x10', '"100"', '+1', '', '1 000', '١'],
].map((one) => (typeof one === 'string' ? ([one, false] as const) : one));

test.each(amounts)('amount %j has the same result in JSON and in XML', async (text, isGood) => {
  const before = await storedRows(ingress);
  const json = await create(ingress, key, JSON.stringify(aRecharge()).replace('4999', text));
  const xml = await send(amountXml(text));
  expect([json.status, xml.status]).toEqual(isGood ? [202, 202] : [400, 400]);
  if (isGood) return expect([String(json.body.amount), String(xml.body.amount)]).toEqual([text, text]);
  for (const answer of [json, xml]) expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(await storedRows(ingress)).toBe(before);
});

const deep = `${'<a>'.repeat(8_000)}${'</a>'.repeat(8_000)}`;
const entity = '<!DOCTYPE recharge [<!ENTITY x SYSTEM "URL">]>';
const large = `<!DOCTYPE r [<!ENTITY x "${'1'.repeat(50_000)}">]>`;
const laughs = `<!DOCTYPE r [<!ENTITY a "ha">${'bcdefgh'.replace(/./g, (n) => `<!ENTITY ${n} "&${String.fromCharCode(n.charCodeAt(0) - 1)};&a;">`)}]>`;

test.each([
  ['an empty body', '', 400],
  ['no XML', '{"amount":1}', 400],
  ['another root', good.replaceAll('recharge', 'charge'), 400],
  ['two roots', good + good, 400],
  ['an end that is missing', good.replace('</recharge>', ''), 400],
  ['a plain DOCTYPE', `<!DOCTYPE recharge>${good}`, 400],
  ['a file as entity', `${entity.replace('URL', 'file:///etc/passwd')}${amountXml('&x;')}`, 400],
  ['a large entity a thousand times', `${large}${amountXml('&x;'.repeat(1_000))}`, 400],
  ['laughs', `${laughs}${amountXml('&h;')}`, 400],
  ['an entity nobody defined', amountXml('&euro;'), 400],
  ['an entity inside the amount', amountXml('49&x;99'), 400],
  ['a reference to no character', good.replace('acct', '&#0;cct'), 400],
  ['a reference beyond Unicode', good.replace('acct', '&#x110000;cct'), 400],
  ['two amounts', good.replace('</amount>', '</amount><amount>1</amount>'), 400],
  ['an attribute', good.replace('<amount>', '<amount currency="EUR">'), 400],
  ['XInclude', good.replace('</recharge>', '<xi:include/></recharge>'), 400],
  ['a processing instruction', good.replace('<amount>', '<?php 1?><amount>'), 400],
  ['text beside elements', good.replace('<amount>', 'x<amount>'), 400],
  ['elements in the amount', amountXml('<b>4999</b>'), 400],
  ['an unknown field', good.replace('</recharge>', '<state>SUCCEEDED</state></recharge>'), 400],
  ['__proto__', good.replace('</recharge>', '<__proto__><a>1</a></__proto__></recharge>'), 400],
  ['constructor', good.replace('</recharge>', '<constructor/></recharge>'), 400],
  ['UTF-7', `<?xml version="1.0" encoding="UTF-7"?>${good}`, 400],
  ['latin-1', `<?xml version="1.0" encoding="ISO-8859-1"?>${good}`, 400],
  ['XML 1.1', `<?xml version="1.1"?>${good}`, 400],
  ['two byte order marks', Buffer.from(`\ufeff\ufeff${good}`), 400],
  ['UTF-16', Buffer.from(`\ufeff${good}`, 'utf16le'), 400],
  ['no UTF-8', Buffer.from(good.replace('acct', 'a\u0080'), 'latin1'), 400],
  ['a tree 8,000 deep', rechargeXml(deep), 400],
  ['10,000 references', amountXml('&#49;'.repeat(10_000)), 400],
  ['a million references', amountXml('&#49;'.repeat(1_000_000)), 413],
  ['a tree 200,000 deep', rechargeXml('<a>'.repeat(200_000) + '</a>'.repeat(200_000)), 413],
  [
    '100,000 attributes',
    `<recharge ${Array.from({ length: 100_000 }, (_, i) => `a${i}=""`).join(' ')}/>`,
    413,
  ],
  [
    'XInclude of a file',
    good
      .replace('<recharge>', '<recharge xmlns:xi="http://www.w3.org/2001/XInclude">')
      .replace('4999', '<xi:include href="file:///etc/passwd" parse="text"/>'),
    400,
  ],
  ['6,000 attributes', `<recharge ${Array.from({ length: 6_000 }, (_, i) => `a${i}=""`).join(' ')}/>`, 400],
  ['more than 64 kB', good + ' '.repeat(65_536), 413],
  [
    'an attribute beside a name',
    good.replace('</recharge>', '<metadata><a key="b">1</a></metadata></recharge>'),
    400,
  ],
  [
    'a key of metadata twice',
    good.replace('</recharge>', '<metadata><entry key="a">1</entry><a>1</a></metadata></recharge>'),
    400,
  ],
  [
    '__proto__ as a key',
    good.replace('</recharge>', '<metadata><entry key="__proto__">1</entry></metadata></recharge>'),
    400,
  ],
])('%s in XML is refused and stores nothing', async (_what, body, status) => {
  const before = await storedRows(ingress);
  expectProblem(await send(body), status, 'INVALID_ARGUMENT');
  expect(await storedRows(ingress)).toBe(before);
  expect(({} as { a?: unknown }).a).toBeUndefined();
  expect(ingress.logged.filter(({ level }) => level === 'error')).toEqual([]);
});

test('metadata can be written as elements, or as entries for names that are not valid for elements', async () => {
  const metadata =
    '<metadata><scenario>ok</scenario><entry>plain</entry><entry key="a b">c</entry></metadata>';
  const body = good.replace('</recharge>', `${metadata}</recharge>`);
  const answer = await send(body);
  expect([answer.status, answer.body.metadata]).toEqual([
    202,
    { scenario: 'ok', entry: 'plain', 'a b': 'c' },
  ]);
});

test('an external entity is not fetched', async () => {
  let calls = 0;
  const canary = createServer((_request, response) => {
    calls += 1;
    response.end('1');
  });
  const url = await listen(canary);
  try {
    for (const dtd of [entity.replace('URL', url), `<!DOCTYPE r SYSTEM "${url}/x.dtd">`])
      expectProblem(await send(`${dtd}${amountXml('&x;')}`), 400, 'INVALID_ARGUMENT');
    expect(calls).toBe(0);
  } finally {
    canary.close();
  }
});

test('text/xml is accepted as XML, and a charset other than UTF-8 is refused', async () => {
  for (const type of [
    'text/xml; charset=UTF-8',
    'text/xml;charset=utf8',
    'application/xml;',
    'application/xml; x=y',
  ])
    expect([type, (await send(good, { 'content-type': type })).status]).toEqual([type, 202]);
  const latin = await send(good, { 'content-type': 'application/xml; charset=latin1' });
  expectProblem(latin, 415, 'INVALID_ARGUMENT');
});
