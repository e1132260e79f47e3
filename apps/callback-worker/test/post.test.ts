import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { poster } from '../src/post.js';

const open: (Server | ReturnType<typeof createTcpServer>)[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function listening<S extends (typeof open)[number]>(server: S): Promise<number> {
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const serving = (listener: RequestListener) => listening(createServer(listener));
const never = new AbortController().signal;

/** Posts to a port of this machine. Its private address is an exception that is allowed. */
function send(port: number, timeoutMs = 2_000) {
  const post = poster({ allowed: new Set([`127.0.0.1:${port}`]), timeoutMs });
  return post({ url: `http://127.0.0.1:${port}/hook`, headers: { 'webhook-id': 'a' }, body: '{}' }, never);
}

describe('a post', () => {
  test('arrives with 2xx only', async () => {
    for (const [status, error] of [
      [200, null],
      [204, null],
      [404, 'answered 404'],
      [503, 'answered 503'],
    ] as const) {
      const port = await serving((_, response) => response.writeHead(status).end());
      expect(await send(port)).toMatchObject({ httpStatus: status, error });
    }
  });

  test('follows no redirect', async () => {
    let isTouched = false;
    const inside = await serving((_, response) => {
      isTouched = true;
      response.end();
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const location = `http://127.0.0.1:${inside}/`;
      const port = await serving((_, response) => response.writeHead(status, { location }).end());
      expect(await send(port)).toMatchObject({
        httpStatus: status,
        error: expect.stringContaining('redirect'),
      });
    }
    expect(isTouched).toBe(false);
  });

  test('ends in time when the receiver accepts and says nothing', async () => {
    const port = await listening(createTcpServer(() => {}));
    const began = performance.now();
    expect(await send(port, 300)).toMatchObject({ httpStatus: null, error: 'no answer within 300 ms' });
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('does not wait for the end of an endless answer, and reads little of it', async () => {
    let written = 0;
    const port = await serving((_, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(1_024);
      const timer = setInterval(() => {
        written += chunk.length;
        response.write(chunk);
      }, 1);
      response.on('close', () => clearInterval(timer));
    });
    expect(await send(port, 10_000)).toMatchObject({ httpStatus: 200, error: null });
    expect(written).toBeLessThan(1_000_000);
  });

  test('reads the seconds and the date of Retry-After', async () => {
    const asking = async (header: string) => {
      const port = await serving((_, response) => response.writeHead(503, { 'retry-after': header }).end());
      return (await send(port)) as { retryAfterMs: number | null };
    };
    expect((await asking('120')).retryAfterMs).toBe(120_000);
    expect((await asking(new Date(Date.now() + 60_000).toUTCString())).retryAfterMs).toBeGreaterThan(50_000);
    expect((await asking('soon')).retryAfterMs).toBeNull();
  });

  test('tells a refused connection in words', async () => {
    const port = await serving((_, response) => response.end());
    for (const server of open.splice(0)) server.close();
    expect(await send(port)).toMatchObject({ httpStatus: null, error: 'the connection was refused' });
  });

  test('is stopped with the process, and then counts for nothing', async () => {
    const port = await listening(createTcpServer(() => {}));
    const stop = new AbortController();
    const post = poster({ allowed: new Set([`127.0.0.1:${port}`]), timeoutMs: 10_000 });
    const posted = post({ url: `http://127.0.0.1:${port}/`, headers: {}, body: '{}' }, stop.signal);
    stop.abort();
    expect(await posted).toBe('stopped');
  });
});

describe('a target that is not public', () => {
  /** A listener that must see no byte. */
  async function canary() {
    let connections = 0;
    const port = await listening(createTcpServer(() => connections++));
    return { port, touched: () => connections };
  }

  test('is not dialled by its address', async () => {
    const { port, touched } = await canary();
    const post = poster({ allowed: new Set(), timeoutMs: 1_000 });
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost']) {
      const outcome = await post({ url: `https://${host}:${port}/`, headers: {}, body: '{}' }, never);
      expect(outcome).toMatchObject({ httpStatus: null, error: expect.stringContaining('private network') });
    }
    expect(touched()).toBe(0);
  });

  test('is not dialled by a name whose address has become private', async () => {
    const { port, touched } = await canary();
    const answers = [['93.184.216.34'], ['127.0.0.1'], ['93.184.216.34', '127.0.0.1'], ['::ffff:127.0.0.1']];
    for (const addresses of answers.slice(1)) {
      const post = poster({ allowed: new Set(), timeoutMs: 1_000, resolve: async () => addresses });
      const outcome = await post(
        { url: `https://shop.example.com:${port}/`, headers: {}, body: '{}' },
        never,
      );
      expect(outcome).toMatchObject({ httpStatus: null, error: expect.stringContaining('private network') });
    }
    expect(touched()).toBe(0);
  });

  test('is not dialled by a name that gives another address to each question', async () => {
    const { port, touched } = await canary();
    let asked = 0;
    const resolve = async () => [++asked === 1 ? '198.41.0.4' : '127.0.0.1'];
    const post = poster({ allowed: new Set(), timeoutMs: 500, resolve });
    await post({ url: `https://shop.example.com:${port}/`, headers: {}, body: '{}' }, never);
    expect([asked, touched()]).toEqual([1, 0]);
  });
});
