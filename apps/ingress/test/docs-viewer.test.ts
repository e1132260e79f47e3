import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openViewer, packedOnce } from '../src/docs-viewer.js';
import { type Ingress, openIngress } from './ingress.js';

let ingress: Ingress;
let page: string;

beforeAll(async () => {
  ingress = await openIngress();
  page = (await ingress.call('GET', '/docs/reference')).text;
});
afterAll(() => ingress.close());

/** The address of a file that the page loads. */
const addressOf = (name: string): string =>
  new RegExp(`(?:href|src)="(/docs/viewer/[^"]*/${name})"`).exec(page)![1]!;

/** The bytes as they were sent: fetch would unpack them unasked. */
async function sent(path: string, encoding: string): Promise<[IncomingMessage, Buffer]> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    httpGet(`${ingress.url}${path}`, { headers: { 'accept-encoding': encoding } }, resolve).once(
      'error',
      reject,
    ),
  );
  return [answer, await buffer(answer)];
}

test.each([
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['viewer.js', 'text/javascript; charset=utf-8'],
  ['viewer.css', 'text/css; charset=utf-8'],
])('%s is served from here, packed or not, to be kept', async (name, type) => {
  const [plain, bytes] = await sent(addressOf(name), 'identity');
  expect([plain.statusCode, plain.headers['content-type']]).toEqual([200, type]);
  expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(plain.headers['content-encoding']).toBeUndefined();
  const [zipped, packed] = await sent(addressOf(name), 'gzip, br');
  expect([zipped.headers['content-encoding'], zipped.headers.vary]).toEqual(['gzip', 'accept-encoding']);
  expect(gunzipSync(packed).equals(bytes)).toBe(true);
  expect(packed.length).toBeLessThan(bytes.length / 1.5);
});

test('nothing else of the package is served', async () => {
  const base = addressOf('viewer.js').replace('/viewer.js', '');
  for (const path of [
    `${base}/index.html`,
    `${base}/swagger-ui-bundle.js.map`,
    `${base}/`,
    `${base}/..%2fpackage.json`,
  ])
    expect([path, (await ingress.call('GET', path)).status]).toEqual([path, 404]);
});

test('neither the page nor what it loads names another host to load from', async () => {
  expect(page).not.toMatch(/(?:href|src)="(?:https?:)?\/\//);
  for (const name of ['viewer.js', 'viewer.css'])
    expect((await ingress.call('GET', addressOf(name))).text).not.toMatch(
      /https?:|\/\/\w+\.\w|@import|url\(/,
    );
  const styles = (await ingress.call('GET', addressOf('swagger-ui.css'))).text;
  expect(styles).not.toMatch(/@import|url\((?!["']?data:)/);
});

type Operation = {
  operationId: string;
  security: object[];
  parameters?: { name: string; example?: string }[];
};
type Told = Readonly<{
  spec: {
    servers: unknown;
    paths: Record<string, Record<string, Operation>>;
    components: {
      securitySchemes: object;
      responses: Record<string, { description: string; content?: object }>;
    };
  };
  validatorUrl: unknown;
  supportedSubmitMethods?: string[];
  persistAuthorization?: boolean;
  plugins: { wrapComponents?: object }[];
}>;

/** What our script tells Swagger UI when the page stands at an address of its own. */
async function told(mayTry: 'on' | 'off'): Promise<Told> {
  const script = readFileSync(join(import.meta.dirname, '../assets/viewer.js'), 'utf8');
  const heard: Told[] = [];
  const browser = {
    document: {
      getElementById: () => ({ dataset: { try: mayTry } }),
      documentElement: { classList: { toggle: () => false } },
    },
    fetch: (path: string) => fetch(`${ingress.url}${path}`),
    location: { origin: 'http://docs.example:1' },
    matchMedia: () => ({ matches: false, addEventListener: () => {} }),
    globalThis: { SwaggerUIBundle: (options: Told) => heard.push(options) },
  };
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  await new AsyncFunction(...Object.keys(browser), script)(...Object.values(browser));
  expect(heard).toHaveLength(1);
  return heard[0]!;
}

test('calls go where the page came from, with a bearer and a key of their own', async () => {
  const { spec, validatorUrl, supportedSubmitMethods, persistAuthorization, plugins } = await told('on');
  expect([validatorUrl, supportedSubmitMethods, persistAuthorization, plugins]).toEqual([
    null,
    undefined,
    undefined,
    [],
  ]);
  expect(spec.servers).toEqual([{ url: 'http://docs.example:1' }]);
  expect(Object.keys(spec.components.securitySchemes)).toEqual(['bearer']);
  const operations = Object.values(spec.paths).flatMap((path) => Object.values(path));
  for (const { security } of operations)
    for (const scheme of security) expect(Object.keys(scheme)).toEqual(['bearer']);
  expect(operations.filter(({ security }) => security.length > 0).length).toBeGreaterThan(7);
  const keys = operations.flatMap(({ parameters = [] }) =>
    parameters.flatMap(({ name, example }) => (name === 'Idempotency-Key' ? [example] : [])),
  );
  expect(keys.length).toBe(3);
  expect(new Set(keys).size).toBe(3);
  expect(keys.every((key) => /^[\x21-\x7e]{1,255}$/.test(key!))).toBe(true);
});

test('each problem of a route is a line that leads to its page', async () => {
  const { responses } = (await told('on')).spec.components;
  expect(Object.keys(responses).length).toBeGreaterThan(8);
  for (const { description, content } of Object.values(responses)) {
    expect(content).toBeUndefined();
    const links = [...description.matchAll(/\]\((.*?)\)/g)];
    expect(links.length).toBeGreaterThan(0);
    for (const [, link] of links)
      expect([link, (await ingress.call('GET', link!)).status]).toEqual([link, 200]);
  }
});

test('production shows the reference and sends nothing from it', async () => {
  expect(page).toContain('data-try="on"');
  expect(page).toContain('Authorize');
  const { html, below } = openViewer(false).page;
  expect(below).toContain('data-try="off"');
  expect(html).not.toContain('Authorize');
  const { supportedSubmitMethods, plugins } = await told('off');
  expect(supportedSubmitMethods).toEqual([]);
  expect(Object.keys(plugins[0]!.wrapComponents!)).toEqual(['authorizeBtn', 'authorizeOperationBtn']);
});

test('a file that could not be read once is read again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'replenish-viewer-'));
  const file = join(folder, 'late.js');
  const packed = packedOnce(file);
  await expect(packed()).rejects.toThrow('ENOENT');
  writeFileSync(file, 'late');
  expect(gunzipSync(await packed()).toString()).toBe('late');
  rmSync(folder, { recursive: true });
  expect(gunzipSync(await packed()).toString()).toBe('late');
});
