import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { readConfig } from '@replenish/runtime';
import { refuseDemoClient, refuseUnsafeConfiguration } from '../../src/server/production.js';
import { tlsOptions } from '../../src/server/tls.js';
import { bearer, type Ingress, openIngress } from '../support/ingress.js';

const folder = mkdtempSync(join(tmpdir(), 'replenish-tls-'));
const at = (name: string) => join(folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

/** Makes `<name>.key` and `<name>.pem`, signed by the CA or self-signed. */
function makeCertificate(name: string, commonName: string, ca: string | null): void {
  const subject = [
    '-subj',
    `/CN=${commonName}`,
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
  ];
  const files = ['-keyout', `${name}.key`];
  if (ca === null) {
    openssl('req', '-x509', ...subject, ...files, '-days', '2', '-out', `${name}.pem`);
    return;
  }
  writeFileSync(at(`${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  openssl('req', ...subject, ...files, '-out', `${name}.csr`);
  const signed = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-days', '2'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-extfile', `${name}.ext`, '-out', `${name}.pem`);
}

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  makeCertificate('ca', 'our CA', null);
  makeCertificate('stranger-ca', 'some CA', null);
  makeCertificate('server', 'localhost', 'ca');
  makeCertificate('shop', 'shop', 'ca');
  makeCertificate('other', 'other', 'ca');
  makeCertificate('stranger', 'shop', 'stranger-ca');
  const tls = tlsOptions({
    TLS_CERT_FILE: at('server.pem'),
    TLS_KEY_FILE: at('server.key'),
    TLS_CLIENT_CA_FILE: at('ca.pem'),
  });
  ingress = await openIngress({ protection: () => ({ mutualTls: true }), tls });
  key = await ingress.client({ name: 'shop' });
});
afterAll(async () => {
  await ingress.close();
  rmSync(folder, { recursive: true });
});

/** Status and body of a call over TLS with the client certificate of that name. */
async function ask(
  path: string,
  certificate: string | null,
  more: { method?: string; maxVersion?: 'TLSv1.1' } = {},
): Promise<[number, string]> {
  const { port } = new URL(ingress.url);
  const { promise, resolve, reject } = deferred<[number, string]>();
  const asked = request(
    {
      host: '127.0.0.1',
      port,
      path,
      method: more.method ?? 'GET',
      ca: read('ca.pem'),
      agent: false,
      headers: { authorization: bearer(key) },
      ...(certificate && { cert: read(`${certificate}.pem`), key: read(`${certificate}.key`) }),
      ...(more.maxVersion && { maxVersion: more.maxVersion, minVersion: 'TLSv1' as const }),
    },
    (response) => void text(response).then((body) => resolve([response.statusCode!, body]), reject),
  );
  asked.on('error', reject).end();
  return promise;
}

const read = (name: string): Buffer => readFileSync(at(name));

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

test("a certificate of our CA with the client's name is accepted", async () => {
  const [status, body] = await ask('/v1/recharges', 'shop');
  expect([status, JSON.parse(body)]).toEqual([200, { data: [], nextCursor: null }]);
});

test.each([
  ['no certificate', null, 401],
  ['the right name, signed by another CA', 'stranger', 401],
  ["another client's certificate", 'other', 403],
])('%s is refused', async (_, certificate, expected) => {
  const [status, body] = await ask('/v1/recharges', certificate);
  expect(status).toBe(expected);
  expect(body).toContain('certificate');
});

test('webhooks and health checks need no certificate', async () => {
  expect((await ask('/healthz', null))[0]).toBe(200);
  const [status, body] = await ask('/webhooks/sandbox', null, { method: 'POST' });
  expect([status, JSON.parse(body).detail]).toEqual([401, expect.stringContaining('signature')]);
});

test('plain HTTP and old TLS are refused on the TLS port', async () => {
  await expect(fetch(ingress.url.replace('https', 'http'))).rejects.toThrow();
  await expect(ask('/healthz', null, { maxVersion: 'TLSv1.1' })).rejects.toThrow();
});

test('without settings there is no TLS; an incomplete setting or a missing file is named', () => {
  expect(tlsOptions({})).toBeNull();
  expect(() => tlsOptions({ TLS_CERT_FILE: 'x' })).toThrow('go together');
  expect(() => tlsOptions({ TLS_CLIENT_CA_FILE: 'x' })).toThrow('go together');
  expect(() => tlsOptions({ TLS_CERT_FILE: at('none'), TLS_KEY_FILE: at('none') })).toThrow(
    /TLS_CERT_FILE: .*ENOENT/,
  );
});

test('production refuses unsafe settings and names all of them', () => {
  const refusal = (env: Record<string, string>) => {
    try {
      refuseUnsafeConfiguration(readConfig({ NODE_ENV: 'production', ...env }));
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const tls = { TLS_CERT_FILE: 'c', TLS_KEY_FILE: 'k' };
  const sandbox = { SANDBOX_WEBHOOK_SECRET: 'whsec_x' };
  expect(refusal({})).toMatch(/TLS_CERT_FILE and TLS_KEY_FILE, or TRUST_PROXY/);
  expect(refusal({ TRUST_PROXY: '10.0.0.0/8' })).toBeNull();
  expect(refusal(tls)).toBeNull();
  expect(refusal({ ...tls, ...sandbox })).toMatch(/SANDBOX_WEBHOOK_SECRET/);
  expect(refusal(sandbox)).toMatch(/TLS_CERT_FILE[\s\S]*SANDBOX_WEBHOOK_SECRET/);
  expect(refusal({ NODE_ENV: 'development', ...sandbox })).toBeNull();
  for (const everybody of ['0.0.0.0/0', '10.0.0.0/8, ::/0', '::/00,10.0.0.1'])
    expect(refusal({ TRUST_PROXY: everybody })).toMatch(/TRUST_PROXY names every address/);
  expect(refusal({ TRUST_PROXY: '10.0.0.0/10, fd00::/8' })).toBeNull();
  const issuer = (url: string) => ({ ...tls, OAUTH_JWKS_URL: url });
  expect(refusal(issuer('http://id.example/keys'))).toMatch(/OAUTH_JWKS_URL is not https/);
  expect(refusal(issuer('https://id.example/keys'))).toBeNull();
});

test('production does not start while the demo client has a valid key', async () => {
  const { clients } = ingress.domain;
  const production = { NODE_ENV: 'production' } as const;
  await refuseDemoClient(clients, production);
  const demo = await clients.create({ name: 'demo', env: 'test', scopes: [], accounts: ['*'] });
  await expect(refuseDemoClient(clients, production)).rejects.toThrow(demo.keyId);
  await refuseDemoClient(clients, { NODE_ENV: 'development' });
  await clients.revoke(demo.keyId);
  await refuseDemoClient(clients, production);
});
