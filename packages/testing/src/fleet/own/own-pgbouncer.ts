import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { until } from '../../until.js';
import { freePort } from '../machine.js';

const START_LIMIT_MS = 20_000;
// In session mode each connection from the fleet to PgBouncer holds one connection to PostgreSQL.
const CONNECTIONS_MAX = 150;

export type PoolMode = 'session' | 'transaction' | 'statement';

/** A PgBouncer for one test, in front of a PostgreSQL. It comes from the package that is installed on the machine. */
export class OwnPgbouncer {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #port: number;

  private constructor(child: ChildProcess, dir: string, port: number) {
    this.#child = child;
    this.#dir = dir;
    this.#port = port;
  }

  /** @param urls addresses of the database, one per role that may connect */
  static async open(mode: PoolMode, urls: readonly string[]): Promise<OwnPgbouncer> {
    const port = await freePort();
    const dir = mkdtempSync(join(tmpdir(), 'replenish-own-pgbouncer-'));
    const file = join(dir, 'pgbouncer.ini');
    writeFileSync(file, settings(mode, new URL(urls[0]!), dir, port));
    writeFileSync(join(dir, 'users'), urls.map(userLine).join(''));
    // PgBouncer refuses to run as root. For a root user it runs as another user, which must be able to read its files.
    if (process.getuid?.() === 0) chmodSync(dir, 0o755);
    const env = { PATH: `${process.env.PATH}:/usr/sbin` };
    const child = spawn('pgbouncer', [file], { stdio: 'ignore', env });
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    const bouncer = new OwnPgbouncer(child, dir, port);
    const answers = () => question(bouncer.through(urls[0]!));
    const ready = until(answers, { limitMs: START_LIMIT_MS }, 'pgbouncer answers').catch((error: Error) => {
      throw new Error(`${error.message}\n${bouncer.#log()}`);
    });
    await Promise.race([ready, failed]).catch(async (error: Error) => {
      await bouncer.close();
      throw error;
    });
    return bouncer;
  }

  /** The address of the same database and role, through the pooler. */
  through(url: string): string {
    return Object.assign(new URL(url), { port: String(this.#port) }).href;
  }

  async close(): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #log(): string {
    try {
      return readFileSync(join(this.#dir, 'log'), 'utf8');
    } catch {
      return '';
    }
  }
}

const settings = (mode: PoolMode, server: URL, dir: string, port: number): string => `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(dir, 'users')}
logfile = ${process.getuid?.() === 0 ? '' : join(dir, 'log')}
pool_mode = ${mode}
default_pool_size = ${CONNECTIONS_MAX}
max_client_conn = ${CONNECTIONS_MAX}
${process.getuid?.() === 0 ? 'user = nobody' : ''}
`;

const userLine = (url: string): string => {
  const { username, password } = new URL(url);
  return `"${username}" "${password}"\n`;
};

async function question(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } finally {
    await client.end().catch(() => {});
  }
}
