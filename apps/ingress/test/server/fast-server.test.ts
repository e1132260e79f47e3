import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createFastServer } from '@replenish/runtime';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { closeServer, serverLimits } from '../../src/server/server.js';
import { listen } from '../support/ingress.js';
import { sendBytes } from '../support/problem.js';

/** An Express app that uses the parts which depend on the classes of request and response. */
function buildProbe(): Express {
  const app = express();
  app.use(express.json({ limit: '1kb' }));
  app.all('/seen', (request, response) => {
    response
      .status(201)
      .set('x-seen', request.get('X-Given') ?? 'none')
      .json({
        method: request.method,
        path: request.path,
        query: request.query,
        ip: request.ip,
        protocol: request.protocol,
        isJson: request.is('json'),
        accepts: request.accepts(['json', 'text']),
        body: request.body,
        headersSent: response.headersSent,
      });
  });
  app.get('/sent', (_request, response) => void response.type('text').send('text'));
  app.get('/moved', (_request, response) => void response.redirect(307, '/seen'));
  app.get('/streamed', (_request, response) => {
    response.write('one ');
    response.end('two');
  });
  app.get('/thrown', () => {
    throw new Error('thrown');
  });
  app.get('/rejected', () => Promise.reject(Object.assign(new Error('rejected'), { status: 418 })));
  const answer: ErrorRequestHandler = (error, _request, response, _next) =>
    void response.status(error.status ?? 500).json({ message: error.message, type: error.type });
  app.use(answer);
  return app;
}

const plain = createServer(serverLimits, buildProbe());
const fast = createFastServer(buildProbe(), serverLimits);
let urls: Readonly<Record<'plain' | 'fast', string>>;

beforeAll(async () => {
  urls = { plain: await listen(plain), fast: await listen(fast) };
});
afterAll(() => Promise.all([plain, fast].map(closeServer)));

const request = (line: string, body = '', ...headers: string[]): string =>
  [
    `${line} HTTP/1.1`,
    'Host: here',
    ...headers,
    ...(body && [`Content-Length: ${body.length}`]),
    '',
    body,
  ].join('\r\n');
const json = 'Content-Type: application/json';

test.each([
  ['req.get, res.json', request('GET /seen?a=1&b=2', '', 'X-Given: given', 'Accept: text/plain')],
  ['a JSON body', request('POST /seen', '{"a":[1,null]}', json)],
  [
    'a chunked body',
    request('POST /seen', '', json, 'Transfer-Encoding: chunked').concat('7\r\n{"a":1}\r\n0\r\n\r\n'),
  ],
  ['a broken body', request('POST /seen', '{"a":', json)],
  ['a body too large', request('POST /seen', `"${'x'.repeat(2_000)}"`, json)],
  ['a body in a strange encoding', request('POST /seen', '{}', json, 'Content-Encoding: x')],
  ['Expect: 100-continue', request('POST /seen', '{"a":1}', json, 'Expect: 100-continue')],
  ['HEAD', request('HEAD /sent')],
  ['a conditional GET', request('GET /sent', '', 'If-None-Match: *')],
  ['res.send', request('GET /sent')],
  ['a redirect', request('GET /moved')],
  ['a stream', request('GET /streamed')],
  ['a throw', request('GET /thrown')],
  ['a rejection', request('GET /rejected')],
  ['nothing there', request('GET /nowhere')],
  ['a path that is none', request('GET /%zz')],
  ['no method of HTTP', request('GRAB /seen')],
  ['HTTP/1.0', 'GET /seen HTTP/1.0\r\n\r\n'],
  ['headers too large', request('GET /seen', '', `X-Given: ${'x'.repeat(17_000)}`)],
  ['no HTTP', 'hello\r\n\r\n'],
])('both servers answer the same to %s', async (_what, bytes) => {
  // The next request shows whether both servers keep the connection open.
  const sent = bytes + request('GET /seen', '', 'Connection: close');
  const [slow, quick] = await Promise.all([urls.plain, urls.fast].map((url) => sendBytes(url, sent)));
  const comparable = (answer: string) => answer.replace(/^Date: .*$/gm, 'Date:');
  expect(quick).toMatch(/^HTTP\/1\.1 \d{3} /);
  expect(comparable(quick!)).toBe(comparable(slow!));
});

test('a hundred requests use one kept-alive connection', async () => {
  let connections = 0;
  fast.on('connection', () => connections++);
  const sent = request('GET /seen').repeat(99) + request('GET /seen', '', 'Connection: close');
  const answer = await sendBytes(urls.fast, sent);
  expect([answer.match(/HTTP\/1\.1 201 Created/g)?.length, connections]).toEqual([100, 1]);
});

test('requests and responses are created with the prototypes of Express', async () => {
  const app = express();
  const born: unknown[] = [];
  const answerBare = Object.assign(
    (request: IncomingMessage, response: ServerResponse) => {
      born.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
      response.end('bare');
    },
    { request: app.request, response: app.response },
  );
  const server = createFastServer(answerBare);
  const url = await listen(server);
  expect(await sendBytes(url, request('GET /', '', 'Connection: close'))).toContain('bare');
  await closeServer(server);
  expect([born[0] === app.request, born[1] === app.response]).toEqual([true, true]);
});

test('the server has the configured limits', () => {
  expect(fast).toMatchObject({ headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 75_000 });
});
