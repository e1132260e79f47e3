import { spawn } from 'node:child_process';
import { randomBytes, randomUUID, scryptSync } from 'node:crypto';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { Canaries, dumpFiles, dumpRedis, dumpTables } from '../../src/books/leaks.js';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { bearer, client, withBooks } from '../../src/fleet/producer.js';
import { scenarios } from '../../src/load/load.js';
import { until } from '../../src/until.js';
import { patience, TEST_LIMIT_MS } from '../support/setting.js';
import {
  ask,
  brokenHttp,
  brokenStore,
  misplaced,
  recharge,
  type Setting,
  strangers,
  webhooks,
} from './provocations.js';

jest.setTimeout(TEST_LIMIT_MS);

const processes = [
  ...(['sandbox', 'ingress', 'submission-worker', 'webhook-worker'] as const),
  ...(['reconciliation-worker', 'dashboard'] as const),
];
const workers = processes.filter((name) => name.endsWith('worker'));
const PASSWORD = `open-${randomUUID()}`;
const ingressMain = join(resolve(import.meta.dirname, '../../../..'), 'apps/ingress/dist/main.js');

/** A password hash of the real form that takes a thousandth of the real time. */
function hashOf(password: string): string {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 128, r: 8, p: 1 });
  return `scrypt$128$8$1$${salt.toString('base64')}$${key.toString('base64')}`;
}

const canaries = new Canaries();
/** The texts of all places that a person could look at, by the name of the place. */
const seen = new Map<string, string>();
let fleet: Fleet;
let at: Setting;

beforeAll(async () => {
  fleet = await startFleet({
    processes,
    env: {
      ...patience,
      LOG_LEVEL: 'trace',
    },
  });
  const passwordHash = hashOf(canaries.plant('the password', PASSWORD));
  await withBooks(fleet, ({ operators }) =>
    operators.create({ name: 'ada', role: 'viewer', passwordHash }, { actor: 'test', role: 'command_line' }),
  );
  const db = new pg.Client({ connectionString: fleet.databaseUrl });
  await db.connect();
  at = {
    ...{ fleet, db, canaries, card: canaries.plant('a card', '4111111111111111') },
    ...{ key: await client(fleet, { allowS3: true }), answers: [], statuses: new Set<number>() },
  };
  canaries.plant('the card, as people write it', '4111 1111 1111 1111');
  canaries.plant('a secret', at.key.secret);
  canaries.plant('the secret of the webhooks', fleet.webhookSecret.replace('whsec_', ''));
  canaries.plant('the master key', fleet.masterKeys.split(':')[1]!);
  const { password } = new URL(fleet.databaseUrl);
  if (password !== '') canaries.plant("the database's password", decodeURIComponent(password));
});

afterAll(async () => {
  await at?.db.end();
  await fleet?.stop();
});

test('all kinds of errors are provoked', async () => {
  const [revoked, before] = [await client(fleet), await client(fleet)];
  const narrow = await client(fleet, {
    scopes: ['balances:read'],
    accounts: ['acct-1'],
    rateLimitPerMinute: 2,
  });
  const after = await withBooks(fleet, async ({ clients }) => {
    await clients.revoke(revoked.keyId);
    return (await clients.rotate(before.keyId))!;
  });
  for (const [what, { secret }] of Object.entries({ revoked, narrow, before, after }))
    canaries.plant(`the secret of ${what}`, secret);
  const headers = { authorization: bearer(at.key) };
  await Promise.all([
    misplaced(at),
    strangers(at, revoked, narrow),
    brokenHttp(at),
    webhooks(at),
    ...scenarios.map((scenario) =>
      ask(at, 'POST', '/v1/recharges', { headers, body: recharge({ metadata: { scenario } }) }),
    ),
    ...[before, after].map((key) =>
      ask(at, 'GET', '/v1/recharges', { headers: { authorization: bearer(key) } }),
    ),
    ask(at, 'POST', '/v1/recharges', { headers, body: recharge({ paymentMethod: 'balance' }) }),
    ...[1, 2].map((amount) =>
      ask(at, 'POST', '/v1/recharges', {
        headers: { ...headers, 'idempotency-key': 'twice' },
        body: recharge({ amount }),
      }),
    ),
    ask(at, 'POST', '/v1/recharges', { headers: { ...headers, 'content-type': 'text/plain' }, body: 'x' }),
  ]);
  await brokenStore(at);
  const met = [200, 202, 400, 401, 402, 403, 404, 413, 415, 422, 429, 500, 503];
  expect(met.filter((status) => !at.statuses.has(status))).toEqual([]);
  seen.set('answers', at.answers.join('\n'));
});

