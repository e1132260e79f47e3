import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDomain } from '@replenish/domain';
import { hashPassword, readConfig, verifyPassword } from '@replenish/runtime';
import { createDatabase, type TestDatabase } from '@replenish/testing';
import { requirePrivateLine } from '../src/people/private-line.js';
import { cheapHash, PASSWORD } from './served.js';

const MAIN = join(import.meta.dirname, '../dist/main.js');

let database: TestDatabase;
let emptyDir: string;

beforeAll(async () => {
  database = await createDatabase();
  emptyDir = await mkdtemp(join(tmpdir(), 'dashboard-'));
});
afterAll(async () => {
  await database.release();
  await rm(emptyDir, { recursive: true });
});

function start(own: Record<string, string>) {
  const env = {
    PATH: process.env.PATH,
    REPLENISH_DIR: emptyDir,
    DATABASE_URL: database.url,
    DASHBOARD_PORT: '0',
    METRICS_PORT: '0',
    ...own,
  };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const ready = async () => {
    while (!/"msg":"ready: /.test(output)) await once(child.stdout, 'data');
    const line = JSON.parse(output.split('\n').find((it) => it.includes('"msg":"ready: '))!);
    return { url: line.msg.replace('ready: ', ''), metrics: `http://127.0.0.1:${line.metricsPort}` };
  };
  return { child, ready, output: () => output };
}

test.each<[refusal: RegExp | null, env: Record<string, string>]>([
  [/in the clear/, { NODE_ENV: 'production', DASHBOARD_HOST: '0.0.0.0' }],
  [null, { DASHBOARD_HOST: '0.0.0.0' }],
  [null, { NODE_ENV: 'production', DASHBOARD_HOST: '0.0.0.0', TRUST_PROXY: '10.0.0.0/8' }],
  [null, { NODE_ENV: 'production', DASHBOARD_HOST: '127.0.0.1' }],
  [null, { NODE_ENV: 'production', DASHBOARD_HOST: '::1' }],
])('the address is refused with %s (null: accepted): %j', (refusal, env) => {
  const require = () => requirePrivateLine(readConfig({ REPLENISH_DIR: emptyDir, ...env }));
  if (refusal) expect(require).toThrow(refusal);
  else expect(require()).toBeUndefined();
});

test('the process serves, becomes ready, counts the queues, and ends on SIGTERM', async () => {
  const domain = openDomain({ databaseUrl: database.url, reconcileAfterMs: 1_000, providerTimeoutMs: 1_000 });
  const person = { name: 'ada', role: 'viewer' as const, passwordHash: cheapHash(PASSWORD) };
  await domain.operators.create(person, { actor: 'test', role: 'command_line' });
  await domain.close();
  const { child, ready } = start({});
  const { url, metrics } = await ready();
  const login = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'ada', password: PASSWORD }),
    redirect: 'manual',
  });
  const readiness = await fetch(`${metrics}/readyz`);
  const counted = await (await fetch(`${metrics}/metrics`)).text();
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  expect([login.status, readiness.status, code]).toEqual([303, 200, 0]);
  expect(counted).toMatch(/replenish_queue_depth\{queue="webhooks",state="failed",process="dashboard"\} 0/);
});

test('a hash matches only its password, and two hashes of a password differ', async () => {
  const [one, other] = await Promise.all([hashPassword(PASSWORD), hashPassword(PASSWORD)]);
  expect(one).toMatch(/^scrypt\$131072\$8\$1\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
  expect(one).not.toBe(other);
  expect([await verifyPassword(PASSWORD, one), await verifyPassword('correct horsf', one)]).toEqual([
    true,
    false,
  ]);
});

test.each(['', 'scrypt$', 'scrypt$1024$8$1$c2FsdHNhbHRzYWx0c2FsdA==$short', 'plain'])(
  'the malformed hash "%s" throws',
  async (hash) => {
    await expect(verifyPassword(PASSWORD, hash)).rejects.toThrow(/must look like/);
  },
);
