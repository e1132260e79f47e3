import type pg from 'pg';
import type { Prisma } from '../../generated/client.js';
import { persist } from './failure.js';

type RunOfSnapshot = <Row>(statement: Prisma.Sql) => Promise<Row[]>;

/** Runs statements that all see the database as of one moment, and change nothing. */
export type Snapshot = <T>(work: (run: RunOfSnapshot) => Promise<T>) => Promise<T>;

// The reader of an export may be slow, such as a disk or a pipe. Meanwhile Postgres keeps old row versions.
const LIMIT_MS = 3_600_000;

const BEGIN = `begin isolation level repeatable read read only;
  set local statement_timeout = ${LIMIT_MS}; set local idle_in_transaction_session_timeout = ${LIMIT_MS};
  set local enable_seqscan = on; set local enable_bitmapscan = on; set local enable_hashjoin = on;
  set local enable_mergejoin = on`;

/** @param types the parsers of values. They are those of all other statements, so that a value reads the same here */
export const snapshotter =
  (pool: pg.Pool, types: pg.CustomTypesConfig): Snapshot =>
  async (work) => {
    const client = await persist(() => pool.connect());
    let failure: Error | undefined;
    try {
      await persist(() => client.query(BEGIN));
      const found = await work(runOn(client, types));
      await persist(() => client.query('commit'));
      return found;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.release(failure);
    }
  };

const runOn =
  (client: pg.PoolClient, types: pg.CustomTypesConfig): RunOfSnapshot =>
  async <Row>({ text, values }: Prisma.Sql) => {
    const asked = { text, values, types, query_timeout: LIMIT_MS };
    const { rows } = await persist(() => client.query(asked));
    return rows as Row[];
  };
