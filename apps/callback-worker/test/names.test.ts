import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { addressesOf } from '@replenish/runtime';
import { type NameServer, openNameServer } from '@replenish/testing';
import { dial } from '../src/dial.js';
import { poster } from '../src/post.js';

const PUBLIC = '198.41.0.4';
let names: NameServer;
beforeAll(async () => {
  names = await openNameServer({
    'turning.example.com': { a: [[PUBLIC], ['127.0.0.1']] },
    'turned.example.com': { a: [['127.0.0.1']] },
    'mixed.example.com': { a: [[PUBLIC, '127.0.0.1']] },
    'six.example.com': { a: [[PUBLIC]], aaaa: [['::1']] },
    'metadata.example.com': { aaaa: [['fd00:ec2::254']] },
    'alias.example.com': { a: [['127.0.0.1']], alias: 'inside.example.com' },
    'public.example.com': { a: [[PUBLIC]], aaaa: [['2606:2800:220:1:248:1893:25c8:1946']] },
  });
});
afterAll(() => names.close());

type Canary = Readonly<{ host: string; port: number; server: Server; touched: () => number }>;
/** Listeners on both loopback addresses of this machine. They must see no connection. */
let canaries: Canary[];
beforeEach(async () => {
  canaries = await Promise.all(
    ['127.0.0.1', '::1'].map(async (host) => {
      let connections = 0;
      const server = createServer((socket) => {
        connections++;
        socket.destroy();
      }).listen(0, host);
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      return { host, port, server, touched: () => connections };
    }),
  );
});
afterEach(() => {
  jest.restoreAllMocks();
  for (const { server } of canaries) server.close();
});

const never = new AbortController().signal;
const resolve = (host: string, signal: AbortSignal) => addressesOf(host, signal, [names.address]);
const options = { allowed: new Set<string>(), resolve };
const send = (url: string) =>
  poster({ ...options, timeoutMs: 400 })({ url, headers: {}, body: '{"amount":1}' }, never);
const untouched = () => canaries.map(({ touched }) => touched());

/** Replaces the resolver of the system. It answers every question with this machine. */
function insideOnly(_host: string, { all }: { all?: boolean }, done: (...answer: unknown[]) => void): void {
  if (all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
}

test.each([
  'turned.example.com',
  'mixed.example.com',
  'six.example.com',
  'metadata.example.com',
  'alias.example.com',
])('%s has a private address, and is not dialled', async (name) => {
  for (const { port } of canaries)
    expect(await send(`https://${name}:${port}/`)).toMatchObject({
      httpStatus: null,
      error: expect.stringContaining('private network'),
    });
  expect(untouched()).toEqual([0, 0]);
});

test('a name that turns from a public address to a private one is asked for once per post, and then refused', async () => {
  const url = `https://turning.example.com:${canaries[0]!.port}/`;
  const { dispatcher } = await dial(url, options, never);
  expect(names.asked('turning.example.com')).toBe(1);
  // The connection asks for no name again: it goes to the address that was judged. If it asked the system, the answer
  // would be this machine.
  const ofSystem = jest.spyOn(dns, 'lookup').mockImplementation(insideOnly as never);
  const sent = dispatcher.request({
    ...{ origin: new URL(url).origin, path: '/', method: 'POST', body: '{}' },
    signal: AbortSignal.timeout(400),
  });
  await expect(sent).rejects.toThrow();
  expect(ofSystem).not.toHaveBeenCalled();
  await dispatcher.destroy();
  expect([names.asked('turning.example.com'), untouched()]).toEqual([1, [0, 0]]);
  expect(await send(url)).toMatchObject({ error: expect.stringContaining('private network') });
  expect([names.asked('turning.example.com'), untouched()]).toEqual([2, [0, 0]]);
});

test('a name with public addresses only is taken, so the server of this test is heard', async () => {
  expect(await resolve('public.example.com', never)).toEqual([PUBLIC, '2606:2800:220:1:248:1893:25c8:1946']);
  const { dispatcher } = await dial('https://public.example.com/', options, never);
  await dispatcher.destroy();
});

test('no form of a private address, of another scheme, user or port is dialled', async () => {
  const [four, six] = canaries.map(({ port }) => port);
  const forms = [
    ...[`https://127.0.0.1:${four}/`, `https://[::1]:${six}/`, `https://[::ffff:127.0.0.1]:${four}/`],
    ...[`https://2130706433:${four}/`, `https://0x7f.1:${four}/`, `https://0:${four}/`],
    ...['https://169.254.169.254/latest/', 'https://[fd00:ec2::254]/', 'https://100.64.0.1/'],
    ...[`https://[64:ff9b::7f00:1]:${four}/`, `https://user@127.0.0.1:${four}/`],
    ...[`https://user@public.example.com:${four}/`, `http://127.0.0.1:${four}/`, 'file:///etc/passwd'],
    ...[`gopher://127.0.0.1:${four}/`, 'https://public.example.com:22/', 'https://public.example.com:6379/'],
  ];
  for (const url of forms) {
    const outcome = await send(url);
    expect([url, outcome]).toMatchObject([
      url,
      { httpStatus: null, error: expect.stringMatching(/^the (URL|name) /) },
    ]);
  }
  expect(untouched()).toEqual([0, 0]);
});
