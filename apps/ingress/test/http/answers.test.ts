import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { freePort } from '@replenish/testing';
import {
  type Answer,
  aRecharge,
  bearer,
  create,
  type Ingress,
  openIngress,
  type Sent,
} from '../support/ingress.js';
import { expectProblem, sendBytes } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const made = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const withId = (id: string, path = '/v1/recharges') =>
  ingress.call('GET', path, { key, headers: { 'x-correlation-id': id } });

test.each(['abc-123', 'A.b_c:d', '0', 'x'.repeat(128)])('correlation id %s is kept', async (id) => {
  expect((await withId(id)).headers.get('x-correlation-id')).toBe(id);
  expectProblem(await withId(id, '/nowhere'), 404, 'NOT_FOUND');
  const told = ingress.logged.filter(({ correlationId }) => correlationId === id);
  expect(told.map(({ status }) => status)).toEqual([200, 404]);
});

test('the log line of a recharge has its id, its idempotency key and its correlation id', async () => {
  const idempotencyKey = 'in-the-log';
  const headers = { 'x-correlation-id': 'in-the-log', 'idempotency-key': idempotencyKey };
  const answers = [
    await ingress.call('POST', '/v1/recharges', { key, headers, body: aRecharge() }),
    await ingress.call('POST', '/v1/recharges', { key, headers, body: aRecharge({ amount: 1 }) }),
  ];
  const { transactionId } = answers[0]!.body;
  expect(transactionId).toMatch(made);
  expect(ingress.logged.filter(({ correlationId }) => correlationId === 'in-the-log')).toMatchObject([
    { status: 202, transactionId, idempotencyKey },
    { status: 422, transactionId: undefined, idempotencyKey },
  ]);
});

test.each([
  'x'.repeat(129),
  'x'.repeat(200),
  'a b',
  'a/b',
  'a"b',
  '<script>',
  '{"a":1}',
  'a,b',
  'é',
  '%0d%0a',
  "' or 1=1",
])('correlation id %j is replaced', async (id) => {
  const answer = await withId(id);
  expect(answer.headers.get('x-correlation-id')).toMatch(made);
  expect(JSON.stringify(ingress.logged)).not.toContain(JSON.stringify(id));
});

test('without a correlation id a new one is made and stored with the recharge', async () => {
  const answer = await create(ingress, key);
  expect(answer.headers.get('x-correlation-id')).toMatch(made);
  const [row] = await ingress.sql('select correlation_id from recharge_request where transaction_id = $1', [
    answer.body.transactionId,
  ]);
  expect(row!.correlation_id).toBe(answer.headers.get('x-correlation-id'));
});

test.each([
  ['a line break', 'X-Correlation-Id: a\r\nX-Evil: 1', 200],
  ['a folded line', 'X-Correlation-Id: a\r\n X-Evil: 1', 400],
  ['a line feed alone', 'X-Correlation-Id: a\nX-Evil: 1', 400],
  ['colours', 'X-Correlation-Id: \u001b[31mred', 400],
  ['two of them', 'X-Correlation-Id: a\r\nX-Correlation-Id: b', 200],
])('%s in a correlation id reaches neither answer nor log', async (_what, line, status) => {
  const head = `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${line}\r\n\r\n`;
  const logged = ingress.logged.length;
  const answer = await sendBytes(ingress.url, head);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).not.toMatch(/evil|\[31m/i);
  expect(JSON.stringify(ingress.logged.slice(logged))).not.toMatch(/evil|u001b/i);
});

const answersOfEveryKind: readonly (readonly [status: number, method: string, path: string, sent?: Sent])[] =
  [
    [200, 'GET', '/healthz'],
    [200, 'GET', '/readyz'],
    [404, 'GET', '/'],
    [404, 'GET', '/v1'],
    [404, 'GET', '/v1/'],
    [404, 'GET', '/../../etc/passwd'],
    [404, 'GET', '/%2e%2e%2f'],
    [405, 'DELETE', '/v1/recharges'],
    [405, 'PATCH', '/v1/recharges/x'],
    [405, 'GET', '/api/charge'],
    [405, 'PUT', '/healthz'],
    [204, 'OPTIONS', '/v1/recharges'],
    [404, 'OPTIONS', '/nowhere'],
    [400, 'GET', '/v1/recharges/%zz'],
    [401, 'GET', '/v1/recharges'],
    [413, 'POST', '/nowhere', { body: 'x'.repeat(300_000) }],
    [415, 'POST', '/nowhere', { body: '{}', headers: { 'content-encoding': 'gzip' } }],
  ];

