import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { scopes as everyScope } from '@replenish/domain/rules';
import { until } from '@replenish/testing';
import { openAuditTrail } from '../../src/audit/trail.js';
import { openapiDocument } from '../../src/openapi/document.js';
import {
  type Answer,
  aRecharge,
  auditNames,
  bearer,
  create,
  created,
  end,
  type Ingress,
  openIngress,
  type Row,
  storedRows,
} from '../support/ingress.js';
import { expectProblem, sendBytes } from '../support/problem.js';

type Parameter = Readonly<{ name: string; in: string }>;
type Operation = Readonly<{
  security: readonly Readonly<Record<string, readonly string[]>>[];
  parameters?: readonly Parameter[];
  requestBody?: { content: { 'application/json': { example: Row } } };
}>;
const { paths } = openapiDocument('https://pay.example') as {
  paths: Record<string, Record<string, Operation>>;
};

type Route = Readonly<{ method: string; path: string; scope: string; operation: Operation }>;
/** All routes that need a key, from the OpenAPI document, so that a new route is tested, too. */
const routes: readonly Route[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, { security }]) => security.length > 0)
    .map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      scope: operation.security[0]!.bearer![0]!,
      operation,
    })),
);
const open = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { security }]) =>
    security.length === 0 ? `${method} ${path}` : [],
  ),
);
const scopes = [...new Set(routes.map(({ scope }) => scope))];

/** The names that a request contains. They are those of another client, or invented. */
type Names = Readonly<{
  id: string;
  account: string;
  reference: string;
  keyId: string;
  idempotencyKey: string;
}>;

let ingress: Ingress;
let trail: ReturnType<typeof openAuditTrail>;
let theirs: Names;
/** Texts that only the other client may read. */
let marks: readonly string[];

beforeAll(async () => {
  ingress = await openIngress({
    protection: ({ domain, log, registry }) => {
      trail = openAuditTrail({ audit: domain.audit, log, registry, names: auditNames });
      return { observers: [trail.see] };
    },
  });
  const key = await ingress.client();
  const [account, reference, note, idempotencyKey] = [
    'acct-2001',
    `their-${randomUUID()}`,
    randomUUID(),
    randomUUID(),
  ];
  const body = aRecharge({
    accountId: account,
    amount: 7_654_321,
    orderReference: reference,
    metadata: { note },
  });
  const { transactionId } = (await create(ingress, key, body, { 'idempotency-key': idempotencyKey })).body;
  await end(ingress, (await ingress.domain.reads.recharge(transactionId))!, 'settled');
  const waiting = await created(ingress, key, { accountId: account, metadata: { note } });
  theirs = { id: waiting.id, account, reference, keyId: key.keyId, idempotencyKey };
  marks = [transactionId, waiting.id, note, '7654321', key.clientId, `sbx_${transactionId}`];
  const filed = () => ingress.sql('select from audit_call where key_id = $1', [key.keyId]);
  await until(async () => (await filed()).length >= 2, { limitMs: 30_000 }, 'their calls in the trail');
});
afterAll(async () => {
  await ingress.close();
  await trail.close();
});

const nobodys = (): Names => ({
  id: randomUUID(),
  account: 'acct-9999',
  reference: `nobody-${randomUUID()}`,
  keyId: 'rk_test_000000000000000000',
  idempotencyKey: randomUUID(),
});

const inQuery: Readonly<Record<string, keyof Names>> = {
  accountId: 'account',
  account: 'account',
  orderReference: 'reference',
  key: 'keyId',
};

const neededQueries: Readonly<Record<string, string>> = {
  '/v1/accounts/{accountId}/statements/{month}': '?currency=USD',
  '/v1/exports/settlements': '?day=2026-01-31',
};

/**
 * The requests to a route that contain these names. A route with a body gets one request, with the names in its path
 * and its body. Any other route gets one request with the names in the path, and one per query parameter.
 */
