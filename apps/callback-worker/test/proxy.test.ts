import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addressesOf } from '@replenish/runtime';
import { type NameServer, openNameServer } from '@replenish/testing';
import { poster } from '../src/post.js';

const PUBLIC = '198.41.0.4';
const PUBLIC_SIX = '2606:2800:220:1:248:1893:25c8:1946';

let names: NameServer;
let proxy: Server;
/** The end of the tunnel. It has no certificate, so it hears the name that TLS asks for and nothing else. */
let end: TlsServer;
let asked: string[];
let servedNames: string[];

beforeAll(async () => {
  names = await openNameServer({
    'public.example.com': { a: [[PUBLIC]] },
    'six.example.com': { aaaa: [[PUBLIC_SIX]] },
    'turning.example.com': { a: [[PUBLIC], ['127.0.0.1']] },
    'mixed.example.com': { a: [[PUBLIC, '10.0.0.1']] },
    'metadata.example.com': { a: [['169.254.169.254']] },
  });
  end = createTlsServer({
    SNICallback: (name, done) => {
      servedNames.push(name);
      done(new Error('no certificate'));
    },
  });
  end.on('tlsClientError', () => {});
  proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    end.emit('connection', socket);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});
afterAll(() => {
  names.close();
  proxy.closeAllConnections();
  proxy.close();
});
beforeEach(() => {
  asked = [];
  servedNames = [];
});

const send = (url: string) => {
  const post = poster({
    ...{ allowed: new Set<string>(), timeoutMs: 2_000 },
    proxyUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    resolve: (host, signal) => addressesOf(host, signal, [names.address]),
  });
  return post({ url, headers: {}, body: '{"amount":1}' }, new AbortController().signal);
};

test.each([
  ['public.example.com', PUBLIC],
  ['six.example.com', `[${PUBLIC_SIX}]`],
])(
  'the proxy gets the judged address of %s and not its name, and TLS asks for the name',
  async (name, address) => {
    expect(await send(`https://${name}:8443/hook`)).toMatchObject({ httpStatus: null });
    expect([asked, servedNames]).toEqual([[`CONNECT ${address}:8443`], [name]]);
  },
);

test('a name that turns from a public address to a private one is asked for once per post', async () => {
  await send('https://turning.example.com/');
  expect([asked, names.asked('turning.example.com')]).toEqual([[`CONNECT ${PUBLIC}:443`], 1]);
  expect(await send('https://turning.example.com/')).toMatchObject({
    error: expect.stringContaining('private network'),
  });
  expect(asked).toHaveLength(1);
});

test.each([
  ...['https://mixed.example.com/', 'https://metadata.example.com/latest/', 'https://127.0.0.1/'],
  ...[
    'https://[::1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://localhost/',
    'http://public.example.com/',
  ],
  ...['https://user@public.example.com/', 'https://public.example.com:22/', 'file:///etc/passwd'],
])('the proxy is not asked for %s', async (url) => {
  expect(await send(url)).toMatchObject({
    httpStatus: null,
    error: expect.stringMatching(/^the (URL|name) /),
  });
  expect(asked).toEqual([]);
});
