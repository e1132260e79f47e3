import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Answer, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;

beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

const get = (path: string, accept?: string, method = 'GET'): Promise<Answer> =>
  ingress.call(method, path, accept === undefined ? {} : { headers: { accept } });

/** Accept headers of browsers that open an address. */
const browsers = {
  Chromium:
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
  Firefox: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  Safari: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  Lynx: 'text/html, text/plain, text/css, text/sgml, */*;q=0.01',
};

test.each(Object.entries(browsers))(
  '%s gets a problem as a page with the same texts',
  async (_name, accept) => {
    for (const [path, status, code] of [
      ['/nowhere', 404, 'NOT_FOUND'],
      ['/docs/nope', 404, 'NOT_FOUND'],
      ['/v1/recharges', 401, 'UNAUTHENTICATED'],
      ['/v1/recharges/%zz', 400, 'INVALID_ARGUMENT'],
    ] as const) {
      const { status: heard, headers, text } = await get(path, accept);
      expect([path, heard, headers.get('content-type')]).toEqual([path, status, 'text/html; charset=utf-8']);
      expect(headers.get('vary')).toContain('accept');
      expect(headers.get('cache-control')).toBe('no-store');
      for (const words of [code, headers.get('x-correlation-id')!, '<html lang="en">', '/docs/errors/'])
        expect(text).toContain(words);
    }
  },
);

test('at / a browser is led to the documentation, and a program gets a problem', async () => {
  const answer = await fetch(ingress.url, { headers: { accept: browsers.Firefox }, redirect: 'manual' });
  expect([answer.status, answer.headers.get('location')]).toEqual([302, '/docs']);
  expect((await get('/', browsers.Firefox)).text).toContain('Quick start');
  for (const accept of ['application/json', '*/*', undefined])
    expectProblem(await get('/', accept), 404, 'NOT_FOUND');
});

test.each([
  undefined,
  '*/*',
  'application/json',
  'application/problem+json',
  'application/json, text/plain, */*',
  'application/json, text/html;q=0.9',
  'text/plain',
  'application/xml;q=0.5, application/json',
])('a program that accepts %j gets JSON', async (accept) => {
  expectProblem(await get('/nowhere', accept), 404, 'NOT_FOUND');
});

test.each([
  'application/xml',
  'text/xml',
  'application/problem+xml',
  'application/xml, text/html;q=0.9',
  'application/xml, application/json;q=0.9',
])('a program that prefers XML by %j gets XML', async (accept) => {
  const { status, headers } = await get('/nowhere', accept);
  expect([status, headers.get('content-type')]).toEqual([404, 'application/problem+xml']);
});

test('a browser with a key gets JSON and not XML', async () => {
  const key = await ingress.client();
  const { status, headers } = await ingress.call('GET', '/v1/recharges', {
    key,
    headers: { accept: browsers.Chromium },
  });
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
});

test('the page of a problem shows the request as text and may load its style sheet only', async () => {
  const { text, headers } = await get('/%3Cscript%3Ealert(1)%3C/script%3E', browsers.Firefox);
  expect(text).not.toContain('<script');
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none';frame-ancestors 'none';style-src 'self';img-src data:",
  );
});

test('with a public address the type of a problem is an absolute address', async () => {
  const known = await openIngress({ publicUrl: 'https://pay.example' });
  try {
    const { body } = await known.call('GET', '/nowhere');
    expect(body.type).toBe('https://pay.example/docs/errors/NOT_FOUND');
    const page = await known.call('GET', '/nowhere', { headers: { accept: browsers.Firefox } });
    expect(page.text).toContain('href="https://pay.example/docs/errors/NOT_FOUND"');
  } finally {
    await known.close();
  }
});
