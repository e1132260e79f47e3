import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedPostgres } from '@replenish/runtime/embedded-postgres';
import { execute, openTestServer } from '@replenish/testing';
import { Redis } from 'ioredis';
import pg from 'pg';
import { cpuMsOfChildren } from './processes.mjs';
import { Profiles } from './profile.mjs';

/**
 * The environment that all contenders of a run share: one durable Postgres, Redis if it is configured, and a folder for
 * logs.
 * @param options postgresUrl, redisUrl, cpuProfDir
 */
export async function openGround({ postgresUrl, redisUrl, cpuProfDir }) {
  const dir = mkdtempSync(join(tmpdir(), 'replenish-bench-'));
  const logsDir = join(dir, 'logs');
  mkdirSync(logsDir);
  const embedded = postgresUrl ? null : await openEmbeddedPostgres({ dir: join(dir, 'postgres') });
  const server = await openTestServer(postgresUrl ?? embedded.url);
  process.env.TEST_POSTGRES_URL = server.url;
  process.env.TEST_POSTGRES_APP_URL = server.appUrl;
  process.env.TEST_POSTGRES_TEMPLATE = server.template;
  const redis = redisUrl ? new Redis(redisUrl) : null;
  return {
    dir,
    logsDir,
    serverUrl: server.url,
    /** Null when Postgres is not the embedded one. */
    postgresLog: embedded ? join(dir, 'postgres', 'postgres.log') : null,
    redisUrlOf: ({ redisDatabase }) => withPath(redisUrl, redisDatabase),
    profiles: new Profiles(cpuProfDir),
    postgres: await describePostgres(server.url, embedded !== null),
    redis: redis ? await describeRedis(redis) : null,
    /** The CPU time of the sessions of Postgres. 0 if Postgres is not the embedded one. */
    postgresCpuMs: () => (embedded ? cpuMsOfChildren(embedded.pid) : 0),
    checkpoint: () => execute(server.url, 'checkpoint'),
    emptyRedis: async ({ redisDatabase }) => {
      await redis?.pipeline().select(redisDatabase).flushdb().exec();
    },
    close: async () => {
      redis?.disconnect();
      await server.close();
      await embedded?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The address with another path: the name of a Postgres database or the number of a Redis database. */
export function withPath(url, path) {
  const other = new URL(url);
  other.pathname = `/${path}`;
  return other.href;
}

/** @throws when commits do not reach the disk, because figures without durable commits do not apply to money */
async function describePostgres(url, isEmbedded) {
  const [row] = await rows(
    url,
    `select current_setting('server_version') as version, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commits, current_setting('server_version_num')::int as number`,
  );
  if (row.fsync !== 'on' || row.commits !== 'on')
    throw new Error('Postgres is not durable: fsync and synchronous_commit must be on');
  const text = `PostgreSQL ${row.version}${isEmbedded ? ', embedded' : ''}, fsync on, synchronous_commit on`;
  return { text, hasUuid7: row.number >= 180_000 };
}

async function describeRedis(redis) {
  const info = await redis.info();
  const read = (field) => new RegExp(`^${field}:(.*)$`, 'm').exec(info)?.[1]?.trim();
  return `Redis ${read('redis_version')}, append-only file ${read('aof_enabled') === '1' ? 'on' : 'off'}`;
}

/** Runs one query in its own session. */
export async function rows(url, text) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Discards a round, because the books are wrong, or a request was refused or lost. */
export class InvalidRound extends Error {
  name = 'InvalidRound';
}

export function hold(condition, otherwise) {
  if (!condition) throw new InvalidRound(otherwise);
}
