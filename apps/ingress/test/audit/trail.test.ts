import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AuditCall, StoreUnavailable } from '@replenish/domain';
import { createLogger, openRegistry } from '@replenish/runtime';
import { until } from '@replenish/testing';
import express from 'express';
import { type AuditTrail, openAuditTrail } from '../../src/audit/trail.js';
import { type Observer, observeAll, openCall } from '../../src/http/call.js';
import { closeServer } from '../../src/server/server.js';
import {
  aRecharge,
  auditNames,
  bearer,
  create,
  type Ingress,
  listen,
  openIngress,
  type Row,
} from '../support/ingress.js';

let ingress: Ingress;
let trail: AuditTrail;
beforeAll(async () => {
  ingress = await openIngress({
    protection: ({ domain, log, registry }) => {
      trail = openAuditTrail({ audit: domain.audit, log, registry, names: auditNames });
      return { observers: [trail.see] };
    },
  });
});
afterAll(async () => {
  await trail.close();
  await ingress.close();
});

/** Waits for the row of the call with this correlation id. */
async function filed(correlationId: string): Promise<Row> {
  const rows = await until(
    async () => {
      const found = await ingress.sql(`select * from audit_call where correlation_id = $1`, [correlationId]);
      return found.length > 0 && found;
    },
    { limitMs: 30_000 },
    `the call ${correlationId} in the trail`,
  );
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

const name = () => ({ 'x-correlation-id': randomUUID() });

test('a call is filed with caller, route, parameters, time and answer', async () => {
  const key = await ingress.client();
  const headers = name();
  await create(ingress, key, aRecharge({ orderReference: 'PO-7', metadata: { note: 'mine' } }), headers);
  const row = await filed(headers['x-correlation-id']);
  expect(row).toMatchObject({
    ip: '127.0.0.1',
    client_id: key.clientId,
    key_id: key.keyId,
    method: 'POST',
    route: '/v1/recharges',
    account_id: 'acct-1001',
    status: 202,
    code: null,
    params: {
      path: {},
      query: {},
      body: { accountId: 'acct-1001', amount: 4999, currency: 'USD', orderReference: 'PO-7' },
    },
  });
  expect(Math.abs((row.at as Date).getTime() - Date.now())).toBeLessThan(60_000);
  expect(row.duration_ms).toBeGreaterThan(0);
});

test('parameters of /api/charge and of XML are filed under the names of JSON', async () => {
  const key = await ingress.client();
  const headers = name();
  const body = { account_id: 'acct-9', amount: 49.99, currency: 'USD', payment_method: 'nothing' };
  await ingress.call('POST', '/api/charge', { key, headers, body });
  expect(await filed(headers['x-correlation-id'])).toMatchObject({
    route: '/api/charge',
    status: 400,
    params: { body: { accountId: 'acct-9', amount: '49.99', currency: 'USD', paymentMethod: 'nothing' } },
  });
  const xml = name();
  await ingress.call('POST', '/v1/recharges', {
    key,
    headers: { ...xml, 'content-type': 'application/xml' },
    body: '<recharge><accountId>acct-8</accountId><amount>1</amount><secretField>x</secretField></recharge>',
  });
  expect(await filed(xml['x-correlation-id'])).toMatchObject({
    params: { body: { accountId: 'acct-8', amount: 1 } },
  });
});

test.each([
  ['no key', '/v1/recharges', {}, { status: 401, code: 'UNAUTHENTICATED', key_id: null, client_id: null }],
  [
    'a wrong secret',
    '/v1/recharges',
    { authorization: 'Bearer rk_test_nobody.rs_wrong' },
    { status: 401, code: 'UNAUTHENTICATED', key_id: 'rk_test_nobody', client_id: null },
  ],
  [
    "an id that is nobody's",
    '/v1/recharges/some%20id/timeline',
    {},
    { route: '/v1/recharges/:id/timeline', params: { path: { id: 'some%20id' }, query: {}, body: {} } },
  ],
  [
    'no route',
    '/v1/nothing?accountId=a1',
    {},
    { status: 404, code: 'NOT_FOUND', route: '-', account_id: 'a1' },
  ],
])('a refused call is filed: %s', async (_, path, sent, expected) => {
  const headers = name();
  await ingress.call('GET', path, { headers: { ...headers, ...sent } });
  expect(await filed(headers['x-correlation-id'])).toMatchObject(expected);
});

test('a call with an invalid body, a NUL or a lone surrogate is filed, and so are the calls beside it', async () => {
  const key = await ingress.client();
  const all = [name(), name(), name(), name()];
  const bodies = [
    '{"accountId":',
    '{"accountId":"a\\u0000\\ud800"}',
    '[]',
    `{"amount":${'['.repeat(50_000)}`,
  ];
  await Promise.all(
    bodies.map((body, n) => ingress.call('POST', '/v1/recharges', { key, headers: all[n]!, body })),
  );
  const rows = await Promise.all(all.map((headers) => filed(headers['x-correlation-id'])));
  expect(rows.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  expect(rows[1]!.account_id).toBe('a\u2400\ufffd');
});

test('a call whose client left before the answer is filed with status 499', async () => {
  const key = await ingress.client();
  const { body } = await create(ingress, key);
  const headers = name();
  const socket = connect(Number(new URL(ingress.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `GET /v1/recharges/${body.transactionId} HTTP/1.1\r\nhost: x\r\nauthorization: ${bearer(key)}\r\n` +
      `prefer: wait=30\r\nx-correlation-id: ${headers['x-correlation-id']}\r\n\r\n`,
  );
  await until(() => ingress.logged.length > 0, { limitMs: 30_000 }, 'a first call');
  setTimeout(() => socket.destroy(), 200);
  expect(await filed(headers['x-correlation-id'])).toMatchObject({ status: 499, route: '/v1/recharges/:id' });
});

test('no secret reaches the trail, wherever a caller puts it', async () => {
  const key = await ingress.client();
  const canary = `canary${randomUUID().replaceAll('-', '')}`;
  const card = '4111111111111111';
  const headers = {
    ...name(),
    cookie: `session=${canary}`,
    'x-signature': canary,
    'idempotency-key': canary,
    prefer: canary,
  };
  const secret = `rs_${canary}`;
  const body = aRecharge({
    orderReference: secret,
    metadata: { note: canary },
    planId: canary,
    password: canary,
  });
  await ingress.call('POST', `/v1/recharges?api_key=${canary}&accountId=${secret}`, { key, headers, body });
  const other = name();
  await ingress.call('GET', `/v1/recharges/${secret}?orderReference=${card}&token=${canary}`, {
    headers: { ...other, authorization: `Bearer rk_test_x.${secret}` },
  });
  const rows = [await filed(headers['x-correlation-id']), await filed(other['x-correlation-id'])];
  expect(rows.map(({ status }) => status)).toEqual([400, 401]);
  expect(JSON.stringify(rows)).not.toContain(canary);
  expect(JSON.stringify(rows)).not.toContain(card);
  expect(JSON.stringify(rows)).not.toContain(key.secret);
  expect(rows[0]!.params).toMatchObject({ query: { accountId: '[secret]' } });
});

test('health checks are not filed', async () => {
  const headers = name();
  await ingress.call('GET', '/healthz', { headers });
  const later = name();
  await ingress.call('GET', '/v1/recharges', { headers: later });
  await filed(later['x-correlation-id']);
  const [row] = await ingress.sql(`select count(*)::int from audit_call where correlation_id = $1`, [
    headers['x-correlation-id'],
  ]);
  expect(row!.count).toBe(0);
});

test("GET /v1/audit lists the calls of the caller's client only, with filters and pages", async () => {
  const [mine, theirs] = [await ingress.client(), await ingress.client()];
  const marks = [name(), name(), name(), name()];
  await create(ingress, mine, aRecharge(), marks[0]);
  await create(ingress, theirs, aRecharge(), marks[1]);
  await create(ingress, mine, aRecharge({ accountId: 'acct-7', amount: -1 }), marks[2]);
  await create(ingress, mine, aRecharge({ accountId: 'acct-7' }), marks[3]);
  await Promise.all(marks.map((mark) => filed(mark['x-correlation-id'])));
  const list = async (query: string) => {
    const { status, body } = await ingress.call('GET', `/v1/audit?${query}`, { key: mine });
    expect(status).toBe(200);
    return body;
  };
  const creates = (data: readonly Row[]) =>
    data
      .filter(({ route }) => route === '/v1/recharges')
      .map(({ correlationId }) => marks.findIndex((mark) => mark['x-correlation-id'] === correlationId));

  expect(creates((await list('')).data)).toEqual([3, 2, 0]);
  expect(creates((await list('account=acct-7')).data)).toEqual([3, 2]);
  expect(creates((await list(`status=400&key=${mine.keyId}`)).data)).toEqual([2]);
  expect(creates((await list('to=2020-01-01T00:00:00Z')).data)).toEqual([]);
  const first = await list('account=acct-7&limit=1');
  const second = await list(`account=acct-7&limit=1&cursor=${first.nextCursor}`);
  expect([creates(first.data), creates(second.data)]).toEqual([[3], [2]]);
  expect(first.data[0]).toMatchObject({ keyId: mine.keyId, status: 202, method: 'POST', ip: '127.0.0.1' });
  expect(JSON.stringify(first)).not.toContain(theirs.clientId);
});

test.each(['limit=0', 'cursor=x', 'status=abc', 'from=yesterday', 'client=x', 'key=none'])(
  'GET /v1/audit refuses %s',
  async (query) => {
    const { status } = await ingress.call('GET', `/v1/audit?${query}`, { key: await ingress.client() });
    expect(status).toBe(400);
  },
);

test('GET /v1/audit needs the scope audit:read', async () => {
  const key = await ingress.client({ scopes: ['recharges:read', 'recharges:write', 'balances:read'] });
  expect((await ingress.call('GET', '/v1/audit', { key })).status).toBe(403);
});

/** A server with an audit trail whose store is the given function. */
async function openTrail(write: (calls: readonly AuditCall[]) => Promise<{ refused: number }>) {
  const registry = openRegistry('ingress');
  const own = openAuditTrail({
    audit: { write },
    log: createLogger('test', 'silent'),
    registry,
    names: auditNames,
  });
  const begin: Observer = (request, response) => openCall(request, response, 'test');
  const app = express().use(observeAll([begin, own.see]), (_request, response) => void response.end());
  const server = createServer(app);
  const url = await listen(server);
  return { url, trail: own, registry, close: () => closeServer(server) };
}

test('a clean stop loses no row, also when the store was away for a while', async () => {
  const stored: AuditCall[] = [];
  let tries = 0;
  const served = await openTrail(async (calls) => {
    if (++tries <= 3) throw new StoreUnavailable('away');
    stored.push(...calls);
    return { refused: 0 };
  });
  await Promise.all(Array.from({ length: 450 }, () => fetch(served.url).then((answer) => answer.text())));
  await served.close();
  await served.trail.close();
  expect(new Set(stored.map(({ id }) => id)).size).toBe(450);
  expect(stored).toHaveLength(450);
  expect(
    (await served.registry.getSingleMetric('replenish_audit_rows_lost_total')!.get()).values[0]!.value,
  ).toBe(0);
});

test('a request does not wait for the audit trail', async () => {
  let answerStore = () => {};
  const stored = new Promise<void>((resolve) => {
    answerStore = resolve;
  });
  const served = await openTrail(async () => {
    await stored;
    return { refused: 0 };
  });
  for (let n = 0; n < 250; n++) expect((await fetch(served.url)).status).toBe(200);
  answerStore();
  await served.close();
  await served.trail.close();
});
