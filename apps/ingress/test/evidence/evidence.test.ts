import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { checkEvidence, evidenceFrom } from '@replenish/domain/rules';
import { Evidence } from '../../src/evidence/schemas.js';
import { created, end, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const pathOf = (id: string) => `/v1/recharges/${id}/evidence`;

test('the evidence of a recharge is JSON that the check accepts, sealed at once', async () => {
  const recharge = await created(ingress, key);
  await end(ingress, recharge, 'settled');
  const { status, text } = await ingress.call('GET', pathOf(recharge.id), { key });
  expect(status).toBe(200);
  const pack = evidenceFrom(text)!;
  expect(Evidence.parse(JSON.parse(text))).toEqual(pack);
  expect(pack.recharge).toMatchObject({ transactionId: recharge.id, state: 'SUCCEEDED', amount: 4999 });
  expect(pack.chain.unsealed).toEqual([]);
  expect(checkEvidence(pack)).toMatchObject({ ok: true, faults: [] });
});

test('the evidence is XML where that is asked for', async () => {
  const { id } = await created(ingress, key, { metadata: { '1 team': 'a' } });
  const { text } = await ingress.call('GET', pathOf(id), { key, headers: { accept: 'application/xml' } });
  expect(text).toMatch(/<evidencePack>[\s\S]*<entry key="1 team">a<\/entry>[\s\S]*<\/evidencePack>$/);
});

test('a browser gets a page whose text is escaped and whose styles are allowed', async () => {
  const recharge = await created(ingress, key, { orderReference: '<b>&"PO"', amount: 123_456 });
  const headers = { accept: 'text/html' };
  const page = await ingress.call('GET', pathOf(recharge.id), { key, headers });
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.text).toContain('&lt;b&gt;&amp;&quot;PO&quot;');
  expect(page.text).toContain('1234.56 USD');
  expect(page.text).not.toMatch(/<style|<script|<b>/);
  const style = await ingress.call('GET', /<link rel="stylesheet" href="([^"]+)"/.exec(page.text)![1]!);
  expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
});

test('another client, and a key that does not cover the account, find no recharge', async () => {
  const { id } = await created(ingress, key);
  const other = await ingress.client();
  expectProblem(await ingress.call('GET', pathOf(id), { key: other }), 404, 'NOT_FOUND');
  expectProblem(await ingress.call('GET', `${pathOf(id)}?a=1`, { key }), 400, 'INVALID_ARGUMENT');
});
