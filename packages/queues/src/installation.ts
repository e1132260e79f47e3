import { createHash } from 'node:crypto';
import pg from 'pg';
import { messageOf } from './burst.js';

const CONNECT_LIMIT_MS = 2_000;

/**
 * A name for the installation that lives in this database: the same for every process and every route to it, another
 * one for any other database of any server. (The address would not do: processes may know one database by several.)
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
 * What the keys of one installation begin with in a Redis that several may share. Asked once; a failure is asked again.
 * @param given the setting QUEUE_PREFIX, which is taken as it is
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