const waysOf = ({ path, operation }: Route, names: Names): { path: string; body?: Row }[] => {
  const filled = path
    .replace(/\{(?:id|caseId)\}/, names.id)
    .replace('{accountId}', names.account)
    .replace('{month}', '2026-01');
  const example = operation.requestBody?.content['application/json'].example;
  if (example) {
    const account = ['accountId', 'account_id'].find((name) => name in example);
    return [{ path: filled, body: { ...example, ...(account && { [account]: names.account }) } }];
  }
  const named = (operation.parameters ?? []).filter((one) => one.in === 'query' && one.name in inQuery);
  const needed = path === '/v1/account/balance' ? [] : [{ path: `${filled}${neededQueries[path] ?? ''}` }];
  return [...needed, ...named.map(({ name }) => ({ path: `${filled}?${name}=${names[inQuery[name]!]}` }))];
};

const send = (
  key: NewKey | null,
  { method }: Route,
  { path, body }: { path: string; body?: Row },
  headers: Record<string, string> = {},
): Promise<Answer> =>
  ingress.call(method, path, {
    ...(key && { key }),
    ...(body && { body }),
    headers: { 'x-correlation-id': 'same', ...headers },
  });

test('all routes of the document need a key, except these', () => {
  expect(routes.length).toBeGreaterThanOrEqual(10);
  expect(scopes.sort()).toEqual(everyScope.toSorted());
  expect(open.sort()).toEqual([
    ...['get /healthz', 'get /openapi.json', 'get /readyz', 'post /webhooks/{provider}'],
  ]);
});

test.each(routes)('$method $path needs a key with the scope $scope', async (route) => {
  const before = await storedRows(ingress);
  const lacking = await ingress.client({
    scopes: scopes.filter((one) => one !== route.scope && one !== 'finance:read'),
  });
  const only = await ingress.client({ scopes: [route.scope] });
  for (const way of waysOf(route, theirs)) {
    const anonymous = await send(null, route, way);
    expectProblem(anonymous, 401, 'UNAUTHENTICATED');
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer');
    expectProblem(await send(lacking, route, way), 403, 'UNAUTHORIZED');
  }
  expect(await storedRows(ingress)).toBe(before);
  // The recharge is paid from an empty balance, so it is refused immediately and does not wait.
  const unpaid = route.path === '/v1/rules' ? {} : { payment_method: 'balance', paymentMethod: 'balance' };
  for (const { path, body } of waysOf(route, nobodys())) {
    const own =
      body && Object.fromEntries(Object.entries({ ...body, ...unpaid }).filter(([name]) => name in body));
    const headers = { 'idempotency-key': randomUUID() };
    const { status } = await send(only, route, { path, ...(own && { body: own }) }, headers);
    expect([200, 201, 202, 204, 402, 404]).toContain(status);
  }
});

const forms = ['application/json', 'application/xml', 'text/csv'];

/** The answer, with `?` in place of the names that the request contained. */
const comparable = ({ status, text }: Answer, names: Names): string =>
  Object.values(names).reduce((left, name) => left.replaceAll(name, '?'), `${status} ${text}`);

/** A plan and an endpoint name no other thing: each answer is about a new one, with an id of its own. */
const isAboutNew = ({ method, path }: Route): boolean =>
  method === 'POST' && ['/v1/plans', '/v1/callback-endpoints'].includes(path);

test.each(routes.filter((route) => !isAboutNew(route)))(
  '$method $path gives the same answer for foreign and for unknown things, in every form',
  async (route) => {
    const key = await ingress.client({ accounts: ['acct-10*', 'acct-1'] });
    const before = await storedRows(ingress);
    const nobody = nobodys();
    const [theirWays, noWays] = [waysOf(route, theirs), waysOf(route, nobody)];
    for (const [nth, way] of theirWays.entries())
      for (const accept of forms) {
        const headers = { accept, 'idempotency-key': theirs.idempotencyKey };
        const answer = await send(key, route, way, headers);
        const none = await send(key, route, noWays[nth]!, headers);
        expect(marks.filter((mark) => answer.text.includes(mark))).toEqual([]);
        expect(JSON.stringify([...answer.headers])).not.toContain(theirs.id);
        if (route.path === '/v1/audit') expect(answer.text).not.toContain(theirs.account);
        else expect(comparable(answer, theirs)).toBe(comparable(none, nobody));
        if (answer.status !== 200) expect([403, 404]).toContain(answer.status);
      }
    expect(await storedRows(ingress)).toBe(before);
    expect(await ingress.domain.reads.recharge(theirs.id)).toMatchObject({ state: 'CREATED' });
  },
);

