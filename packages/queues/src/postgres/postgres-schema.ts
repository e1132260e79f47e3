import { openPool, type Pins, plainSession } from '@replenish/runtime/postgres';
import {
  assertSchemaCompatibility,
  DEFAULT_SCHEMA,
  LATEST_SCHEMA_VERSION,
  runMigrations,
  SchemaMigrationRequiredError,
} from 'bullmq';
import type pg from 'pg';

// The last few jobs may be lost in a crash, because jobs are only hints. Not waiting for the disk doubles the speed.
export const sessionPins: Pins = {
  ...plainSession,
  search_path: [DEFAULT_SCHEMA],
  synchronous_commit: ['off'],
  idle_in_transaction_session_timeout: ['30000'],
};

// The SQLSTATE of a statement for which the role lacks the right.
const NO_RIGHT = '42501';

/**
 * BullMQ's migrations take an advisory lock, so any number of processes may start at once on an empty database.
 * @throws an error that names the command to run, if the role of this process may not make the schema
 */
export async function ensureSchema(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    if ((await schemaVersion(client)) < LATEST_SCHEMA_VERSION) await runMigrations(client);
  } catch (error) {
    if ((error as { code?: unknown }).code !== NO_RIGHT) throw error;
    throw new Error(
      'the schema of the queues is missing or older than this release, and the role of DATABASE_URL may not make it: ' +
        'run npx replenish migrate without REDIS_URL',
      { cause: error },
    );
  } finally {
    client.release();
  }
}

async function schemaVersion(client: pg.PoolClient): Promise<number> {
  try {
    return await assertSchemaCompatibility(client);
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return 0;
    throw error;
  }
}

/**
 * Makes the queues' schema in the database, or migrates it to this release.
 * @param options.appRole the role of the processes, which gets the rights that they need. Unset: no role gets rights
 */
export async function migrateQueues(options: {
  databaseUrl: string;
  appRole?: string | undefined;
}): Promise<void> {
  const { databaseUrl, appRole } = options;
  const pins = { ...sessionPins, statement_timeout: ['0'], lock_timeout: ['0'] } as const;
  const pool = openPool({ databaseUrl, pins, max: 1, connectLimitMs: 10_000 }).on('error', () => {});
  try {
    await ensureSchema(pool);
    if (appRole !== undefined) await grantRights(pool, appRole);
  } finally {
    await pool.end();
  }
}

async function grantRights(pool: pg.Pool, role: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query<{ sql: string }>(statements, [DEFAULT_SCHEMA, role]);
    for (const { sql } of rows) await client.query(sql);
    await client.query('commit');
  } finally {
    // After an error the transaction is still open. The end of the session ends it.
    client.release(true);
  }
}

/**
 * A queue's sequence of job numbers is made when the queue is first used. The function that makes it has the rights of
 * its owner, so the role needs no right to create objects. An object that the role created could hide a name that the
 * books' triggers rely on.
 */
const statements = `
  select format('grant usage on schema %I to %I', $1::text, $2::text) as sql
  union all
  select format(
    case relkind
      when 'S' then 'grant usage on sequence %s to %I'
      else 'grant select, insert, update, delete on %s to %I'
    end, oid::regclass, $2::text)
  from pg_class
  where relnamespace = $1::regnamespace and relkind in ('r', 'p', 'S') and pg_has_role(relowner, 'usage')
  union all
  select format('grant execute on function %s to %I', oid::regprocedure, $2::text)
  from pg_proc
  where pronamespace = $1::regnamespace and pg_has_role(proowner, 'usage')
  union all
  select format('alter function %s security definer set search_path = %I, pg_temp', oid::regprocedure, $1::text)
  from pg_proc
  where pronamespace = $1::regnamespace and proname = 'next_job_id'
  union all
  select format('revoke execute on function %s from public', oid::regprocedure)
  from pg_proc
  where pronamespace = $1::regnamespace and proname = 'next_job_id'
  union all
  select format(
    'alter default privileges for role %I in schema %I grant usage on sequences to %I',
    pg_get_userbyid(proowner), $1::text, $2::text)
  from pg_proc
  where pronamespace = $1::regnamespace and proname = 'next_job_id'`;

/**
 * Makes the sequence that numbers the jobs of a queue. If the sequence is missing when many jobs are added at once,
 * BullMQ makes it with the rights of the caller.
 */
export async function numberJobs(pool: pg.Pool, queue: string): Promise<void> {
  await pool.query('select next_job_id($1) where to_regclass(job_id_seq_name($1)) is null', [queue]);
}
