import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Ingress, openIngress } from '../support/ingress.js';
import { sendBytes } from '../support/problem.js';

let ingress: Ingress;
beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

const get = (version: string, lines: readonly string[]): Promise<string> =>
  sendBytes(
    ingress.url,
    [`GET /healthz HTTP/${version}`, ...lines, 'Connection: close', '', ''].join('\r\n'),
  );

test.each([
  ['two hosts', '1.1', ['Host: a', 'Host: b']],
  ['one host twice', '1.1', ['Host: a', 'hOST: a']],
  ['two hosts of HTTP/1.0', '1.0', ['Host: a', 'Host: b']],
  ['no host', '1.1', []],
  ['a blank in it', '1.1', ['Host: a b']],
  ['a path in it', '1.1', ['Host: a/b']],
  ['a user in it', '1.1', ['Host: u@a']],
])('%s: 400', async (_what, version, lines) => {
  const answer = await get(version, lines);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('"code":"INVALID_ARGUMENT"');
});

test.each(['a', 'a:8080', '127.0.0.1:1', '[::1]:8080', '', 'a_b.example', 'xn--a.example:'])(
  'Host %j: 200',
  async (host) => {
    expect(await get('1.1', [`Host: ${host}`])).toMatch(/^HTTP\/1\.1 200 /);
  },
);

test('HTTP/1.0 with chunks is answered, and its connection is closed', async () => {
  const head =
    'POST /v1/recharges HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n';
  const answer = await sendBytes(
    ingress.url,
    `${head}0\r\n\r\nGET /healthz HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n`,
  );
  expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  expect(answer).toMatch(/connection: close/i);
});
