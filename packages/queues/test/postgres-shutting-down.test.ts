import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import { openQueues, type Queues } from '../src/index.js';

let server: Server;
let queues: Queues;

/** One message of PostgreSQL's protocol 3: type, length, body. */
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

const authenticated = message('R', Buffer.alloc(4));
const ready = message('Z', Buffer.from('I'));
const shutDown = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, shutDown])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  queues = openQueues({
    databaseUrl: `postgresql://user:secret@127.0.0.1:${port}/db`,
    log: createLogger('test', 'silent'),
  });
});

afterAll(async () => {
  await queues.close();
  server.close();
});

test('a connection that becomes ready and ends in one packet fails its call, and does not end the process', async () => {
  for (let times = 0; times < 20; times++) {
    await expect(queues.ping()).rejects.toThrow('the queue database is away');
  }
  expect(await queues.hint('webhooks', ['01a200ef-28cf-728d-9d77-b8342ec41667'])).toBe(false);
});