test.each(routes.filter(({ path }) => path.includes('{id}')))(
  '$method $path does not show recharges of another client, even for a covered account',
  async (route) => {
    const key = await ingress.client({ accounts: ['*'] });
    const [way] = waysOf(route, theirs);
    expectProblem(await send(key, route, way!), 404, 'NOT_FOUND');
  },
);

test('an idempotency key of another client does not show its recharge', async () => {
  const key = await ingress.client();
  const headers = { 'idempotency-key': theirs.idempotencyKey };
  const answer = await create(ingress, key, aRecharge(), headers);
  expect(answer.status).toBe(202);
  expect(marks.filter((mark) => answer.text.includes(mark))).toEqual([]);
});

test.each<[pattern: string, account: string, isIn: boolean]>([
  ['acct-10*', 'acct-100x', true],
  ['acct-10*', 'acct-1', false],
  ['acct-1*', 'acct-2001', false],
  ['acct-1', 'acct-1*', false],
  ['acct-1', 'ACCT-1', false],
  ['acct-1', 'acct-1.', false],
  ['acct-1', 'acct-1%20', false],
  ['acct-1', 'acct-1%00', false],
  ['acct-1', 'acct-1%0a', false],
  ['acct-1*', 'acct-1%2F..%2Facct-2001', false],
  ['acct-1*', 'acct-1%252F..%252Facct-2001', false],
  ['acct-1*', '%61cct-2001', false],
  ['acct-1*', '%61cct-1001', true],
  ['.*', 'acct-2001', false],
  ['acct-[0-9]*', 'acct-2001', false],
  ['%', 'acct-2001', false],
  ['acct_2001', 'acct-2001', false],
])('a key for %s and the account %s', async (pattern, account, isIn) => {
  const key = await ingress.client({ accounts: [pattern] });
  const asked = [
    `/v1/account/balance?accountId=${account}`,
    `/v1/accounts/${account}/ledger`,
    `/v1/recharges?accountId=${account}`,
  ];
  for (const path of asked) {
    const answer = await ingress.call('GET', path, { key });
    expect(isIn ? [200] : [400, 403]).toContain(answer.status);
    expect(marks.filter((mark) => answer.text.includes(mark))).toEqual([]);
  }
  const body = aRecharge({ accountId: account });
  const before = await storedRows(ingress);
  const answer = await create(ingress, key, body);
  expect(isIn && !account.includes('%') ? [202] : [400, 403]).toContain(answer.status);
  expect(await storedRows(ingress)).toBe(before + (answer.status === 202 ? 2 : 0));
});

test.each([
  '/v1/accounts/acct-1/../acct-2001/ledger',
  '/v1/accounts/acct-1/%2e%2e/acct-2001/ledger',
  '/v1/accounts/acct-1;acct-2001/ledger',
  '/v1/accounts/acct-1\\..\\acct-2001/ledger',
  '/v1/accounts//acct-2001/ledger',
  '/v1/account/balance?accountId=acct-1&accountId=acct-2001',
  '/v1/account/balance?accountId=acct-1&accountid=acct-2001',
  '/v1/account/balance?accountId[]=acct-2001',
  '/v1/recharges?accountId=acct-1&accountId=acct-2001',
])('%s, copied byte for byte, gives no access to the other client', async (path) => {
  const key = await ingress.client({ accounts: ['acct-1'] });
  const answer = await sendBytes(
    ingress.url,
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${bearer(key)}\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 40[034] /);
  expect(marks.filter((mark) => answer.includes(mark))).toEqual([]);
});
