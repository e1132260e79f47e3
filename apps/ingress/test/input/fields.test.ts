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

const good =
  '<recharge><accountId>acct-1001</accountId><amount>4999</amount><currency>USD</currency></recharge>';
const send = (xml: string): Promise<Answer> =>
  create(ingress, key, xml, { 'content-type': 'application/xml' });

test.each([
  ...['state', 'transactionId', 'status', 'providerOrderId', 'clientId', 'id', 'provider', 'kind'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'accountID', 'Amount'],
])('the field %s is refused in JSON and in XML and changes no prototype', async (name) => {
  const before = await storedRows(ingress);
  for (const inside of ['x', { prototype: { polluted: 'x' }, polluted: 'x' }]) {
    const asXml = typeof inside === 'string' ? inside : '<prototype><polluted>x</polluted></prototype>';
    const body = JSON.stringify(aRecharge()).replace('}', `,"${name}":${JSON.stringify(inside)}}`);
    for (const answer of [
      await create(ingress, key, body),
      await send(good.replace('</recharge>', `<${name}>${asXml}</${name}></recharge>`)),
    ])
      expectProblem(answer, 400, 'INVALID_ARGUMENT');
  }
  expect(await storedRows(ingress)).toBe(before);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('names of prototype members are kept in metadata, in every form', async () => {
  const metadata = {
    constructor: 'a',
    prototype: 'b',
    'constructor.prototype': 'c',
    toString: 'd',
    polluted: 'e',
  };
  const entries = Object.entries(metadata).map(([name, value]) => `<entry key="${name}">${value}</entry>`);
  const asXml = good.replace('</recharge>', `<metadata>${entries.join('')}</metadata></recharge>`);
  for (const made of [await create(ingress, key, aRecharge({ metadata })), await send(asXml)]) {
    expect([made.status, made.body.metadata]).toEqual([202, metadata]);
    const path = `/v1/recharges/${made.body.transactionId}`;
    expect((await ingress.call('GET', path, { key })).body.metadata).toEqual(metadata);
    const xml = await ingress.call('GET', path, { key, headers: { accept: 'application/xml' } });
    for (const entry of entries) expect(xml.text).toContain(entry);
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