test('a process that cannot start gives a reason without its secrets', async () => {
  const short = canaries.plant('a master key that is none', randomUUID());
  const wrongPassword = canaries.plant('a wrong password of the database', randomUUID());
  const away = new URL(fleet.databaseUrl);
  away.password = wrongPassword;
  const settings = [
    { MASTER_KEYS: `a:${short}` },
    { DATABASE_URL: `mysql://root:${wrongPassword}@127.0.0.1/x` },
    { REDIS_URL: `http://:${wrongPassword}@127.0.0.1/x` },
    { SANDBOX_WEBHOOK_SECRET: `whsec_${short}!` },
    { NODE_ENV: 'production', DATABASE_URL: away.href, SANDBOX_WEBHOOK_SECRET: `whsec_${short}` },
  ];
  const said = settings.map(async (own) => {
    const env = { PATH: process.env.PATH, REPLENISH_DIR: join(fleet.dir, 'none'), METRICS_PORT: '0', ...own };
    const child = spawn(process.execPath, [ingressMain], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    return (await Promise.all([text(child.stdout), text(child.stderr)])).join('\n');
  });
  const told = await Promise.all(said);
  for (const words of told) expect(words).toMatch(/configuration|production|secret/i);
  seen.set('starts that failed', told.join('\n'));
});

/** The contents of the queues while they hold jobs. The workers are frozen meanwhile. */
test('waiting jobs are searched', async () => {
  for (const name of workers) fleet.process(name).kill('SIGSTOP');
  const headers = { authorization: bearer(at.key) };
  await ask(at, 'POST', '/v1/recharges', { headers, body: recharge({ metadata: { note: 'waits' } }) });
  await webhooks(at);
  const [row] = (
    await at.db.query<{ id: string }>('select max(transaction_id::text) as id from recharge_request')
  ).rows;
  const look = () => (fleet.redisUrl ? dumpRedis(fleet.redisUrl) : dumpTables(fleet.databaseUrl));
  const isHinted = async () => {
    const dump = await look();
    return dump.split(row!.id).length > (fleet.redisUrl ? 1 : 3) && dump;
  };
  seen.set('queues', await until(isHinted, { limitMs: 10_000 }, 'a job that waits'));
  await lookAtDashboard();
  for (const name of workers) fleet.process(name).kill('SIGCONT');
  await fleet.ready();
});

async function lookAtDashboard(): Promise<void> {
  const visit = async (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(fleet.dashboardUrl + path, { redirect: 'manual', ...init });
  const login = (password: string) =>
    visit('/login', { method: 'POST', body: new URLSearchParams({ username: 'ada', password }) });
  const pages = [await (await login(canaries.plant('a wrong password', `no-${randomUUID()}`))).text()];
  const cookie = (await login(PASSWORD)).headers.getSetCookie()[0]!.split(';')[0]!;
  canaries.plant('a session', cookie.split('=')[1]!);
  const show = async (path: string): Promise<string> => (await visit(path, { headers: { cookie } })).text();
  pages.push(await show('/queues/'));
  for (const queue of ['submission-sandbox', 'reconciliation-sandbox', 'webhooks'])
    for (const status of ['latest', 'waiting', 'active', 'failed', 'delayed', 'completed']) {
      const listed = await show(`/queues/api/queues?activeQueue=${queue}&status=${status}&page=1`);
      pages.push(listed);
      const { queues } = JSON.parse(listed) as { queues: { name: string; jobs: { id: string }[] }[] };
      for (const { id } of queues.find(({ name }) => name === queue)!.jobs.slice(0, 3))
        pages.push(await show(`/queues/api/queues/${queue}/${id}`));
    }
  seen.set('dashboard', pages.join('\n'));
}

test('no place holds a secret or a card number', async () => {
  const metrics = processes.map(async (name) => {
    const port = /"metricsPort":(\d+)/.exec(fleet.process(name).log())![1];
    return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  });
  seen.set('metrics', (await Promise.all(metrics)).join('\n'));
  seen.set('control API', await (await fetch(`${fleet.sandboxUrl}/_control/stats`)).text());
  await until(
    async () => /UNAUTHENTICATED/.test(await dumpTables(fleet.databaseUrl)),
    { limitMs: 30_000 },
    'the trail',
  );
  seen.set('database', await dumpTables(fleet.databaseUrl));
  seen.set('logs and files', dumpFiles(fleet.dir));
  // Each place must have some text. Otherwise it was not searched.
  const marks: Readonly<Record<string, string | RegExp>> = {
    answers: 'DUPLICATE_REQUEST',
    'starts that failed': 'MASTER_KEYS',
    queues: /submission-sandbox/,
    dashboard: /submission-sandbox[\s\S]*waiting/,
    metrics: /replenish_security_events_total/,
    'control API': /\d/,
    database: at.key.keyId,
    'logs and files': 'request failed',
  };
  expect([...seen.keys()].sort()).toEqual(Object.keys(marks).sort());
  for (const [place, mark] of Object.entries(marks)) expect(seen.get(place)).toMatch(mark);
  const found = [...seen].flatMap(([place, all]) => canaries.foundIn(all).map((what) => `${place}: ${what}`));
  expect(found).toEqual([]);
});

test('each line of each log is one record', () => {
  const broken = processes.flatMap((name) =>
    fleet
      .process(name)
      .log()
      .split('\n')
      .filter((line) => line !== '' && !isRecord(line))
      .map((line) => `${name}: ${line}`),
  );
  expect(broken).toEqual([]);
});

function isRecord(line: string): boolean {
  try {
    return typeof (JSON.parse(line) as { level?: unknown }).level === 'string';
  } catch {
    return false;
  }
}
