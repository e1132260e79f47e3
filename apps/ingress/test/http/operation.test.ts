import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keyedOperations } from '../../src/openapi/operations.js';
import { auditNames, type Ingress, openIngress } from '../support/ingress.js';

let ingress: Ingress;

beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

const scopes = [...new Set(keyedOperations.map(({ scope }) => scope))];
const routes = keyedOperations.flatMap(({ method, paths, scope }) =>
  paths.map((path) => ({ method: method.toUpperCase(), path, scope })),
);

test.each(routes)('$method $path is refused to a key without the scope $scope', async (route) => {
  const key = await ingress.client({
    scopes: scopes.filter((scope) => scope !== route.scope && scope !== 'finance:read'),
  });
  const path = route.path.replace('{id}', '01a2122d-35de-70af-9927-1ae329a0e10b');
  const answer = await ingress.call(route.method, path, { key });
  expect([answer.status, answer.body.detail]).toEqual([403, `the key lacks the scope ${route.scope}`]);
});

test.each(routes)('$method $path is refused to a caller without a key', async ({ method, path }) => {
  expect((await ingress.call(method, path)).status).toBe(401);
});

test('the audit trail keeps the parameters of all queries, and the fields of bodies that operations name', () => {
  expect([...auditNames.query].sort()).toEqual(
    [
      ...['account', 'accountId', 'correlationId', 'createdFrom', 'createdTo', 'currency', 'cursor', 'from'],
      ...[
        'key',
        'limit',
        'orderReference',
        'status',
        'to',
        'at',
        'dryRun',
        'kind',
        'transactionId',
        'endpointId',
      ],
      ...['provider', 'providerAccount'],
      ...['name', 'budget', 'canary'],
      ...['day', 'timeZone', 'bom'],
    ].sort(),
  );
  expect(Object.fromEntries(auditNames.body)).toEqual({
    accountId: 'accountId',
    account_id: 'accountId',
    amount: 'amount',
    currency: 'currency',
    paymentMethod: 'paymentMethod',
    payment_method: 'paymentMethod',
    orderReference: 'orderReference',
    ...{ provider: 'provider', providerAccount: 'providerAccount', from: 'from', to: 'to', reason: 'reason' },
    ...{ verb: 'verb', approvalAbove: 'approvalAbove' },
    ...{ watch: 'watch', mode: 'mode', name: 'name' },
  });
});
