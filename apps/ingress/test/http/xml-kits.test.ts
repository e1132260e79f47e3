import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
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

const send = (body: unknown, idempotencyKey: string = randomUUID()): Promise<Answer> =>
  create(ingress, key, body, { 'content-type': 'application/xml', 'idempotency-key': idempotencyKey });

const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
const fields = '<accountId>acct-1001</accountId><amount>4999</amount><currency>USD</currency>';
const plain = `<recharge>${fields}</recharge>`;
const withField = (field: string, root = '') => `<recharge${root}>${fields}${field}</recharge>`;
const prefixed = fields.replace(/<(\/?)/g, '<$1r:');

test.each([
  ['a byte order mark', Buffer.from(`\ufeff${plain}`)],
  [
    '.NET',
    `\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<recharge ${XSI} xmlns:xsd="http://www.w3.org/2001/XMLSchema">${fields}<orderReference xsi:nil="true" /></recharge>`,
  ],
  [
    '.NET with data contracts',
    `<recharge xmlns="http://schemas.datacontract.org/2004/07/Shop" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">${fields}<planId i:nil="true"/></recharge>`,
  ],
  ['JAXB', `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n${plain}\n`],
  [
    'JAXB with a namespace',
    `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><ns2:recharge xmlns:ns2="urn:shop">${fields}</ns2:recharge>`,
  ],
  ['qualified elements', `<r:recharge xmlns:r="urn:shop">${prefixed}</r:recharge>`],
  [
    'Excel',
    `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n<?mso-application progid="Excel.Sheet"?>\r\n<recharge ${XSI}>${fields}<orderReference/><productType></productType><timestamp/></recharge>`,
  ],
  ['a style sheet', `<?xml-stylesheet type="text/xsl" href="x.xsl"?>${plain}`],
  ['comments and instructions around', `<!-- made by x --><?a b?>${plain}<!-- end --><?c d?>\n`],
  [
    'a schema',
    withField('', ` ${XSI} xsi:schemaLocation="urn:a a.xsd" xsi:noNamespaceSchemaLocation="b.xsd"`),
  ],
  [
    'types',
    `<recharge ${XSI} xsi:type="Recharge"><accountId xsi:type="xs:string">acct-1001</accountId>${fields.slice(fields.indexOf('<amount>'))}</recharge>`,
  ],
  ['language and white space', withField('', ' xml:lang="en" xml:space="preserve"')],
  ['CDATA', plain.replace('acct-1001', '<![CDATA[acct-1001]]>').replace('4999', '<![CDATA[4999]]>')],
  ['nil as in our answers', withField('<orderReference nil="true"/><metadata nil="true"/>')],
  ['nil that is false', plain.replace('<amount>', `<amount ${XSI} xsi:nil="false">`)],
  ['an empty map', withField('<metadata/>')],
  ['UTF8', `<?xml version="1.0" encoding="utf8"?>${plain}`],
])('XML as written by %s is the same request as the JSON form', async (_kit, body) => {
  const idempotencyKey = randomUUID();
  const first = await create(ingress, key, aRecharge(), { 'idempotency-key': idempotencyKey });
  const second = await send(body, idempotencyKey);
  expect([second.status, second.text]).toEqual([200, first.text]);
});

test.each<[string, string | Buffer, RegExp]>([
  ['UTF-16 with a mark', Buffer.from(`\ufeff${plain}`, 'utf16le'), /UTF-16; send UTF-8/],
  ['UTF-16 the other way', Buffer.from(`\ufeff${plain}`, 'utf16le').swap16(), /UTF-16; send UTF-8/],
  ['UTF-16 without a mark', Buffer.from(plain, 'utf16le'), /UTF-16; send UTF-8/],
  [
    'a declaration of UTF-16',
    `<?xml version="1.0" encoding="utf-16"?>${plain}`,
    /says utf-16, and bodies are UTF-8/,
  ],
  ['an attribute', plain.replace('<amount>', '<amount unit="minor">'), /<amount> has an attribute unit/],
  [
    'an attribute of another namespace',
    withField('', ' xmlns:a="urn:a" a:b="c"'),
    /<recharge> has an attribute a:b/,
  ],
  [
    'an element of another namespace',
    withField('<x:planId xmlns:x="urn:x">p</x:planId>'),
    /<planId> is of another namespace/,
  ],
  [
    'another default inside',
    `<recharge xmlns="urn:a">${fields.replace('<amount>', '<amount xmlns="urn:b">')}</recharge>`,
    /<amount> is of another namespace/,
  ],
  ['a prefix that nothing binds', withField('<x:planId>p</x:planId>'), /prefix/],
  [
    'one field in two spellings',
    `<r:recharge xmlns:r="urn:a">${fields}<r:amount>1</r:amount></r:recharge>`,
    /<amount> or its key appears twice/,
  ],
  ['an instruction inside', withField('<?a b?>'), /processing instruction stands inside <recharge>/],
  ['text beside elements', withField('x'), /text stands in <recharge>/],
  [
    'nil with a content',
    withField(`<planId ${XSI} xsi:nil="true">p</planId>`),
    /<planId> is nil and has a content/,
  ],
  [
    'a nil entry',
    withField('<metadata><entry key="a" nil="true"/></metadata>'),
    /<entry> is an entry of metadata and cannot be nil/,
  ],
  ['a nil amount', plain.replace('<amount>4999</amount>', '<amount nil="true"/>'), /amount/],
  ['a nil field that nobody knows', withField('<dryRun nil="true"/>'), /dryRun: is not a known field/],
  ['an empty key', withField('<idempotencyKey/>'), /idempotencyKey: must be/],
  ['an empty payment method', withField('<paymentMethod/>'), /paymentMethod: must be one of/],
  ['a DOCTYPE behind a mark', `\ufeff<!DOCTYPE recharge>${plain}`, /DOCTYPE/],
])('%s in XML is refused with its place and the reason', async (_what, body, words) => {
  const before = await storedRows(ingress);
  const answer = await send(body);
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.detail).toMatch(words);
  expect(await storedRows(ingress)).toBe(before);
});

test('one of our answers sent as a request is refused, and the fields of answers are named', async () => {
  const { id } = { id: (await send(plain)).body.transactionId };
  const answer = await ingress.call('GET', `/v1/recharges/${id}`, {
    key,
    headers: { accept: 'application/xml' },
  });
  const back = await send(answer.text);
  expectProblem(back, 400, 'INVALID_ARGUMENT');
  const paths = back.body.errors.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(['transactionId', 'state', 'createdAt']));
  for (const own of ['accountId', 'amount', 'currency', 'orderReference', 'metadata'])
    expect(paths).not.toContain(own);
});
