import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type Script, says } from './scripted-server.js';

const MB = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };

/** Sends the chunk `count` times, as fast as the client takes it. */
const repeats =
  (count: number, chunk: Buffer, headers: Record<string, string> = {}, status = 200): Script =>
  (response) => {
    response.writeHead(status, { ...JSON_TYPE, ...headers });
    const body = Readable.from(Array.from({ length: count }, () => chunk));
    response.on('close', () => body.destroy());
    body.pipe(response);
  };

/** 500 MB of spaces in half a megabyte: the members of a gzip file may follow each other. */
const bomb = (): Script => repeats(50, gzipSync(Buffer.alloc(10 * MB, ' ')), { 'content-encoding': 'gzip' });

/** Sends a byte from time to time, for as long as the client stays. */
export const drips: Script = (response) => {
  response.writeHead(200, JSON_TYPE);
  const drip = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(drip));
};

const breaksOff: Script = (response) => {
  response.writeHead(200, { 'content-length': '100' }).write('{"id"', () => response.socket?.destroy());
};

const notUtf8: Script = (response) => response.writeHead(200, JSON_TYPE).end(Buffer.from([0x22, 0xff, 0x22]));

/** Answers that prove nothing about an order. */
export const hostileAnswers: Readonly<Record<string, Script>> = {
  'HTML under 200': says(200, '<html><body>Down for maintenance</body></html>'),
  'an empty 200': says(200, ''),
  'a 204': (response) => response.writeHead(204).end(),
  'truncated JSON': says(200, '{"id":"x","amount":49'),
  'another schema': says(200, { result: { ok: true, rows: [] } }),
  'JSON null': says(200, 'null'),
  'a JSON text': says(200, '"ok"'),
  'a JSON number': says(200, '0'),
  'a JSON true': says(200, 'true'),
  'an empty list': says(200, '[]'),
  'bytes that are not UTF-8': notUtf8,
  'a body that breaks off': breaksOff,
  '100 MB': repeats(100, Buffer.alloc(MB, ' ')),
  '100 MB under 500': repeats(100, Buffer.alloc(MB, ' '), {}, 500),
  'a gzip bomb': bomb(),
  'an unknown encoding': says(200, '{}', { 'content-encoding': 'rot13' }),
  'a 429 of a proxy': says(429, '<html>'),
};
