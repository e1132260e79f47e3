import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { type Answer, type Ingress, openIngress, type Row } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

let keys = 0;
const post = (body: unknown, contentType = 'application/json', query = '') =>
  ingress.call('POST', `/v1/plans${query}`, {
    key,
    body,
    headers: { 'idempotency-key': `plan-${++keys}`, 'content-type': contentType },
  });
const lineOf = (line: number, changes: Row = {}): Row => ({
  ...{ line, accountId: `acct-${line}`, amount: 100 * line, currency: 'USD', paymentMethod: 'sandbox' },
  ...changes,
});
const faultsOf = ({ body }: Answer) => body.errors.map(({ path, message }) => `${path} ${message}`);

test('a line may name the account of ours that collects, in each form', async () => {
  const lines = [lineOf(1, { providerAccount: 'main' }), lineOf(2)];
  const { body, status } = await post({ name: 'named', lines });
  expect(status).toBe(201);
  const path = `/v1/plans/${body.planId}/lines`;
  const shown = await ingress.call('GET', path, { key });
  expect(shown.body.data.map(({ providerAccount }) => providerAccount)).toEqual(['main', null]);
  const head = 'line,accountId,amount,currency,providerAccount';
  const csv = await post(`${head}\n1,acct-1,100,USD,main\n2,acct-2,200,USD,\n`, 'text/csv', '?name=named');
  const xml = lines.map(
    ({ providerAccount: account, ...line }) =>
      `<line>${Object.entries({ ...line, ...(account ? { providerAccount: account } : {}) })
        .map(([name, value]) => `<${name}>${value}</${name}>`)
        .join('')}</line>`,
  );
  const inXml = await post(`<plan><name>named</name>${xml.join('')}</plan>`, 'application/xml');
  expect([csv.body.planId, inXml.body.planId]).toEqual([body.planId, body.planId]);
  const other = await post({ name: 'named', lines: [lineOf(1), lineOf(2)] });
  expectProblem(other, 409, 'DUPLICATE_REQUEST');
});

test('an account of ours that is not configured is refused by line and column', async () => {
  const csv = 'line,accountId,amount,currency,paymentMethod,providerAccount\n';
  const rows =
    '1,acct-1,100,USD,sandbox,main\n2,acct-2,100,USD,sandbox,shop\n3,acct-3,100,USD,balance,main\n';
  const answer = await post(csv + rows, 'text/csv', '?name=unnamed');
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(faultsOf(answer)).toEqual([
    'lines.1.providerAccount line 2 (row 3), column providerAccount: is no account of ours at sandbox: there is main',
    'lines.2.providerAccount line 3 (row 4), column providerAccount: is for collections: the payee of the account says which account pays balance',
  ]);
  expect(await ingress.sql(`select from recharge_plan where name = 'unnamed'`)).toEqual([]);
});
