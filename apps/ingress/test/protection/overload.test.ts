import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createFastServer, openRegistry } from '@replenish/runtime';
import { until } from '@replenish/testing';
import express from 'express';
import { type Observer, observeAll, openCall } from '../../src/http/call.js';
import { readBody } from '../../src/http/read-body.js';
import { openArrivals } from '../../src/limits/arrivals.js';
import { openOverload } from '../../src/limits/overload.js';
import { closeServer, serverLimits } from '../../src/server/server.js';
import { bearer, create, type Ingress, listen, openIngress } from '../support/ingress.js';
import { type Connection, openWire, statusesOf } from '../support/wire.js';

let ingress: Ingress;
beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

const wire = openWire();
const { open } = wire;
afterEach(wire.drop);

/** Sends bytes and returns everything that the server answers before it closes the connection. */
async function say(url: string, bytes: string): Promise<string> {
  const { socket, heard, cut } = await open(url);
  socket.write(bytes);
  await cut;
  return heard();
}

/** A server with a tenth of the ingress's time limits. */
async function openImpatient() {
  const app = express().post(
    '/',
    express.raw({ type: () => true }),
    (_request, response) => void response.end(),
  );
  app.get('/', (_request, response) => void response.end('here'));
  const { headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval } = serverLimits;
  const server = createFastServer(app, {
    ...serverLimits,
    headersTimeout: headersTimeout! / 10,
    requestTimeout: requestTimeout! / 10,
    keepAliveTimeout: keepAliveTimeout! / 75,
    connectionsCheckingInterval: connectionsCheckingInterval! / 10,
  });
  return { url: await listen(server), close: () => closeServer(server) };
}

const EACH = 50;
const LIMIT_MS = 60_000;
/**
 * Slow clients. Each row has the first bytes, the bytes that follow at intervals, and the answers before the connection
 * is cut.
 */
const slow = [
  ['headers that never end', 'GET / HTTP/1.1\r\nhost: x\r\n', 'x-drip: 1\r\n', [408]],
  ['a body that never ends', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n', 'x', [408]],
  [
    'chunks that never end',
    'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
    '1\r\nx\r\n',
    [408],
  ],
  [
    'a body that is announced and never comes',
    'POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 99\r\n\r\n',
    '',
    [100, 408],
  ],
  ['silence', '', '', [408]],
  ['silence after an answer', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', '', [200]],
] as const;

/** Sends requests until `isOver` and returns the number of answers. */
async function askOn(url: string, isOver: () => boolean): Promise<number> {
  let answers = 0;
  for (; !isOver(); answers++) expect(await (await fetch(url)).text()).toBe('here');
  return answers;
}

test(
  `${EACH * slow.length} slow connections are cut in time, and an honest client is answered meanwhile`,
  async () => {
    const { url, close } = await openImpatient();
    const startedAtMs = performance.now();
    let isOver = false;
    // The loop also ends after the test's time limit, because it would keep the process alive.
    const honest = askOn(url, () => isOver || performance.now() > startedAtMs + LIMIT_MS);
    const kinds: Connection[][] = [];
    for (const [, begin, drip] of slow) {
      const connections = await Promise.all(Array.from({ length: EACH }, () => open(url)));
      for (const { socket } of connections) {
        socket.write(begin);
        const timer = setInterval(() => socket.write(drip), 300);
        socket.once('close', () => clearInterval(timer));
      }
      kinds.push(connections);
    }
    // A connection that is never cut lets this wait until the limit of the test.
    await Promise.all(kinds.flat().map(({ cut }) => cut)).finally(() => {
      isOver = true;
    });
    const answers = await honest;
    await close();
    for (const [nth, [what, begin, drip, answered]] of slow.entries()) {
      const heard = kinds[nth]!.map((one) => statusesOf(one.heard()).join());
      // A client that writes while its connection is cut gets a reset and may lose the answer.
      const isReset = (said: string) => begin + drip !== '' && said === '';
      expect([what, ...new Set(heard.filter((said) => !isReset(said)))]).toEqual([what, answered.join()]);
      expect(heard.filter(isReset).length).toBeLessThan(EACH);
    }
    expect(answers).toBeGreaterThan(1);
  },
  LIMIT_MS,
);

test.each([
  [
    'a header of 17 kB',
    `GET /v1/recharges HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(17 * 1_024)}\r\n\r\n`,
    431,
  ],
  [
    'both lengths at once',
    'POST /v1/recharges HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!', 400],
  ['no HTTP', '\x16\x03\x01 hello\r\n\r\n', 400],
])('%s is refused, and its connection is closed', async (_, bytes, status) => {
  const text = await say(ingress.url, bytes);
  expect(statusesOf(text)).toEqual([status]);
  const [head, body] = text.split('\r\n\r\n') as [string, string];
  const correlationId = /^x-correlation-id: (\S+)/im.exec(head)?.[1];
  expect(head).toMatch(/^content-type: application\/problem\+json/im);
  expect(JSON.parse(body)).toMatchObject({ code: 'INVALID_ARGUMENT', status, correlationId });
  expect(ingress.logged).toContainEqual(expect.objectContaining({ correlationId, status }));
});

test('a hundred pipelined requests are all answered in order', async () => {
  const key = await ingress.client();
  const ask = (n: number, more = '') =>
    `GET /v1/recharges HTTP/1.1\r\nhost: x\r\nauthorization: ${bearer(key)}\r\nx-correlation-id: n${n}\r\n${more}\r\n`;
  const all = Array.from({ length: 100 }, (_, n) => ask(n, n === 99 ? 'connection: close\r\n' : ''));
  const text = await say(ingress.url, all.join(''));
  expect(statusesOf(text)).toEqual(Array(100).fill(200));
  expect([...text.matchAll(/^x-correlation-id: n(\d+)/gim)].map(([, n]) => Number(n))).toEqual([
    ...all.keys(),
  ]);
});

test('a caller that announces a body and sends none does not delay others', async () => {
  const key = await ingress.client();
  const waiting = await open(ingress.url);
  waiting.socket.write(
    `POST /v1/recharges HTTP/1.1\r\nhost: x\r\nauthorization: ${bearer(key)}\r\nexpect: 100-continue\r\n` +
      'content-type: application/json\r\ncontent-length: 50\r\n\r\n',
  );
  await until(() => waiting.heard() !== '', { limitMs: 30_000 }, 'an answer to the announcement');
  expect(statusesOf(waiting.heard())).toEqual([100]);
  expect((await create(ingress, key)).status).toBe(202);
});

test('every answer has the security headers of an API and no CORS headers', async () => {
  const answers = [
    await ingress.call('GET', '/v1/recharges', { key: await ingress.client() }),
    await ingress.call('GET', '/v1/recharges', { headers: { origin: 'https://evil.example' } }),
    await ingress.call('GET', '/nothing'),
    await ingress.call('GET', '/healthz'),
  ];
  for (const { headers } of answers) {
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'strict-transport-security': expect.stringContaining('max-age='),
    });
    expect([...headers.keys()].filter((name) => /^access-control|^x-powered-by$/.test(name))).toEqual([]);
  }
});

