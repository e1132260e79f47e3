import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { privateRedis, until } from '@replenish/testing';
import pg from 'pg';
import { Ground, type Launcher } from '../support/launcher.js';

jest.setTimeout(300_000);

const REPLENISH = join(import.meta.dirname, '../../bin/replenish.mjs');
const ground = new Ground();
let launcher: Launcher;

const started = async (): Promise<Launcher> => {
  const one = ground.start(REPLENISH, 'start');
  await one.says('Ctrl-C ends it.', 120_000);
  return one;
};

beforeAll(async () => {
  await ground.prepare();
  if (process.env.REDIS_URL) ground.env.REDIS_URL = await privateRedis(process.env.REDIS_URL);
  launcher = await started();
});

afterAll(() => ground.clear());

const ingress = (): string => `http://127.0.0.1:${ground.env.INGRESS_PORT}`;

test('the printed curl line recharges an account', async () => {
  const curl = launcher.output.split('\n').find((line) => line.startsWith('curl '));
  const done = spawnSync('sh', ['-c', curl!], { encoding: 'utf8' });
  const { transactionId } = JSON.parse(done.stdout) as { transactionId: string };
  const authorization = /Authorization: (Bearer [^']+)/.exec(curl!)![1]!;
  const state = async () => {
    const answer = await fetch(`${ingress()}/v1/recharges/${transactionId}`, { headers: { authorization } });
    return ((await answer.json()) as { state: string }).state;
  };
  await until(async () => (await state()) === 'SUCCEEDED', { limitMs: 20_000 }, `${transactionId} SUCCEEDED`);
});

test('the demo finds a running fleet on other ports than those of its environment', () => {
  const { INGRESS_PORT: _, ...env } = ground.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [REPLENISH, 'demo'], {
    encoding: 'utf8',
    env,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^POST \/v1\/recharges/);
  const times = [...stdout.matchAll(/^ {2}\+ *(\d+) ms/gm)].map(([, ms]) => Number(ms));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('every process reports that it is ready and needs little memory', () => {
  const names = [
    'sandbox',
    'ingress',
    'submission-worker',
    'webhook-worker',
    'reconciliation-worker',
    'automation-worker',
    'callback-worker',
    'dashboard',
  ];
  for (const name of names) expect(launcher.output).toMatch(new RegExp(`^ {2}${name} +ready `, 'm'));
  const nodes = ground
    .leftovers()
    .filter((line) => line.includes('dist/main.js') || line.includes('replenish.mjs'));
  expect(nodes).toHaveLength(names.length + 1);
  for (const line of nodes) {
    const status = readFileSync(`/proc/${line.split(' ')[0]}/status`, 'utf8');
    const rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    expect({ line, isSmall: rssMb < 200 }).toEqual({ line, isSmall: true });
  }
});

test('the processes have a role that owns nothing; the command line has the owner, who may migrate', async () => {
  const { DATABASE_URL } = JSON.parse(readFileSync(join(ground.dir, 'env.json'), 'utf8')) as {
    DATABASE_URL: string;
  };
  const client = new pg.Client(DATABASE_URL);
  await client.connect();
  const { rows } = await client.query<{ role: string; isOwner: boolean }>(
    `select distinct usename::text as role, pg_has_role(usename, relowner, 'usage') as "isOwner"
      from pg_stat_activity, pg_class
      where relname = 'ledger_entry' and datname = current_database() and pid <> pg_backend_pid()
        and usename is not null`,
  );
  await client.end();
  expect(rows).toEqual([{ role: 'replenish_app', isOwner: false }]);
  const env = { PATH: process.env.PATH, REPLENISH_DIR: ground.dir };
  const migrated = spawnSync(process.execPath, [REPLENISH, 'migrate'], { encoding: 'utf8', env });
  expect(migrated).toMatchObject({ status: 0, stdout: 'nothing to apply\n' });
});

test('a killed ingress is started again', async () => {
  const [pid] = ground
    .leftovers()
    .find((line) => line.includes('apps/ingress/'))!
    .split(' ');
  process.kill(Number(pid), 'SIGKILL');
  await launcher.says(/ingress +ended {2}\(SIGKILL\)/);
  const isBack = async () => (await fetch(`${ingress()}/readyz`)).status === 200;
  await until(isBack, { limitMs: 20_000 }, 'an ingress that is ready again');
});

test('after kill -9 no process is left and the next start works; SIGTERM ends it', async () => {
  launcher.signal('SIGKILL');
  await ground.nothingLeft(90_000);
  const next = await started();
  expect(next.output).toContain(/demo key +(\S+)/.exec(launcher.output)![1]!);
  const signalledAt = Date.now();
  next.signal('SIGTERM');
  expect(await next.ended()).toBe(0);
  expect(Date.now() - signalledAt).toBeLessThan(120_000);
  expect(ground.leftovers()).toEqual([]);
});
