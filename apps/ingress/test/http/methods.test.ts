import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { created, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';
import { routesOf } from '../support/routes.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

/** Each path of the app with its methods. */
function pathsOf(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { method, path } of routesOf(ingress.app)) found.set(path, [...(found.get(path) ?? []), method]);
  return found;
}

test('every path answers other methods with 405 and an Allow header', async () => {
  const paths = pathsOf();
  expect([...paths.keys()]).toEqual(
    expect.arrayContaining(['/v1/recharges', '/recharge', '/api/charge', '/webhooks/:provider', '/healthz']),
  );
  for (const [path, taken] of paths) {
    const allow = [...taken, ...(taken.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      if (allow.includes(method)) continue;
      const answer = await ingress.call(method, path, { key });
      if (method !== 'HEAD') expectProblem(answer, 405, 'INVALID_ARGUMENT');
      expect([path, method, answer.status, answer.headers.get('allow')]).toEqual([path, method, 405, allow]);
    }
    const options = await ingress.call('OPTIONS', path);
    expect([path, options.status, options.text]).toEqual([path, 204, '']);
    expect(options.headers.get('allow')).toBe(allow);
    expect(options.headers.get('access-control-allow-origin')).toBeNull();
  }
});

test('an unknown path is 404 with every method', async () => {
  for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS'])
    expectProblem(await ingress.call(method, '/v1/nowhere', { key }), 404, 'NOT_FOUND');
});

test('HEAD is answered like GET, without the body', async () => {
  const { id } = await created(ingress, key);
  for (const path of [`/v1/recharges/${id}`, '/v1/recharges', '/healthz', '/docs', '/openapi.json']) {
    const [get, head] = [await ingress.call('GET', path, { key }), await ingress.call('HEAD', path, { key })];
    expect([path, head.status, head.text]).toEqual([path, 200, '']);
    for (const name of ['content-type', 'cache-control'])
      expect(head.headers.get(name)).toBe(get.headers.get(name));
  }
});
