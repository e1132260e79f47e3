import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ProcessName } from '@replenish/runtime';
import { until } from '../until.js';
import { createDatabase, type TestDatabase } from './database.js';
import { freePort } from './machine.js';
import { FleetProcess } from './process.js';
import { privateRedis } from './redis.js';

export type FleetOptions = Readonly<{
  /** The kinds of processes to run. Default: the sandbox, the ingress and the three workers. */
  processes?: readonly ProcessName[];
  /** The number of ingress processes. Each has a port of its own. */
  ingress?: number;
  /** The number of processes per kind of worker. */
  workers?: number;
  /** Whether to restart processes that die, as the launcher does. Default: true. See `Fleet.keepAlive`. */
  keepAlive?: boolean;
  /** BullMQ's Redis. Unset: the Redis of REDIS_URL, if it is set. Null: the queues are on Postgres. */
  redisUrl?: string | null;
  /** The database to run on instead of a fresh clone. It is released when the fleet stops. */
  database?: TestDatabase;
  /** Settings that are added to the fleet's own, or replace them. */
  env?: Readonly<Record<string, string>>;
}>;

export type Fleet = Readonly<{
  ingressUrl: string;
  ingressUrls: readonly string[];
  sandboxUrl: string;
  dashboardUrl: string;
  /** The database's address for its owner. The processes have another role. */
  databaseUrl: string;
  webhookSecret: string;
  /** The master keys that seal the secrets of keys. */
  masterKeys: string;
  /** BullMQ's Redis. Null if the queues are on Postgres. */
  redisUrl: string | null;
  /** The folder REPLENISH_DIR of all processes. */
  dir: string;
  /** The nth process of a kind, counted from 0. */
  process: (name: ProcessName, nth?: number) => FleetProcess;
  keepAlive: (on: boolean) => void;
  /** Makes the next process that passes this crash point die there, `times` in a row. */
  arm: (crashPoint: string, times?: number) => void;
  /** Resolves once the crash point has killed as often as it was armed for. */
  crashed: (crashPoint: string, limitMs?: number) => Promise<void>;
  /** The log of all processes of a kind. */
  logs: (name: ProcessName) => string;
  /** Resolves once all processes are ready, restarted ones included. */
  ready: () => Promise<void>;
  /** Ends all processes and drops the database. If `passed` is false, the database and the folder are kept. */
  stop: (passed?: boolean) => Promise<void>;
}>;

const WORKERS: readonly ProcessName[] = [
  'submission-worker',
  'webhook-worker',
  'reconciliation-worker',
  'callback-worker',
  'automation-worker',
];
// Few tests have receivers of callbacks or rules, and a process takes a second of a core to start.
const RARE: readonly ProcessName[] = ['callback-worker', 'automation-worker'];
const USUAL: readonly ProcessName[] = [
  'sandbox',
  'ingress',
  ...WORKERS.filter((name) => !RARE.includes(name)),
];
const appsDir = resolve(import.meta.dirname, '../../../../apps');

type Ground = Readonly<{
  dir: string;
  crashDir: string;
  database: TestDatabase;
  ports: { ingress: number[]; sandbox: number; dashboard: number };
  env: NodeJS.ProcessEnv;
}>;

