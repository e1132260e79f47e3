import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exponentOf } from '@replenish/domain/rules';
import express from 'express';
import { docsRoutes } from '../../src/docs/routes.js';
import { codes } from '../../src/http/answers/problem.js';
import { openapiDocument } from '../../src/openapi/document.js';
import { type Answer, type Ingress, listen, openIngress } from '../support/ingress.js';

let ingress: Ingress;

beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

const get = (path: string): Promise<Answer> => ingress.call('GET', path);
const linksIn = (html: string): string[] =>
  [...html.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, link]) => link!);

/** All pages that links lead to from the first one, by path. */
async function walk(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const waiting = ['/docs'];
  for (const path of waiting) {
    if (pages.has(path)) continue;
    const answer = await get(path);
    expect([path, answer.status]).toEqual([path, 200]);
    pages.set(path, answer.text);
    if (!answer.headers.get('content-type')!.startsWith('text/html')) continue;
    for (const link of linksIn(answer.text)) if (link.startsWith('/')) waiting.push(link.split('#')[0]!);
  }
  return pages;
}

test('every link and anchor has a target within the documentation', async () => {
  const pages = await walk();
  expect(pages.size).toBeGreaterThan(20);
  for (const [path, html] of pages) {
    if (!html.startsWith('<!doctype html>')) continue;
    for (const link of linksIn(html)) {
      if (link.startsWith('data:image/svg+xml,')) continue;
      expect([path, link]).toEqual([path, expect.stringMatching(/^[/#](?!\/)/)]);
      const [to, anchor] = link.split('#');
      if (anchor)
        expect([path, link, pages.get(to || path)]).toEqual([
          path,
          link,
          expect.stringContaining(`id="${anchor}"`),
        ]);
    }
    expect(html).not.toMatch(/<script(?! src=)|style="|\son\w+=|@import|url\((?!#tip)/);
    const scripts = [...html.matchAll(/<script src="(.*?)"/g)].map(([, source]) => source);
    const wanted = path === '/docs/reference' ? ['/docs/page.js', '/docs/try.js'] : ['/docs/page.js'];
    expect([path, scripts]).toEqual([path, wanted]);
    expect(html).not.toMatch(/PUBLIC_URL|DIAGRAM|>undefined|\[object O/);
  }
  expect(pages.get('/docs/style.css')).not.toMatch(/@import|url\(/);
});

test('every code has a page, and `type` of each problem is its address', async () => {
  const wanted = [...Object.keys(codes), 'PAYMENT_FAILED', 'PROVIDER_ERROR', 'TIMEOUT'];
  const list = (await get('/docs/errors')).text;
  for (const code of wanted) {
    expect(list).toContain(`href="/docs/errors/${code}"`);
    const page = await get(`/docs/errors/${code}`);
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('What to do')]);
  }
  const problem = await get('/nowhere');
  expect((await get(String(problem.body.type))).status).toBe(200);
  expect((await get('/docs/errors/NONSENSE')).status).toBe(404);
});

test('pages load only our own files and cannot be framed', async () => {
  for (const path of ['/docs', '/docs/reference', '/docs/signature']) {
    const policy = (await get(path)).headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(policy).toContain("script-src 'self';style-src 'self'");
  }
});

/** The blocks of code as plain text. */
const blocksIn = (html: string): string[] =>
  [...html.matchAll(/<pre[^>]*><code>(.*?)<\/code><\/pre>/gs)].map(([, text]) =>
    text!
      .replace(/<\/?span[^>]*>/g, '')
      .replace(/&(?:lt|gt|quot|amp|#39|#x27);/g, (entity) => characters[entity]!),
  );

const characters: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&amp;': '&',
  '&#39;': "'",
  '&#x27;': "'",
};

/** Sends the request of a curl line, with the variables of the shell filled in. */
async function pasted(line: string, variables: Record<string, string>): Promise<Answer> {
  const text = line.replace(/\$(\w+)/g, (_, name) => variables[name] ?? '');
  const headers = [...text.matchAll(/-H (['"])([\w-]+): (.*?)\1/g)].map(([, , name, value]) => [
    name!.toLowerCase(),
    value!,
  ]);
  const body = /-d '(.*?)'/s.exec(text)?.[1];
  const path = new URL(/curl .*?(['"])(.*?)\1/.exec(text)![2]!).pathname;
  return ingress.call(text.includes('-X POST') ? 'POST' : 'GET', path, {
    headers: Object.fromEntries(headers),
    ...(body && { body }),
  });
}

test.each(['/docs', '/docs/zh'])('the curl lines of the quick start at %s work as printed', async (path) => {
  const { keyId, secret } = await ingress.client();
  const [key, ask, outcome] = blocksIn((await get(path)).text);
  const variables = { KEY: /'(.*)'/.exec(key!)![1]!.replace('<key id>', keyId).replace('<secret>', secret) };
  const created = await pasted(ask!, variables);
  expect(created.status).toBe(202);
  expect((await pasted(ask!, variables)).headers.get('idempotent-replayed')).toBe('true');
  const read = await pasted(outcome!.replace('wait=30', 'wait=0'), {
    ...variables,
    ID: created.body.transactionId,
  });
  expect([read.status, read.body.transactionId]).toEqual([200, created.body.transactionId]);
});

const signed = {
  method: 'POST',
  path: '/v1/recharges',
  timestamp: '1795298400',
  nonce: 'n-1',
  body: '{"a":1}',
};
const canonical = `v1\nPOST\n/v1/recharges\n1795298400\nn-1\n015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862`;

const check = (fields: Record<string, string>): Promise<Answer> =>
  ingress.call('POST', '/docs/signature', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...signed, ...fields }).toString(),
  });

test('the signature page shows the signed text and the first difference', async () => {
  expect((await get('/docs/signature')).text).toContain('Never paste a secret');
  const same = await check({ canonical: canonical.replaceAll('\n', '\r\n') });
  expect(same.text).toContain(canonical);
  expect(same.text).toContain('the same, byte for byte');
  const other = await check({ canonical: canonical.replace('POST', 'post') });
  expect(other.text).toContain('first difference is at byte 3</mark>, in line 2');
  const short = await check({ canonical: canonical.slice(0, 20) });
  expect(short.text).toMatch(/at byte 20<.*yours has ended/);
});

test('no page says that a failed recharge moved no money, because money may come late', async () => {
  for (const [path, html] of await walk())
    expect([path, /no money moved|none moved/i.test(html)]).toEqual([path, false]);
  expect((await get('/docs')).text).toContain('mean that the account was not credited');
});

test('typed HTML is shown as text', async () => {
  const script = '"><script>alert(1)</script>';
  const answer = await check(
    Object.fromEntries(
      ['method', 'path', 'nonce', 'body', 'keyId', 'canonical', 'timestamp', 'signature'].map((name) => [
        name,
        script,
      ]),
    ),
  );
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain('<script>');
  expect(answer.text).not.toContain('alert(1)"');
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

test('each page has a skip link, marks its place in the navigation and links to its neighbours', async () => {
  const pages = await walk();
  for (const [path, html] of pages) {
    if (!html.startsWith('<!doctype html>')) continue;
    expect([path, html]).toEqual([path, expect.stringMatching(/<a class="skip" href="#content">/)]);
    expect([path, html.match(/<main/g), html.match(/<h1/g)]).toEqual([path, ['<main'], ['<h1']]);
  }
  const retries = pages.get('/docs/retries')!;
  expect(retries).toMatch(/rel="prev" href="\/docs\/states".*rel="next" href="\/docs\/payment-methods"/);
  expect(retries).toContain('<a href="/docs/retries" aria-current="page">');
  expect(retries).toContain('Replenish 0.1.0');
  expect(pages.get('/docs/authentication')).toContain('<nav class="contents"');
  expect(pages.get('/docs/zh')).toContain('<html lang="zh-CN">');
});

test('pages for operators are in a group of their own', async () => {
  const authentication = (await get('/docs/authentication')).text;
  expect(authentication).not.toMatch(/MASTER_KEYS|rekey|npx|OAUTH_/);
  expect((await get('/docs/testing')).text).toContain('metadata');
  expect((await get('/docs/operators')).text).toContain('MASTER_KEYS');
});

test('the page of currencies lists the accepted ones with their decimals', async () => {
  const { text } = await get('/docs/currencies');
  const listed = new Map(
    [
      ...text.matchAll(
        /<tr><td><code>([A-Z]{3})<\/code><\/td><td[^>]*>[^<]+<\/td><td[^>]*>(\d)<\/td><td[^>]*>(.*?)<\/td>/g,
      ),
    ].map(([, code, decimals, words]) => [code!, `${decimals}: ${words}`]),
  );
  expect(listed.size).toBeGreaterThan(140);
  expect(listed.get('USD')).toBe('2: 12.34 is 1234');
  expect(listed.get('JPY')).toBe('0: 12 is 12');
  expect(listed.get('KWD')).toBe('3: 12.340 is 12340');
  for (const [code] of listed) expect([code, exponentOf(code)]).toEqual([code, Number(listed.get(code)![0])]);
});

test('in production there is no signature page and no form for calls, and examples have the public address', async () => {
  const server = createServer(
    express().use(
      docsRoutes({
        publicUrl: 'https://pay.example',
        contract: () => openapiDocument('https://pay.example'),
        isProduction: true,
        places: [],
      }),
    ),
  );
  const url = await listen(server);
  try {
    expect((await fetch(`${url}/docs/signature`)).status).toBe(404);
    const first = await (await fetch(`${url}/docs`)).text();
    expect(first).not.toContain('/docs/signature');
    expect(first).toContain('https://pay.example/v1/recharges');
    const authentication = await (await fetch(`${url}/docs/authentication`)).text();
    expect(authentication).toContain('curl -X POST https://pay.example/v1/recharges');
    const reference = await (await fetch(`${url}/docs/reference`)).text();
    expect(reference).toContain('https://pay.example/v1/recharges');
    expect(reference).not.toMatch(/<form|try\.js/);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
