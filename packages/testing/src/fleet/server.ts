import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APP_ROLE, ensureAppRole, openEmbeddedPostgres } from '@replenish/runtime/embedded-postgres';
import pg from 'pg';
import { migrateAsOperator } from './migrate.js';

export type TestServer = Readonly<{
  /** The URL of a superuser. Each test file makes its databases there. */
  url: string;
  /** The URL of the role of the processes, which owns nothing. */
  appUrl: string;
  /** The name of a migrated, empty database that tests clone. */
  template: string;
  close: () => Promise<void>;
}>;

const PREFIX = 'replenish-jest-';

/** One PostgreSQL server for a whole run: the given one, or an embedded one without durability, which is faster. */
export async function openTestServer(givenUrl: string | undefined): Promise<TestServer> {
  const template = `replenish_template_${process.pid}`;
  const server = givenUrl ? await openGiven(givenUrl) : await openTemporary();
  try {
    await migrateTemplate(server.url, template);
  } catch (error) {
    await server.close();
    throw error;
  }
  const close = async () => {
    await execute(server.url, `drop database if exists ${template} with (force)`);
    await server.close();
  };
  return { url: server.url, appUrl: server.appUrl, template, close };
}

type OpenServer = Omit<TestServer, 'template'>;

// The name is the same for all runs, because two runs may share a server.
const APP_PASSWORD_OF_GIVEN = 'of-tests-only';

async function openGiven(url: string): Promise<OpenServer> {
  await ensureAppRole(url, APP_PASSWORD_OF_GIVEN);
  const appUrl = Object.assign(new URL(url), { username: APP_ROLE, password: APP_PASSWORD_OF_GIVEN }).href;
  return { url, appUrl, close: async () => {} };
}

async function openTemporary(): Promise<OpenServer> {
  const folder = temporaryFolder();
  sweepKilledRuns(folder);
  const dir = mkdtempSync(join(folder, `${PREFIX}${process.pid}-`));
  const postgres = await openEmbeddedPostgres({ dir, durable: false });
  const close = async () => {
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { url: postgres.url, appUrl: postgres.appUrl, close };
}

const MEMORY_FOLDER = '/dev/shm';
const ROOM_NEEDED_BYTES = 6 * 2 ** 30;

/**
 * A folder in memory where one has room, or else the usual one. A test file copies more than a thousand small files for
 * its database. In memory this takes less than half of the processor time that it takes on a disk.
 */
function temporaryFolder(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    return bavail * bsize > ROOM_NEEDED_BYTES ? MEMORY_FOLDER : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Deletes the folders of earlier runs that were killed. Their servers end by themselves. */
function sweepKilledRuns(folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith(PREFIX))) {
    const pid = Number(name.slice(PREFIX.length).split('-')[0]);
    if (!isAlive(pid)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function migrateTemplate(url: string, template: string): Promise<void> {
  await execute(url, `drop database if exists ${template} with (force)`);
  await execute(url, `create database ${template}`);
  await migrateAsOperator(withDatabase(url, template));
  // PostgreSQL clones a database only while no session is connected to it.
  await execute(url, `alter database ${template} with allow_connections false`);
  await execute(url, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${template}'`);
}

export function withDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}

/** Runs one statement in a new session. */
export async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
