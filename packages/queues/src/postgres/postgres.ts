import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@replenish/runtime';
import { openPool, type Pins } from '@replenish/runtime/postgres';
import { createPostgresBackend, type PgPool, type PostgresConnectionOptions, withBackend } from 'bullmq';
import type pg from 'pg';
import type { Backend } from '../backend.js';
import { Burst, messageOf } from '../burst.js';
import { EVENTS_KEPT, type JobQueue, type JobRetention, type JobWorker, jobOptions } from '../catalogue.js';
import { SharedListener } from '../shared-listener.js';
import { ensureSchema, numberJobs, sessionPins } from './postgres-schema.js';

const bullmq = withBackend<ReturnType<typeof createPostgresBackend>, PostgresConnectionOptions>(
  createPostgresBackend,
);

// BullMQ reads all kept jobs whenever a job ends. With 500 kept jobs a worker did 400 jobs per second, and with 50 it
// did 970. Keeping none saved another quarter of the database's time.
const KEPT: JobRetention = { removeOnComplete: true, removeOnFail: { count: 100 } };
const RETRY_MS = 250;
// A pause after a failed statement. Without it, BullMQ's loops would repeat the statement thousands of times per second
// while Postgres restarts.
const AFTER_FAULT_MS = 100;
// The SQLSTATEs of a missing table, schema or function. They mean that BullMQ's schema was dropped.
const SCHEMA_IS_GONE = new Set(['42P01', '3F000', '42883']);
// The SQLSTATE of a named statement whose result has other columns by now. A newer release has replaced its function.
const OTHER_RESULT = '0A000';

/**
 * Opens BullMQ on Postgres, in a schema of its own in the database of the books. All queues and workers of the process
 * share one small pool.
 */
export function openPostgres(databaseUrl: string, poolMax: number, log: Logger): Backend {
  const errors = new Burst(log, 'queue database');
  const pools = openPools(databaseUrl, poolMax, errors);
  const migrate = singleFlight(() => ensureSchema(pools.statements));
  const listener = new SharedListener(pools.listeners);
  const connection = asBullmqPool(pools.statements, listener);

  return {
    kind: 'postgres',
    isAway: () => false,
    reachable: async (stop) => {
      while (true) {
        stop.throwIfAborted();
        try {
          return await migrate();
        } catch (error) {
          errors.failed(error);
          await delay(RETRY_MS, undefined, { signal: stop });
        }
      }
    },
    ping: async () => {
      try {
        await migrate();
      } catch (error) {
        throw new Error(`the queue database is away: ${messageOf(error)}`, { cause: error });
      }
      await refuseReadOnly(pools.statements);
      errors.recovered();
    },
    waiting: (names, most) => waitingJobs(connection, names, most),
    prepareQueue: (name) => numberJobs(pools.statements, name),
    buildQueue: (name) =>
      new bullmq.Queue(name, {
        connection,
        defaultJobOptions: jobOptions(name, KEPT),
        streams: { events: { maxLen: EVENTS_KEPT } },
      }) as unknown as JobQueue,
    buildWorker: (name, processor, settings) =>
      new bullmq.Worker(name, processor, { ...settings, connection }) as unknown as JobWorker,
    noteError: (error) => {
      if (SCHEMA_IS_GONE.has((error as { code?: string }).code ?? '')) migrate().catch(() => {});
    },
    windDown: async () => {},
    close: async () => {
      await listener.close();
      await Promise.all([pools.statements.end(), pools.listeners.end()]);
    },
  };
}

type Pools = Readonly<{ statements: pg.Pool; listeners: pg.Pool }>;

