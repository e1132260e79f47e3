import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { scopes } from '@replenish/domain/rules';
import {
  aRecharge,
  bearer,
  create,
  created,
  type Ingress,
  openIngress,
  storedRows,
} from '../support/ingress.js';
import { expectProblem, sendBytes } from '../support/problem.js';
import { type Route, routesOf } from '../support/routes.js';

let ingress: Ingress;
let key: NewKey;
/** The recharge of the routes that name one. No request here changes it. */
let rechargeId: string;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client({ scopes });
  rechargeId = (await created(ingress, key)).id;
});
afterAll(() => ingress.close());

const charge = { account_id: 'acct-1001', amount: 49.99, currency: 'USD' };
const posts = [
  ['/v1/recharges', aRecharge()],
  ['/recharge', aRecharge()],
  ['/api/charge', charge],
] as const;

const parameters = [
  'dryRun=true',
  'dry_run=1',
  'preview=true',
  'validateOnly=true',
  'idempotencyKey=abc',
  '__proto__=1',
  'constructor=1',
  `${'&'.repeat(60)}dryRun=true`,
  'dryRun',
  '%64ryRun=true',
];

/** Sends a valid request with an added query and added headers. */
function send({ method, path }: Route, query: string, headers: Record<string, string> = {}) {
  const filled = path.replace(':id', rechargeId).replace(':accountId', 'acct-1');
  const body = posts.find(([known]) => known === path)?.[1];
  return ingress.call(method, `${filled}?${query}`, {
    key,
    headers: { 'idempotency-key': randomUUID(), ...headers },
    ...(method === 'POST' && body && { body }),
  });
}

/** Load balancers, browsers and providers add queries of their own to health checks, pages and webhooks. */
const judged = ({ path }: Route): boolean => path.startsWith('/v1/') || posts.some(([one]) => one === path);

test("a parameter behind the parser's limit is refused", async () => {
  const path = `/v1/recharges?${'&'.repeat(1_000)}dryRun=true`;
  expectProblem(await ingress.call('POST', path, { key, body: aRecharge() }), 400, 'INVALID_ARGUMENT');
});

const isCreate = ({ method, path }: Route): boolean =>
  method === 'POST' && ['/v1/recharges', '/recharge'].includes(path);
const hasDryRun = (route: Route): boolean =>
  isCreate(route) || (route.method === 'POST' && ['/v1/plans', '/v1/rules'].includes(route.path));

test.each(parameters)('an unknown parameter (%s) is refused on every route', async (query) => {
  const isDry = ['dryRun=true', '%64ryRun=true'].includes(query);
  const routes = routesOf(ingress.app).filter((route) => judged(route) && !(isDry && hasDryRun(route)));
  expect(routes.length).toBeGreaterThanOrEqual(10);
  const before = await storedRows(ingress);
  for (const route of routes) {
    const needed = route.path === '/v1/account/balance' ? 'accountId=acct-1&' : '';
    expectProblem(await send(route, needed + query), 400, 'INVALID_ARGUMENT');
  }
  expect(await storedRows(ingress)).toBe(before);
  expect(await ingress.sql(`select from recharge_transaction where state <> 'CREATED'`)).toEqual([]);
});

test.each(['dryRun=true', '%64ryRun=true'])('%s is known where recharges are created', async (query) => {
  const routes = routesOf(ingress.app).filter(isCreate);
  expect(routes).toHaveLength(2);
  for (const route of routes) {
    const before = await storedRows(ingress);
    const answer = await send(route, query);
    expect([answer.status, answer.body.wouldBe]).toEqual([200, 'accepted']);
    expect(await storedRows(ingress)).toBe(before);
  }
});

test('health checks and documents accept any query', async () => {
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs'])
    expect((await ingress.call('GET', `${path}?from=balancer`)).status).toBe(200);
});

test.each([
  ['x-http-method-override', 'GET'],
  ['x-http-method', 'DELETE'],
  ['x-method-override', 'PUT'],
  ['if-match', '"v1"'],
  ['if-none-match', '*'],
  ['if-unmodified-since', 'Fri, 27 Nov 2026 15:03:00 GMT'],
  ['content-range', 'bytes 0-10/100'],
  ['x-dry-run', 'true'],
  ['dry-run', '1'],
  ['x-idempotency-key', 'k'],
  ['idempotence-key', 'k'],
  ['x-idempotent-id', 'k'],
])('a header that would change the meaning of the request (%s) is refused', async (name, value) => {
  const routes = routesOf(ingress.app).filter((route) => judged(route) && route.method === 'POST');
  const before = await storedRows(ingress);
  for (const route of routes) {
    const answer = await send(route, '', { [name]: value });
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    expect(answer.body.errors).toEqual([{ path: name, message: expect.any(String) }]);
  }
  expect(await storedRows(ingress)).toBe(before);
});

test.each([
  ['{"reason":"typed twice"}', 'application/json'],
  ['{"amount":1}', 'application/json'],
  ['<cancel><reason>x</reason></cancel>', 'application/xml'],
  ['[]', 'application/json'],
  ['x', 'application/json'],
])('a body of cancel with content (%s) is refused', async (body, type) => {
  const { id } = await created(ingress, key);
  const headers = { 'content-type': type };
  const answer = await ingress.call('POST', `/v1/recharges/${id}/cancel`, { key, body, headers });
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(await ingress.domain.reads.recharge(id)).toMatchObject({ state: 'CREATED' });
});

test.each([
  ['', 'application/json'],
  ['{}', 'application/json'],
  ['<cancel/>', 'application/xml'],
])('a body of cancel without fields (%j) is accepted', async (body, type) => {
  const { id } = await created(ingress, key);
  const headers = { 'content-type': type };
  const answer = await ingress.call('POST', `/v1/recharges/${id}/cancel`, { key, body, headers });
  expect([answer.status, answer.body.state]).toEqual([200, 'CANCELED']);
});

test.each(['Content-Length: 22\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n16\r\n'])(
  'a GET with a body (%j) is refused',
  async (framing) => {
    const head = `GET /v1/recharges HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${bearer(key)}\r\n`;
    const answer = await sendBytes(ingress.url, `${head}${framing}{"accountId":"acct-1"}\r\n0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('INVALID_ARGUMENT');
  },
);

test('Preference-Applied names the wait', async () => {
  const { id } = await created(ingress, key);
  await ingress.call('POST', `/v1/recharges/${id}/cancel`, { key });
  const read = async (prefer: string) =>
    (await ingress.call('GET', `/v1/recharges/${id}`, { key, headers: { prefer } })).headers.get(
      'preference-applied',
    );
  expect(await read('wait=5')).toBe('wait=5');
  expect(await read('wait=100')).toBe('wait=30');
  expect(await read('respond-async')).toBeNull();
});

test('harmless headers are accepted', async () => {
  const headers = { prefer: 'return=representation', 'x-request-id': 'r1' };
  expect((await create(ingress, key, aRecharge(), headers)).status).toBe(202);
});
