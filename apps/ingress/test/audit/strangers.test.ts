import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import type { AuditCall, Key } from '@replenish/domain';
import { createLogger, openRegistry } from '@replenish/runtime';
import express from 'express';
import { openAuditTrail } from '../../src/audit/trail.js';
import { callOf, observeAll, openCall } from '../../src/http/call.js';
import { closeServer } from '../../src/server/server.js';
import { auditNames, listen } from '../support/ingress.js';

/**
 * The rows that an audit trail files for these calls, each given as status, address, and whether its key is known.
 */
async function filedOf(calls: readonly (readonly [number, string, boolean])[]): Promise<AuditCall[]> {
  const stored: AuditCall[] = [];
  const registry = openRegistry('ingress');
  const own = openAuditTrail({
    audit: {
      write: async (rows) => {
        stored.push(...rows);
        return { refused: 0 };
      },
    },
    log: createLogger('test', 'silent'),
    registry,
    names: auditNames,
  });
  const app = express()
    .set('trust proxy', ['127.0.0.1'])
    .use(observeAll([(request, response) => openCall(request, response, 'test'), own.see]));
  app.get('/:status/:known', (request, response) => {
    const { status, known } = request.params;
    if (known === 'true') callOf(response).key = { clientId: randomUUID(), keyId: 'rk_test_known' } as Key;
    response.status(Number(status)).end();
  });
  const server = createServer(app);
  const url = await listen(server);
  for (const [status, address, isKnown] of calls)
    await (await fetch(`${url}/${status}/${isKnown}`, { headers: { 'x-forwarded-for': address } })).text();
  await closeServer(server);
  await own.close();
  return stored;
}

test('the first refused calls of a stranger are filed, the others are counted by address and answer', async () => {
  const many = (count: number, status: number, address: string) =>
    Array.from({ length: count }, () => [status, address, false] as const);
  const rows = await filedOf([
    ...many(60, 404, '192.0.2.7'),
    ...many(60, 401, '2001:db8::7'),
    ...many(60, 401, '192.0.2.7'),
  ]);
  expect(rows.length).toBe(50 + 50 + 3);
  const counted = rows.filter(({ params }) => 'calls' in params);
  expect(counted.map(({ ip, status, params }) => [ip, status, params.calls])).toEqual([
    ['192.0.2.7', 404, 10],
    ['2001:db8:0:0::/64', 401, 10],
    ['192.0.2.7', 401, 60],
  ]);
  expect(counted.every(({ keyId, clientId }) => keyId === null && clientId === null)).toBe(true);
});

test('strangers beyond the limit of rows are counted together', async () => {
  const rows = await filedOf(
    Array.from({ length: 720 }, (_, n) => [404, `198.51.${n >> 8}.${n & 255}`, false]),
  );
  const counted = rows.filter(({ params }) => 'calls' in params);
  expect(rows.length - counted.length).toBe(500);
  expect(counted).toHaveLength(201);
  expect(counted.reduce((sum, { params }) => sum + Number(params.calls), 0)).toBe(220);
});

test.each([
  ['known callers, refused', 403, true],
  ['known callers, not found', 404, true],
  ['right secrets at a wrong address', 403, false],
  ['webhooks that are taken', 200, false],
])('each call of %s is filed', async (_, status, isKnown) => {
  const rows = await filedOf(Array.from({ length: 60 }, () => [status, '192.0.2.7', isKnown]));
  expect(rows.filter(({ params }) => !('calls' in params))).toHaveLength(60);
  expect(rows).toHaveLength(60);
});
