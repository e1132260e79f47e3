import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { bearer, freePort } from '@replenish/testing';
import { here } from './checkout.mjs';
import { cpuMsOf, startProcess } from './processes.mjs';

// The same flags as in `npm start`. Together with MALLOC_ARENA_MAX below they keep each of six processes below 200 MB.
const EXEC_ARGV = ['--max-semi-space-size=16', '--max-old-space-size=256'];

export const INGRESS = ['ingress'];
export const FLEET = ['sandbox', 'ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'];

/**
 * Starts the processes of a checkout on one database, with the settings of `npm start` and without crash points.
 * @param queue redis or postgres
 * @param label name of the measurement, for the names of profiles
 * @param settings additional environment variables
 * @param scopes scopes of the API key that is created
 */
export async function startProduct({
  ground,
  checkout = here,
  database,
  queue,
  names,
  label,
  settings = {},
  scopes = ['recharges:write'],
}) {
  const env = { ...(await environment({ ground, checkout, database, queue })), ...settings };
  const processes = [];
  for (const name of names) {
    const entry = join(checkout.dir, 'apps', name, 'dist/main.js');
    const execArgv = [...EXEC_ARGV, ...ground.profiles.flags(`${label}-${name}-${queue}`)];
    processes.push(await startProcess({ name, entry, env, execArgv, logsDir: ground.logsDir }));
  }
  const key = await newKey(checkout, env, { name: 'bench', scopes });
  return {
    key,
    env,
    url: env.PUBLIC_URL,
    sandboxUrl: `http://127.0.0.1:${env.SANDBOX_PORT}`,
    authorization: bearer(key),
    processes,
    cpuMs: () => processes.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0),
    cpuMsEach: () => Object.fromEntries(processes.map(({ name, pid }) => [name, cpuMsOf(pid)])),
    deaths: () => processes.filter((one) => !one.isAlive()).map(({ name }) => name),
    stop: () => Promise.all(processes.map((one) => one.stop())),
  };
}

/** Creates a client with a key of these scopes for all accounts. */
export async function newKey(
  checkout,
  { DATABASE_URL: databaseUrl, MASTER_KEYS: masterKeys },
  { name, scopes },
) {
  const domain = checkout.openDomain({
    databaseUrl,
    masterKeys,
    poolMax: 2,
    reconcileAfterMs: 1_000,
    providerTimeoutMs: 1_000,
  });
  try {
    return await domain.clients.create({
      name,
      env: 'test',
      scopes,
      accounts: ['*'],
    });
  } finally {
    await domain.close();
  }
}

async function environment({ ground, checkout, database, queue }) {
  const dir = mkdtempSync(join(ground.dir, 'fleet-'));
  const ports = new Set();
  while (ports.size < 5) ports.add(await freePort());
  const [ingress, sandbox, alibaba, alipay, stripe] = ports;
  return {
    PATH: process.env.PATH,
    MALLOC_ARENA_MAX: '2',
    REPLENISH_DIR: dir,
    DATABASE_URL: database.url,
    ...(queue === 'redis' && { REDIS_URL: ground.redisUrlOf(checkout) }),
    INGRESS_PORT: String(ingress),
    SANDBOX_PORT: String(sandbox),
    SANDBOX_ALIBABA_PORT: String(alibaba),
    SANDBOX_ALIPAY_PORT: String(alipay),
    SANDBOX_STRIPE_PORT: String(stripe),
    SANDBOX_DATA_DIR: join(dir, 'sandbox'),
    SANDBOX_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
    PUBLIC_URL: `http://127.0.0.1:${ingress}`,
    MASTER_KEYS: `bench:${randomBytes(32).toString('base64')}`,
    METRICS_PORT: '0',
    // The benchmark must not be refused as overload. Its 64 connections are no overload, but other load can stop the
    // machine for half a second.
    OVERLOAD_DELAY_MS: '60000',
  };
}
