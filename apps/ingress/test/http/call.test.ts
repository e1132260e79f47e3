import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createFastServer, openRegistry } from '@replenish/runtime';
import { until } from '@replenish/testing';
import express from 'express';
import { answeredStatus, atEnd, done, observeAll, openCall } from '../../src/http/call.js';
import { readBody } from '../../src/http/read-body.js';
import { openArrivals } from '../../src/limits/arrivals.js';
import { openOverload } from '../../src/limits/overload.js';
import { closeServer, createIngressServer } from '../../src/server/server.js';
import { aRecharge, bearer, type Ingress, listen, openIngress } from '../support/ingress.js';

const LIMIT = { limitMs: 10_000 };

/** A server whose POSTs end when the test decides, even after their callers have left. */
async function openSlow() {
  const registry = openRegistry('ingress');
  const overload = openOverload({ delayMaxMs: 60_000, inFlightMax: 1_000, registry });
  const arrivals = openArrivals({ max: 100, perOriginMax: 100, registry });
  const ended: number[] = [];
  const working: (() => void)[] = [];
  const app = express().use(
    observeAll([
      (request, response) => openCall(request, response, 'test'),
      (_request, response) => atEnd(response, (_sent, answered) => ended.push(answeredStatus(answered))),
    ]),
    readBody(1_024, { arrivals, overload }),
  );
  app.post('/slow', (_request, response) => {
    working.push(() => {
      response.end('done');
      done(response);
    });
  });
  const server = createFastServer(app);
  const url = new URL(await listen(server));
  const gauge = registry.getSingleMetric('replenish_requests_in_flight')!;
  return {
    ended,
    working,
    open: async () => {
      const socket = connect(Number(url.port), url.hostname);
      await once(socket, 'connect');
      return socket.on('error', () => {});
    },
    isLeft: async () => (await promisify(server.getConnections.bind(server))()) === 0,
    inFlight: async () => (await gauge.get()).values[0]!.value,
    close: async () => {
      arrivals.close();
      overload.close();
      await closeServer(server);
    },
  };
}

const SLOW = 'POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n';

test('pipelined requests all end when their connection is cut', async () => {
  const slow = await openSlow();
  const socket = await slow.open();
  socket.write(SLOW.repeat(30));
  await until(() => slow.working.length === 30, LIMIT, 'thirty calls under way');
  socket.destroy();
  await until(slow.isLeft, LIMIT, 'no connection');
  for (const finish of slow.working) finish();
  await until(() => slow.ended.length === 30, LIMIT, 'thirty ends');
  expect(slow.ended).toEqual(Array(30).fill(499));
  expect(await slow.inFlight()).toBe(0);
  await slow.close();
});

test('the call of a caller that left counts until its work is done', async () => {
  const slow = await openSlow();
  const sockets = await Promise.all([slow.open(), slow.open()]);
  for (const socket of sockets) socket.write(SLOW);
  await until(() => slow.working.length === 2, LIMIT, 'two calls under way');
  for (const socket of sockets) socket.destroy();
  await until(slow.isLeft, LIMIT, 'no connection');
  const [first, second] = slow.working;
  first!();
  await until(async () => (await slow.inFlight()) === 1, LIMIT, 'one place free');
  expect(slow.ended).toEqual([499]);
  second!();
  await until(() => slow.ended.length === 2, LIMIT, 'the other end');
  expect(await slow.inFlight()).toBe(0);
  await slow.close();
});

let ingress: Ingress;
beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

const openTo = async (url: string): Promise<{ socket: Socket; heard: () => string }> => {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => {});
  return { socket, heard: () => text };
};

test('a complete request is answered, whatever follows it', async () => {
  const key = await ingress.client();
  const body = JSON.stringify(aRecharge());
  const { socket, heard } = await openTo(ingress.url);
  const closed = once(socket, 'close');
  socket.write(
    `POST /v1/recharges HTTP/1.1\r\nhost: x\r\nauthorization: ${bearer(key)}\r\nidempotency-key: followed\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}\x00\x01 no request\r\n\r\n`,
  );
  await closed;
  expect(heard()).toMatch(/^HTTP\/1\.1 202 /);
  expect(heard()).toMatch(/^connection: close\r$/im);
});

test.each([
  ['without a host', 'GET /v1/recharges HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
  [
    'that expects the unknown',
    'GET /v1/recharges HTTP/1.1\r\nhost: x\r\nexpect: foo\r\nconnection: close\r\n\r\n',
    417,
  ],
  ['for no path at all', 'GET http://[ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 404],
])('a request %s is refused as a problem and logged', async (_what, bytes, status) => {
  const { socket, heard } = await openTo(ingress.url);
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  const [head, body] = heard().split('\r\n\r\n') as [string, string];
  const correlationId = /^x-correlation-id: (\S+)/im.exec(head)?.[1];
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(JSON.parse(body)).toMatchObject({ status, correlationId });
  await until(
    () => ingress.logged.some((line) => line.correlationId === correlationId && line.status === status),
    LIMIT,
    'its line in the log',
  );
});

test('the answer does not wait for a body where none is allowed', async () => {
  const { socket, heard } = await openTo(ingress.url);
  socket.write('PROPPATCH /v1/recharges HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{');
  await until(() => heard() !== '', LIMIT, 'an answer before the body');
  expect(heard()).toMatch(/^HTTP\/1\.1 405 /);
  socket.destroy();
});

test('a closing server ends busy connections after their current answer and accepts no further request', async () => {
  const server = createIngressServer(ingress.app, { info: () => {} } as never);
  const url = await listen(server);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const ask = () =>
    new Promise<string | undefined>((resolve, reject) => {
      const sent = httpRequest(`${url}/v1/recharges`, { agent }, (answer) => {
        answer.resume().once('end', () => resolve(answer.headers.connection));
      });
      sent.once('error', reject).end();
    });
  const busy = Array.from({ length: 4 }, async () => {
    for (;;) {
      const failure = await ask().then(
        () => null,
        (error: NodeJS.ErrnoException) => error.code,
      );
      if (failure !== null) return failure;
    }
  });
  await ask();
  await closeServer(server);
  // No connection is closed during a request. Each caller is refused only its next connection.
  expect(await Promise.all(busy)).toEqual(Array(4).fill('ECONNREFUSED'));
  agent.destroy();
});