test.each(answersOfEveryKind)(
  '%d for %s %s: plain headers, a correlation id, one line in the log',
  async (...kind) => {
    const [status, method, path, sent] = kind;
    const logged = ingress.logged.length;
    const answer = await ingress.call(method, path, sent);
    expect([answer.status, answer.text]).toEqual([status, expect.any(String)]);
    if (status >= 400) expectProblem(answer, status, answer.body.code);
    expect(answer.headers.get('x-correlation-id')).toMatch(made);
    for (const name of ['x-powered-by', 'server', 'etag', 'set-cookie'])
      expect(answer.headers.has(name)).toBe(false);
    const lines = ingress.logged.slice(logged).filter(({ message }) => message === 'request');
    expect(lines).toEqual([expect.objectContaining({ level: 'info', method, status })]);
  },
);

test('a 404 names the route and repeats no markup', async () => {
  const answer = await ingress.call('GET', '/<script>alert(1)</script>?token=x');
  expectProblem(answer, 404, 'NOT_FOUND');
  expect(answer.text).not.toMatch(/<script>|token/);
});

test('the log line of a request has no key, no query and no body', async () => {
  const logged = ingress.logged.length;
  const accountId = 'acct-canary';
  await create(ingress, key, aRecharge({ accountId, orderReference: 'ref-canary', amount: -1 }));
  await create(ingress, key, aRecharge({ accountId, orderReference: 'ref-canary' }));
  await ingress.call('GET', '/v1/recharges?orderReference=ref-canary', { key });
  const lines = ingress.logged.slice(logged).filter(({ message }) => message === 'request');
  expect(lines.map(({ path, status }) => [path, status])).toEqual([
    ['/v1/recharges', 400],
    ['/v1/recharges', 202],
    ['/v1/recharges', 200],
  ]);
  expect(lines[0]!.durationMs).toBeGreaterThanOrEqual(0);
  const written = JSON.stringify(ingress.logged);
  for (const secret of ['canary', key.secret, key.secret.slice(3, 20)]) expect(written).not.toContain(secret);
});

const readsAndWrites = (on: Ingress, by: NewKey): Promise<Answer>[] => [
  create(on, by),
  on.call('GET', '/v1/recharges', { key: by }),
  on.call('GET', '/v1/account/balance?accountId=acct-1', { key: by }),
  on.call('POST', '/api/charge', { key: by, body: { account_id: 'acct-1', amount: 1, currency: 'USD' } }),
];

test('while the database is away: 503 with Retry-After, and not ready', async () => {
  const away = await openIngress({ databaseUrl: `postgresql://u:p@127.0.0.1:${await freePort()}/canary` });
  try {
    for (const answer of await Promise.all(readsAndWrites(away, key))) {
      expectProblem(answer, 503, 'INTERNAL_ERROR');
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(answer.text).not.toContain('canary');
    }
    const ready = await away.call('GET', '/readyz');
    expect([ready.status, ready.body.ok]).toEqual([503, false]);
    expect((await away.call('GET', '/healthz')).status).toBe(200);
    expect(away.hints).toEqual([]);
  } finally {
    await away.close();
  }
});

test('on a database without migrations: 503 with Retry-After, and nothing is stored', async () => {
  const bare = await openIngress({ migrated: false });
  try {
    for (const answer of await Promise.all(readsAndWrites(bare, key))) {
      expectProblem(answer, 503, 'INTERNAL_ERROR');
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect((await bare.call('GET', '/readyz')).status).toBe(503);
  } finally {
    await bare.close();
  }
});

test('an unexpected error is 500, and only the log has its details', async () => {
  await ingress.sql(`
    create function lose_request() returns trigger language plpgsql as 'begin return null; end';
    create trigger lose_request before insert on recharge_request for each row execute function lose_request()`);
  const before = ingress.logged.length;
  try {
    expectProblem(await create(ingress, key), 500, 'INTERNAL_ERROR');
    const errors = ingress.logged.slice(before).filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]!.err).toBeInstanceOf(Error);
  } finally {
    await ingress.sql('drop function lose_request cascade');
  }
});

test('one connection serves many requests', async () => {
  const request = `GET /v1/recharges HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer(key)}\r\n`;
  const answer = await sendBytes(
    ingress.url,
    `${`${request}\r\n`.repeat(4)}${request}Connection: close\r\n\r\n`,
  );
  expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(5);
});
