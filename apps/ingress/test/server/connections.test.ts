import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { get as getSecure, Agent as SecureAgent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createLogger, openRegistry, type TlsOptions } from '@replenish/runtime';
import { until } from '@replenish/testing';
import express from 'express';
import { watchConnections } from '../../src/server/connections.js';
import { closeServer, createIngressServer } from '../../src/server/server.js';
import { listen } from '../support/ingress.js';
import { openWire, statusesOf } from '../support/wire.js';

const MAX = 20;
const wire = openWire();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  wire.drop();
  for (const close of closers.splice(0)) await close();
});

let tls: TlsOptions;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'replenish-connections-'));
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const files = ['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=localhost'];
  execFileSync('openssl', ['req', '-x509', ...made, ...files], { cwd: folder, stdio: 'pipe' });
  tls = { cert: readFileSync(join(folder, 'cert.pem')), key: readFileSync(join(folder, 'key.pem')) };
  rmSync(folder, { recursive: true });
});

/** A server with a small limit of connections. It holds requests to /held and answers all others immediately. */
async function open(wishes: { tls?: TlsOptions; keepAliveMs?: number; takenWithinMs?: number } = {}) {
  const registry = openRegistry('ingress');
  const app = express();
  app.get('/held', () => {});
  app.get('/large', (_request, response) => void response.end(Buffer.alloc(50_000_000)));
  app.get('/', (_request, response) => void response.end('here'));
  const server = createIngressServer(app, createLogger('test', 'silent'), wishes);
  watchConnections(server, {
    max: MAX,
    registry,
    ...(wishes.takenWithinMs && { takenWithinMs: wishes.takenWithinMs }),
  });
  const address = await listen(server);
  const agent = wishes.tls ? new SecureAgent({ keepAlive: false }) : new Agent({ keepAlive: false });
  const ask = async (): Promise<number> => {
    const options = { agent, rejectUnauthorized: false };
    const url = wishes.tls ? address.replace('http:', 'https:') : address;
    const [response] = await once((wishes.tls ? getSecure : get)(url, options), 'response');
    response.resume();
    return response.statusCode;
  };
  const closed = async (reason: string) =>
    (await registry.getSingleMetric('replenish_connections_closed_total')!.get()).values.find(
      ({ labels }) => (labels as Record<string, string>).reason === reason,
    )?.value ?? 0;
  closers.push(() => closeServer(server));
  return { url: address, ask, closed, server };
}

const openAll = (url: string) => Promise.all(Array.from({ length: MAX }, () => wire.open(url)));

// After this time a connection counts as idle.
const settle = () => sleep(1_100);

test.each([
  ['that say nothing', ''],
  ['whose headers do not end', 'GET / HTTP/1.1\r\nhost: x\r\n'],
  ['that had their answer', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
])('connections %s do not block others', async (_, text) => {
  const { url, ask, closed } = await open();
  for (const { socket } of await openAll(url)) socket.write(text);
  await settle();
  for (let n = 0; n < 5; n++) expect(await ask()).toBe(200);
  expect([await closed('idle'), await closed('refused')]).toEqual([expect.any(Number), 0]);
  expect(await closed('idle')).toBeGreaterThan(0);
});

test.each([
  ['unfinished handshakes', ''],
  ['handshakes that are nonsense', '\x16\x03\x01'],
])('%s of TLS do not block others', async (_, text) => {
  const { url, ask } = await open({ tls });
  for (const { socket } of await openAll(url)) socket.write(text);
  await settle();
  for (let n = 0; n < 5; n++) expect(await ask()).toBe(200);
});

test('of used idle connections the one with the longest idle time is closed', async () => {
  const { url, ask } = await open();
  const all = await openAll(url);
  const use = async (nth: number) => {
    const before = statusesOf(all[nth]!.heard()).length;
    all[nth]!.socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => statusesOf(all[nth]!.heard()).length > before, { limitMs: 30_000 }, 'an answer');
  };
  for (const nth of all.keys()) await use(nth);
  await use(0);
  await settle();
  expect(await ask()).toBe(200);
  await all[1]!.cut;
  expect(all.filter(({ socket }) => socket.closed)).toHaveLength(1);
});

test('when all connections are busy a new one is closed at once', async () => {
  const { url, closed } = await open();
  for (const { socket } of await openAll(url)) socket.write('GET /held HTTP/1.1\r\nhost: x\r\n\r\n');
  await settle();
  await (await wire.open(url)).cut;
  expect([await closed('idle'), await closed('refused')]).toEqual([0, 1]);
});

test('a client that does not read its answer loses the connection', async () => {
  const { url, closed } = await open({ takenWithinMs: 500 });
  const { socket } = await wire.open(url);
  socket.pause();
  socket.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n');
  await until(async () => (await closed('slow')) === 1, { limitMs: 10_000 }, 'a closed connection');
  expect(await closed('slow')).toBe(1);
}, 20_000);

test('an idle connection stays open beyond the header time limit, and a stop does not wait for it', async () => {
  const { url, server } = await open();
  const { socket, heard, cut } = await wire.open(url);
  const ask = async (count: number) => {
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => statusesOf(heard()).length === count, { limitMs: 30_000 }, 'an answer');
  };
  await ask(1);
  await sleep(server.headersTimeout + 3_000);
  await ask(2);
  expect(server.keepAliveTimeout).toBeGreaterThan(60_000);
  const askedAtMs = performance.now();
  await Promise.all([closeServer(server), cut]);
  // Without the stop, the connection would stay open for the keep-alive time of more than a minute.
  expect(performance.now() - askedAtMs).toBeLessThan(30_000);
}, 70_000);

test('an idle connection is closed after the keep-alive time', async () => {
  const { url } = await open({ keepAliveMs: 1_000 });
  const { socket, cut } = await wire.open(url);
  const askedAtMs = performance.now();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  expect((await cut) - askedAtMs).toBeGreaterThan(900);
}, 10_000);

afterAll(() => wire.drop());
