import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { APP_ROLE, ensureAppRole } from './app-role.js';
import { findBinaries } from './binaries.js';
import { openCluster, USER } from './cluster.js';
import { choosePort } from './port.js';
import { type Exit, endLeftover, postmasterPid, spawnSupervised } from './postmaster.js';

export { APP_ROLE, ensureAppRole } from './app-role.js';

export type EmbeddedPostgres = Readonly<{
  /** Address of the database `replenish`, as the superuser of the same name. */
  url: string;
  /**
   * The address of the same database for a role that owns nothing. `migrate` grants this role the rights that the
   * processes need.
   */
  appUrl: string;
  pid: number;
  /**
   * Ends all sessions and shuts down. After `fastLimitMs` (default 3,000) PostgreSQL is killed, and recovers at its
   * next start.
   */
  stop: (fastLimitMs?: number) => Promise<void>;
  /** Resolves when PostgreSQL has ended, for any reason. */
  exited: Promise<Exit>;
}>;

export type EmbeddedPostgresOptions = Readonly<{
  /** The folder for `data`, `password`, `app-password` and `port`. It is created when it is missing. */
  dir: string;
  /** File that PostgreSQL's messages are appended to. Default: `<dir>/postgres.log`. */
  log?: string;
  /** The port to listen on. Unset: the port of the last start, or any free one. */
  port?: number;
  /** Whether commits survive a power failure. False is faster, for databases of tests. */
  durable?: boolean;
}>;

const DATABASE = 'replenish';

/**
 * Starts PostgreSQL on 127.0.0.1, and creates its data folder on the first start. PostgreSQL ends when this process
 * ends, even by `kill -9`. A PostgreSQL that still runs on the same folder is ended first.
 * @throws when it cannot be started, with the last lines of its log
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { durable = true, port: wished } = options;
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const dir = realpathSync(options.dir);
  const log = options.log ?? join(dir, 'postgres.log');
  const binaries = await findBinaries();
  const cluster = await openCluster(dir, binaries, durable);
  await endLeftover(cluster.dataDir, 3_000);
  const port = await choosePort(dir, wished);
  const command = [binaries.postgres, '-D', cluster.dataDir, ...settings(port, durable)];
  const child = spawnSupervised(cluster.account, command, log);
  const exited = exitOf(child);
  try {
    const url = `postgresql://${USER}:${cluster.password}@127.0.0.1:${port}/${DATABASE}`;
    const appUrl = `postgresql://${APP_ROLE}:${cluster.appPassword}@127.0.0.1:${port}/${DATABASE}`;
    await ready(url, child);
    await ensureAppRole(url, cluster.appPassword);
    const pid = postmasterPid(cluster.dataDir) ?? child.pid!;
    return {
      url,
      appUrl,
      pid,
      exited,
      stop: (limitMs = 3_000) => stop(child, exited, cluster.dataDir, limitMs),
    };
  } catch (error) {
    await stop(child, exited, cluster.dataDir, 1_000);
    throw new Error(`${(error as Error).message}\n${lastLines(log)}`, { cause: error });
  }
}

/**
 * Settings that differ from the defaults of PostgreSQL. 200 sessions are enough for the pools of ten processes, and for
 * tools.
 */
function settings(port: number, durable: boolean): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    wal_compression: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

const exitOf = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });

// After a crash, PostgreSQL first replays its log. Replaying 1 GB takes far less than a minute.
const READY_LIMIT_MS = 60_000;

/**
 * Waits until a session can be opened in our database. An open port is not enough: PostgreSQL may still be recovering.
 */
async function ready(url: string, child: ChildProcess): Promise<void> {
  const giveUpAt = Date.now() + READY_LIMIT_MS;
  for (;;) {
    const problem = await tryOnce(url);
    if (problem === null) return;
    const ended = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    if (ended) throw new Error('PostgreSQL ended while it was starting');
    if (!isComing(problem) || Date.now() > giveUpAt) throw new Error(`PostgreSQL: ${problem.message}`);
    await sleep(20);
  }
}

type PgError = Error & { code?: string };

/** PostgreSQL is still starting: it does not listen yet, or refuses sessions for now (57P03, 57P01). */
const isComing = (problem: PgError): boolean =>
  ['ECONNREFUSED', '57P03', '57P01'].includes(problem.code ?? '');

async function tryOnce(url: string): Promise<PgError | null> {
  const problem = await session(url, async () => {});
  if (problem?.code !== '3D000') return problem;
  // 3D000: no such database. The data folder is new.
  const admin = new URL(url);
  admin.pathname = '/postgres';
  return session(admin.href, (client) => client.query(`create database ${DATABASE}`));
}

async function session(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<PgError | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await work(client);
    return null;
  } catch (error) {
    return error as PgError;
  } finally {
    await client.end().catch(() => {});
  }
}

async function stop(
  child: ChildProcess,
  exited: Promise<Exit>,
  dataDir: string,
  fastLimitMs: number,
): Promise<void> {
  child.stdin?.end();
  await Promise.race([exited, sleep(fastLimitMs, undefined, { ref: false })]);
  await endLeftover(dataDir, 0);
  await exited;
}

function lastLines(log: string): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
  } catch {
    return '';
  }
}
