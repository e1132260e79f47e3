import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import type { Logger } from '@replenish/runtime';
import express from 'express';
import { sendStream } from '../../src/http/answers/stream.js';
import { atEnd, openCall } from '../../src/http/call.js';
import { listen } from '../support/ingress.js';

let server: Server;
afterEach(() => void server.close());

type Seen = { ended: number; logged: object[]; made: number };

/** Serves one stream of pieces, and notes what becomes of the call. */
async function serving(pieces: (seen: Seen) => AsyncGenerator<string>): Promise<[url: string, seen: Seen]> {
  const seen: Seen = { ended: 0, logged: [], made: 0 };
  const log = { error: (fields: object) => void seen.logged.push(fields) } as unknown as Logger;
  const app = express();
  app.use((request, response) => {
    openCall(request, response, 'c-1');
    atEnd(response, () => void seen.ended++);
    return sendStream(response, { contentType: 'text/plain', pieces: pieces(seen) }, log);
  });
  server = createServer(app);
  return [await listen(server), seen];
}

test('a body that fails behind its beginning is cut off, logged, and ends its call', async () => {
  const [url, seen] = await serving(async function* () {
    yield 'first';
    throw new Error('the database is gone');
  });
  const response = await fetch(url);
  expect([response.status, response.headers.get('x-correlation-id')]).toEqual([200, 'c-1']);
  await expect(response.text()).rejects.toThrow();
  expect(seen.logged).toEqual([{ err: expect.any(Error), correlationId: 'c-1' }]);
  expect(seen.ended).toBe(1);
});

test('a body is made no faster than it is read, and no longer than its reader stays', async () => {
  const piece = 'x'.repeat(100_000);
  let isOver: (value: unknown) => void;
  const over = new Promise((resolve) => {
    isOver = resolve;
  });
  const [url, seen] = await serving(async function* (noted) {
    try {
      for (; noted.made < 10_000; noted.made++) yield piece;
    } finally {
      isOver(true);
    }
  });
  const stop = new AbortController();
  const response = await fetch(url, { signal: stop.signal });
  await response.body!.getReader().read();
  const [connection] = [once(server, 'close'), server.close()];
  stop.abort();
  await over;
  await connection;
  // All 10,000 pieces are a gigabyte. The buffers of both ends hold only some dozens of pieces.
  expect(seen.made).toBeLessThan(1_000);
  expect([seen.ended, seen.logged]).toEqual([1, []]);
});