/** Starts real processes on free ports with a database of their own. `afterAll` must stop them in any case. */
export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const ground = await prepare(options);
  let keepsAlive = options.keepAlive ?? true;
  const all = new Map<ProcessName, FleetProcess[]>();
  for (const name of options.processes ?? USUAL) {
    const count = name === 'ingress' ? options.ingress : WORKERS.includes(name) ? options.workers : 1;
    const made = Array.from({ length: count ?? 1 }, (_, nth) => build(ground, name, nth, () => keepsAlive));
    all.set(name, made);
  }
  const fleet = faceOf(ground, all, (on) => {
    keepsAlive = on;
  });
  try {
    for (const one of [...all.values()].flat()) one.start();
    await fleet.ready();
    return fleet;
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

async function prepare(options: FleetOptions): Promise<Ground> {
  const dir = mkdtempSync(join(tmpdir(), 'replenish-fleet-'));
  const crashDir = join(dir, 'crash-points');
  mkdirSync(crashDir);
  const database = options.database ?? (await createDatabase());
  const count = options.ingress ?? 1;
  const [sandbox, dashboard, alibaba, alipay, stripe, ...ingress] = await freePorts(count + 5);
  const ports = { ingress, sandbox: sandbox!, dashboard: dashboard! };
  const redisUrl = options.redisUrl === undefined ? process.env.REDIS_URL : options.redisUrl;
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    LOG_LEVEL: 'info',
    REPLENISH_DIR: dir,
    DATABASE_URL: database.appUrl ?? database.url,
    ...(redisUrl ? { REDIS_URL: await privateRedis(redisUrl) } : {}),
    SANDBOX_PORT: String(sandbox),
    SANDBOX_ALIBABA_PORT: String(alibaba),
    SANDBOX_ALIPAY_PORT: String(alipay),
    SANDBOX_STRIPE_PORT: String(stripe),
    SANDBOX_DATA_DIR: join(dir, 'sandbox'),
    SANDBOX_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
    MASTER_KEYS: `test:${randomBytes(32).toString('base64')}`,
    DASHBOARD_PORT: String(dashboard),
    PUBLIC_URL: urlOf(ingress[0]!),
    METRICS_PORT: '0',
    ...options.env,
  };
  return { dir, crashDir, database, ports, env };
}

/** Chooses all ports at the same time, so no two are equal. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}`;

function build(ground: Ground, name: ProcessName, nth: number, keepsAlive: () => boolean): FleetProcess {
  const { dir, crashDir, env, ports } = ground;
  const own = name === 'ingress' ? { INGRESS_PORT: String(ports.ingress[nth]) } : {};
  const spec = {
    name: `${name} ${nth}`,
    entry: join(appsDir, name, 'dist/main.js'),
    logFile: join(dir, `${name}-${nth}.log`),
    crashDir,
    env: { ...env, ...own },
  };
  return new FleetProcess(spec, keepsAlive);
}

function faceOf(
  ground: Ground,
  all: ReadonlyMap<ProcessName, readonly FleetProcess[]>,
  keepAlive: (on: boolean) => void,
): Fleet {
  const { dir, crashDir, database, ports, env } = ground;
  const everyone = () => [...all.values()].flat();
  const ingressUrls = ports.ingress.map(urlOf);
  return {
    ingressUrl: ingressUrls[0]!,
    ingressUrls,
    sandboxUrl: urlOf(ports.sandbox),
    dashboardUrl: urlOf(ports.dashboard),
    databaseUrl: database.url,
    webhookSecret: env.SANDBOX_WEBHOOK_SECRET!,
    masterKeys: env.MASTER_KEYS!,
    redisUrl: env.REDIS_URL ?? null,
    dir,
    keepAlive,
    process: (name, nth = 0) => {
      const found = all.get(name)?.[nth];
      if (!found) throw new Error(`this fleet has no ${name} ${nth}`);
      return found;
    },
    arm: (point, times = 1) => writeFileSync(join(crashDir, point), String(times)),
    crashed: async (point, limitMs = 10_000) => {
      await until(() => !existsSync(join(crashDir, point)), { limitMs }, `a death at crash point ${point}`);
    },
    logs: (name) => (all.get(name) ?? []).map((one) => one.log()).join(''),
    ready: async () => {
      await Promise.all(everyone().map((one) => one.ready()));
    },
    stop: async (passed = true) => {
      keepAlive(false);
      await Promise.all(everyone().map((one) => one.stop()));
      await database.release(passed);
      if (passed) rmSync(dir, { recursive: true, force: true });
    },
  };
}
