import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readConfig } from '@replenish/runtime';
import { authSettings } from '../../src/auth/settings.js';
import { refuseUnsafeConfiguration } from '../../src/server/production.js';

const main = join(import.meta.dirname, '../../dist/main.js');

/** Starts the ingress as an operator does, with these settings only. */
function start(env: Record<string, string>): { status: number | null; told: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], {
    env: { NODE_ENV: 'production', METRICS_PORT: '0', INGRESS_PORT: '0', REPLENISH_DIR: '/nowhere', ...env },
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, told: stdout + stderr };
}

test('production without settings lists all missing settings together', () => {
  const { status, told } = start({});
  expect({ status, told }).toEqual({ status: 78, told });
  for (const missing of [/TLS_CERT_FILE[^\n]*TRUST_PROXY/, /DATABASE_URL/, /MASTER_KEYS/])
    expect(told).toMatch(missing);
  expect(told).not.toMatch(/\bat .*\.js:\d+/);
});

test('a proxy that is not an address is listed among the faults', () => {
  const { status, told } = start({ TRUST_PROXY: '10.0.0.0/33', OAUTH_ISSUER: 'https://id.example' });
  expect({ status, told }).toEqual({ status: 78, told });
  expect(told).toMatch(/TRUST_PROXY: .*10\.0\.0\.0\/33/);
  expect(told).toMatch(/OAUTH_ISSUER/);
  expect(told).not.toMatch(/\bat .*\.js:\d+/);
});

const proxies = (given: string) => authSettings(readConfig({ TRUST_PROXY: given })).trustProxy;

test.each([
  '1',
  'a',
  'fe',
  '1.2.3',
  '10.0.0.0/33',
  'fd00::/129',
  '10.0.0.0/8,',
  ',',
  '10.0.0.1 10.0.0.2',
  '::1/x',
])('TRUST_PROXY %j is refused by name', (given) => expect(() => proxies(given)).toThrow(/TRUST_PROXY/));

test.each([
  ['127.0.0.1', ['127.0.0.1']],
  ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
])('TRUST_PROXY %j names proxies', (given, list) => expect(proxies(given)).toEqual(list));

const isRefused = (given: string): boolean => {
  try {
    refuseUnsafeConfiguration(readConfig({ NODE_ENV: 'production', TRUST_PROXY: given }));
    return false;
  } catch {
    return true;
  }
};

test.each([
  ...['true', '0.0.0.0/0', '::/0', '::/00', '10.0.0.0/8,0.0.0.0/0', '::ffff:0:0/96', '0.0.0.0/0.0.0.0'],
  ...['0.0.0.0/1,128.0.0.0/1', '0.0.0.0/1', '128.0.0.0/1', '::/1,8000::/1', '2000::/3'],
])('production refuses TRUST_PROXY %s, which is every address', (given) =>
  expect(isRefused(given)).toBe(true),
);

test.each(['10.0.0.0/8', '172.16.0.0/12,192.168.0.0/16', 'fd00::/8', '104.16.0.0/13,2606:4700::/32', '::1'])(
  'production accepts TRUST_PROXY %s, which is some addresses',
  (given) => expect(isRefused(given)).toBe(false),
);