function openPools(databaseUrl: string, poolMax: number, errors: Burst): Pools {
  const open = (options: { max: number; connectLimitMs: number; answerLimitMs?: number; pins: Pins }) => {
    const pool = openPool({ databaseUrl, ...options });
    pool.on('connect', repeatEarlyErrors);
    // Listeners have no limit, because each queue and worker adds one.
    return pool.setMaxListeners(0).on('error', (error) => errors.failed(error));
  };
  return {
    statements: open({
      max: poolMax,
      connectLimitMs: 2_000,
      answerLimitMs: 12_000,
      pins: { ...sessionPins, statement_timeout: ['10000'], lock_timeout: ['5000'] },
    }),
    // Each worker holds one connection, and one more waits for NOTIFY. The pool for statements must not run out for that.
    // A queue or worker whose first connection fails is built again. Ten of them start at once, and on a busy machine
    // their connections take more than 2 s.
    listeners: open({ max: 100, connectLimitMs: 10_000, pins: { ...sessionPins, statement_timeout: ['0'] } }),
  };
}

/**
 * Delays an early error of a connection by one turn of the event loop. A connection that is made while Postgres shuts
 * down may receive the error in the same packet that says it is ready. At that time the user of the connection has no
 * listener yet, and an error without a listener ends the process.
 */
function repeatEarlyErrors(client: pg.PoolClient): void {
  const onError = (error: Error) => {
    if (client.listenerCount('error') > 1) return;
    client.off('error', onError).on('error', () => {});
    setImmediate(() => client.emit('error', error));
  };
  client.on('error', onError);
}

/** The part of `pg.Pool` that BullMQ uses. Statements go to one pool, and held connections come from the other. */
function asBullmqPool(statements: pg.Pool, listener: SharedListener): PgPool {
  const nameOf = statementNames();
  const pool = {
    query: async (text: string, values?: unknown[]) => {
      try {
        return await statements.query(values ? { name: nameOf(text), text, values } : text);
      } catch (error) {
        if ((error as { code?: string }).code === OTHER_RESULT) return statements.query(text, values);
        if (!isAnswer(error)) await delay(AFTER_FAULT_MS);
        throw error;
      }
    },
    connect: () => listener.connect(),
    end: async () => {},
    on: (event: 'error', listener: (error: Error) => void) => {
      if (event === 'error') statements.on('error', listener);
      return pool;
    },
    removeAllListeners: () => pool,
  };
  return pool as unknown as PgPool;
}

/**
 * Names BullMQ's statements, because Postgres parses and plans a named one once per session instead of once per call.
 * That is more than most of them do. Their texts are few and constant.
 */
function statementNames(): (text: string) => string {
  const names = new Map<string, string>();
  return (text) => {
    const name = names.get(text) ?? `bullmq_${names.size}`;
    names.set(text, name);
    return name;
  };
}

/** Whether the error is one of BullMQ's own refusals (class BM), such as a lost lock. The statement itself worked. */
const isAnswer = (error: unknown): boolean => String((error as { code?: string }).code).startsWith('BM');

/**
 * Counts the jobs that wait in all queues with one statement, each queue up to `most`. BullMQ's own count is a statement
 * per queue, and reads all jobs of it.
 */
async function waitingJobs(pool: PgPool, names: readonly string[], most: number): Promise<number[]> {
  const { rows } = await pool.query(
    `select (
        select count(*) from (
          select from job where queue = asked.name and state = 'waiting' and priority = 0 limit $2::int) waiting)::int as jobs
      from unnest($1::text[]) with ordinality as asked(name, nth)
      order by nth`,
    [names, most],
  );
  return rows.map((row) => Number(row.jobs));
}

/** Refuses a standby and a read-only server. They answer all queries, but keep no jobs. */
async function refuseReadOnly(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query(
    'select current_setting(\'transaction_read_only\') = \'on\' as "isReadOnly", pg_is_in_recovery() as "isStandby"',
  );
  const { isReadOnly, isStandby } = rows[0];
  if (isStandby) throw new Error('the queue database is a standby: DATABASE_URL must lead to the primary');
  if (isReadOnly) throw new Error('the queue database takes no writes: it is set to read only');
}

/** Lets calls that arrive while the work is under way share its result. */
function singleFlight(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}
