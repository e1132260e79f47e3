import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '@replenish/runtime/embedded-postgres';
import pg from 'pg';
import { until } from '../../until.js';
import { freePort } from '../machine.js';
import { migrateAsOperator } from '../migrate.js';

const FOLLOW_LIMIT_MS = 60_000;

/**
 * A migrated primary and a standby. The standby confirms each commit before the primary does, so each acknowledged
 * commit is on both. The standby begins as a copy of the stopped primary's folder, including roles and passwords.
 */
export class OwnPair {
  readonly #dir: string;
  readonly #primary: EmbeddedPostgres;
  readonly #standby: EmbeddedPostgres;

  private constructor(dir: string, primary: EmbeddedPostgres, standby: EmbeddedPostgres) {
    this.#dir = dir;
    this.#primary = primary;
    this.#standby = standby;
  }

  static async open(): Promise<OwnPair> {
    const dir = mkdtempSync(join(tmpdir(), 'replenish-own-pair-'));
    const [first, second] = [join(dir, 'first'), join(dir, 'second')];
    const port = await freePort();
    const fresh = await openEmbeddedPostgres({ dir: first, port });
    await migrateAsOperator(fresh.url);
    await fresh.stop();
    // The copy keeps modes and owners, because PostgreSQL refuses a folder that others may read.
    execFileSync('cp', ['-a', first, second]);
    const standbyPort = await freePort();
    writeFileSync(join(second, 'data', 'standby.signal'), '');
    const { username, password } = new URL(fresh.url);
    appendFileSync(
      join(second, 'data', 'postgresql.auto.conf'),
      `primary_conninfo = 'host=127.0.0.1 port=${port} user=${username} password=${password} application_name=second'\n`,
    );
    const primary = await openEmbeddedPostgres({ dir: first, port });
    const standby = await openEmbeddedPostgres({ dir: second, port: standbyPort });
    const pair = new OwnPair(dir, primary, standby);
    try {
      await pair.#confirmByStandby();
    } catch (error) {
      await pair.close();
      throw error;
    }
    return pair;
  }

  /** The addresses of the primary. Its passwords and roles are also those of the standby. */
  get primary(): Pick<EmbeddedPostgres, 'url' | 'appUrl'> {
    return this.#primary;
  }

  get standby(): Pick<EmbeddedPostgres, 'url' | 'appUrl'> {
    return this.#standby;
  }

  /**
   * Kills every process of the primary without warning, like the failure of a machine. No process can write anything
   * more.
   */
  async killPrimary(): Promise<void> {
    process.kill(this.#primary.pid, 'SIGKILL');
    await this.#primary.exited;
  }

  async promote(): Promise<void> {
    await ask(this.#standby.url, 'select pg_promote(true, 60)');
    // The promoted server has no standby of its own. Without this setting each commit would wait for one.
    await ask(this.#standby.url, "alter system set synchronous_standby_names = ''");
    await ask(this.#standby.url, 'select pg_reload_conf()');
  }

  async close(): Promise<void> {
    await Promise.all([this.#primary.stop(), this.#standby.stop()]);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #confirmByStandby(): Promise<void> {
    await ask(this.#primary.url, `alter system set synchronous_standby_names = 'second'`);
    await ask(this.#primary.url, 'select pg_reload_conf()');
    const isConfirming = async () => {
      const [row] = await ask<{ state: string }>(
        this.#primary.url,
        "select sync_state as state from pg_stat_replication where state = 'streaming'",
      );
      return row?.state === 'sync';
    };
    await until(isConfirming, { limitMs: FOLLOW_LIMIT_MS }, 'the standby confirms commits');
  }
}

async function ask<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}