const begin: Observer = (request, response) => openCall(request, response, 'test');

/** A server that holds each POST to /held until the test releases it. */
async function openBusy(limits: { delayMaxMs: number; inFlightMax: number }) {
  const registry = openRegistry('ingress');
  const overload = openOverload({ ...limits, registry });
  const held: (() => void)[] = [];
  const arrivals = openArrivals({ max: 10, perOriginMax: 10, registry });
  const app = express()
    .use(observeAll([begin, overload.see]))
    .use(readBody(1_024, { arrivals, overload }));
  app.all('/{*path}', (request, response) => {
    const answer = () => void response.end('done');
    if (request.path === '/held') held.push(answer);
    else answer();
  });
  app.use(((error, _request, response, _next) => {
    response.status(error.status).set(error.headers).end();
  }) satisfies express.ErrorRequestHandler);
  const server = createFastServer(app, serverLimits);
  const url = await listen(server);
  const ask = async (method: string, path: string) => {
    const answer = await fetch(url + path, { method });
    await answer.text();
    return answer;
  };
  const close = async () => {
    arrivals.close();
    overload.close();
    await closeServer(server);
  };
  return { ask, held, registry, close };
}

test('beyond the limit new POSTs are refused, webhooks only beyond twice the limit, reads never', async () => {
  const busy = await openBusy({ delayMaxMs: 60_000, inFlightMax: 2 });
  const status = async (method: string, path: string) => (await busy.ask(method, path)).status;
  const waiting = [busy.ask('POST', '/held'), busy.ask('POST', '/held')];
  await until(() => busy.held.length === 2, { limitMs: 30_000 }, 'two requests under way');

  const refused = await busy.ask('POST', '/v1/recharges');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await status('POST', '/webhooks/sandbox')).toBe(200);
  expect(await status('GET', '/v1/recharges')).toBe(200);
  expect((await busy.registry.getSingleMetric('replenish_requests_in_flight')!.get()).values[0]!.value).toBe(
    2,
  );

  for (const letGo of busy.held) letGo();
  await Promise.all(waiting);
  expect(await status('POST', '/v1/recharges')).toBe(200);
  await busy.close();
});

test('a delayed event loop refuses new POSTs until the delay is over', async () => {
  const busy = await openBusy({ delayMaxMs: 150, inFlightMax: 100 });
  const block = setInterval(() => {
    const until = performance.now() + 400;
    while (performance.now() < until);
  }, 1);
  await until(
    async () => (await busy.ask('POST', '/v1/recharges')).status === 503,
    { limitMs: 20_000, everyMs: 1 },
    'a refusal',
  );
  expect((await busy.ask('GET', '/v1/recharges')).status).toBe(200);
  clearInterval(block);
  await until(
    async () => (await busy.ask('POST', '/v1/recharges')).status === 200,
    { limitMs: 20_000 },
    'an answer',
  );
  await busy.close();
}, 60_000);
