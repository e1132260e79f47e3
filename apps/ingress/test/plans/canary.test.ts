import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
  const payee = { provider: 'alibaba_cloud', to: 'fa-7', currency: 'USD' };
  const set = await ingress.call('PUT', '/v1/accounts/acct-new/payee', { key, body: payee });
  expect(set.status).toBe(200);
});
afterAll(() => ingress.close());

let keys = 0;
const post = (body: unknown, query = '', headers: Record<string, string> = {}) =>
  ingress.call('POST', `/v1/plans${query}`, {
    ...{ key, body },
    headers: { 'idempotency-key': `canary-${++keys}`, ...headers },
  });
const lineOf = (line: number, amount: number, over: object = {}) => ({
  ...{ line, accountId: 'acct-new', amount, currency: 'USD', paymentMethod: 'fund_account' },
  ...over,
});
const lines = [lineOf(1, 100), lineOf(2, 900)];
const CSV = 'line,accountId,amount,currency,paymentMethod\n1,acct-new,100,USD,fund_account';
const XML = `<plan><canary>100</canary><line><line>1</line><accountId>acct-new</accountId><amount>100</amount>
  <currency>USD</currency><paymentMethod>fund_account</paymentMethod></line></plan>`;

test.each([
  ['in JSON', { canary: 100, lines }, '?name=json', {}],
  ['in the query', { lines }, '?name=query&canary=100', {}],
  ['in the query of a file', CSV, '?name=csv&canary=100', { 'content-type': 'text/csv' }],
  ['in XML', XML, '?name=xml', { 'content-type': 'application/xml' }],
])('a canary is given %s, and the plan shows it', async (_, body, query, headers) => {
  const answer = await post(body, query, headers);
  expect([answer.status, answer.body]).toMatchObject([201, { canary: 100 }]);
  const shown = await ingress.call('GET', `/v1/plans/${answer.body.planId}`, { key });
  expect(shown.body).toMatchObject({ canary: 100 });
});

test('a plan with another canary is another plan', async () => {
  const first = await post({ name: 'same', canary: 100, lines });
  expect((await post({ name: 'same', canary: 100, lines })).body.planId).toBe(first.body.planId);
  expectProblem(await post({ name: 'same', canary: 99, lines }), 409, 'DUPLICATE_REQUEST');
  expectProblem(await post({ name: 'same', lines }), 409, 'DUPLICATE_REQUEST');
});

test.each([0, -1, 1.5, '100', true, { toString: null }, [100]])(
  'a canary of %j is refused',
  async (canary) => {
    const answer = await post({ name: 'wrong', canary, lines });
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    expect(answer.body.errors.map(({ path }) => path)).toEqual(['canary']);
  },
);

test('two canaries that differ are refused', async () => {
  expectProblem(await post({ name: 'both', canary: 100, lines }, '?canary=99'), 400, 'INVALID_ARGUMENT');
});

test('a dry run names the lines to a new payee that no small line goes before', async () => {
  const dry = (canary: number | undefined) =>
    ingress.call('POST', '/v1/plans?dryRun=true', { key, body: { name: 'dry', canary, lines } });
  const canaryOf = async (canary: number | undefined) => {
    const { body } = await dry(canary);
    const { checks, refused } = body as unknown as {
      checks: { name: string; ok: boolean }[];
      refused: { line: number; check: string }[];
    };
    return [
      checks.find(({ name }) => name === 'canary')?.ok,
      refused.map(({ line, check }) => [line, check]),
    ];
  };
  expect(await canaryOf(100)).toEqual([true, []]);
  expect(await canaryOf(undefined)).toEqual([undefined, []]);
  expect(await canaryOf(99)).toEqual([
    false,
    [
      [1, 'canary'],
      [2, 'canary'],
    ],
  ]);
});

test('a line that is held says so, also in the result file', async () => {
  const { body } = await post({ name: 'held', canary: 100, lines });
  const planId = String(body.planId);
  await ingress.call('POST', `/v1/plans/${planId}/start`, { key });
  await ingress.domain.plans.work.advance(planId, 2, [], [2]);
  const path = `/v1/plans/${planId}/lines`;
  expect((await ingress.call('GET', path, { key })).body.data).toMatchObject([
    { line: 1, heldBecause: null },
    { line: 2, heldBecause: 'CANARY', status: 'not_started' },
  ]);
  const file = await ingress.call('GET', path, { key, headers: { accept: 'text/csv' } });
  expect(file.text.split('\n').slice(0, 3)).toEqual([
    expect.stringMatching(/,heldBecause$/),
    expect.stringMatching(/^1,.*,$/),
    expect.stringMatching(/^2,.*,CANARY$/),
  ]);
});
