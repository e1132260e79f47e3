import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { aRecharge, bearer, create, type Ingress, openIngress, storedRows } from '../support/ingress.js';
import { expectProblem, sendBytes } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const body = JSON.stringify(aRecharge());

/** Status and errors of the answer to a POST with these headers. */
async function answerTo(headers: readonly string[]): Promise<[string | undefined, unknown]> {
  const head = ['POST /v1/recharges HTTP/1.1', 'Host: x', 'Connection: close', ...headers];
  const heard = await sendBytes(
    ingress.url,
    [...head, `Content-Length: ${body.length}`, '', body].join('\r\n'),
  );
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(heard) ?? [];
  return [status, JSON.parse(heard.slice(heard.indexOf('\r\n\r\n'))).errors];
}

const standing = () => [`Authorization: ${bearer(key)}`, 'Content-Type: application/json'];

test.each([
  ['Authorization', () => ['authorization: Bearer rk_test_other.rs_other']],
  ['Authorization', () => [`AUTHORIZATION: ${bearer(key)}`]],
  ['Content-Type', () => ['content-type: application/xml']],
  ['Idempotency-Key', () => ['idempotency-key: second']],
])('a repeated header %s is refused, whatever its value', async (name, second) => {
  const before = await storedRows(ingress);
  const first = [...standing(), 'Idempotency-Key: first'];
  for (const headers of [
    [...first, ...second()],
    [...second(), ...first],
  ])
    expect(await answerTo(headers)).toEqual([
      '400',
      [{ path: expect.any(String), message: `the header ${name} was sent more than once` }],
    ]);
  expect(await storedRows(ingress)).toBe(before);
});

test('other headers may be repeated', async () => {
  const twice = ['Accept-Encoding: gzip', 'Accept-Encoding: br', 'X-Padding-15-xx: 1', 'X-Padding-15-xx: 2'];
  const [status] = await answerTo([...standing(), 'Idempotency-Key: only', ...twice]);
  expect(status).toBe('202');
});

const readers = [
  '/v1/recharges?orderReference=',
  '/v1/account/balance?accountId=',
  '/v1/accounts/acct-1/ledger?currency=',
  '/v1/audit?account=',
];

test.each(readers.flatMap((path) => ['%ED%A0%80', '%ff', 'a%c3', '%e2%82', '%'].map((bad) => [path, bad])))(
  '%s%s is not UTF-8 and is refused',
  async (path, bad) => {
    const answer = await ingress.call('GET', path + bad, { key });
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    const [, field] = /\?(\w+)=/.exec(path)!;
    expect(answer.body.errors).toEqual([{ path: field, message: 'must be percent-encoded UTF-8' }]);
  },
);

test('a query that is not UTF-8 is refused, and UTF-8 text is found', async () => {
  const nameless = await ingress.call('GET', '/v1/recharges?%ff=1', { key });
  expectProblem(nameless, 400, 'INVALID_ARGUMENT');
  const taken = await create(ingress, key, aRecharge({ orderReference: 'PO €7+\ufffd' }));
  expect(taken.status).toBe(202);
  const found = await ingress.call(
    'GET',
    `/v1/recharges?orderReference=${encodeURIComponent('PO €7+\ufffd')}`,
    { key },
  );
  expect(found.body.data).toHaveLength(1);
});

test('a value outside of its list is refused with the list', async () => {
  const message = 'must be one of accepted, in_progress, succeeded, failed, canceled';
  for (const query of ['status=paid', 'status=failed&status=accepted', 'status=']) {
    const answer = await ingress.call('GET', `/v1/recharges?${query}`, { key });
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    expect(answer.body.errors).toEqual([{ path: 'status', message }]);
  }
  const method = await create(ingress, key, aRecharge({ paymentMethod: 'cash' }));
  expect(method.body.errors).toEqual([
    { path: 'paymentMethod', message: expect.stringMatching(/^must be one of sandbox, /) },
  ]);
});
