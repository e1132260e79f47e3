import { createHash } from 'node:crypto';
import pg from 'pg';
import { messageOf } from './burst.js';

const CONNECT_LIMIT_MS = 2_000;

/**
 * A name for the installation in this database. All processes and all addresses of one database get the same name, and
 * each database has another name. An address is no such name, because one database may have several addresses.
 */
async function installationOf(databaseUrl: string): Promise<string> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    query_timeout: CONNECT_LIMIT_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ identity: string }>(
      `select system_identifier || '/' || current_database() as identity from pg_control_system()`,
    );
    return createHash('sha256').update(rows[0]!.identity).digest('hex').slice(0, 12);
  } catch (error) {
    throw new Error(
      `the database, after which the queues are named, does not say who it is (QUEUE_PREFIX names them too): ${messageOf(error)}`,
      { cause: error },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * The prefix of one installation's keys in a Redis that several installations may share. The name of the installation
 * is read from the database once, and again after a failure.
 * @param given the setting QUEUE_PREFIX, which is used as it is
 */
export function prefixSource(given: string | undefined, databaseUrl: string): () => Promise<string> {
  if (given !== undefined) return async () => given;
  let known: Promise<string> | undefined;
  return () => {
    known ??= installationOf(databaseUrl).then((installation) => `replenish-${installation}`);
    known.catch(() => {
      known = undefined;
    });
    return known;
  };
}
