import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { type Prisma, PrismaClient } from '../generated/client.js';
import { persist } from './failure.js';

export type Database = PrismaClient;

/**
 * Runs one statement on the connections that Prisma uses too. Through Prisma the same statement takes twice its time in
 * this process, and a tenth of all that the ingress allocates.
 * @throws StoreUnavailable when the database is away, the error itself when the statement is at fault.
 */
export type Run = <Row>(statement: Prisma.Sql) => Promise<Row[]>;

export type Store = Readonly<{ db: Database; run: Run; close: () => Promise<void> }>;

export type DatabaseOptions = Readonly<{
  databaseUrl: string;
  /** Connections of this process. */
  poolMax: number;
  /** A lost idle connection is no fault of a call: it is told here and replaced by the pool. */
  onConnectionLost: (error: Error) => void;
}>;

// No request waits longer than its caller would: five seconds for a connection, ten for a statement.
const CONNECT_LIMIT_MS = 5_000;
const STATEMENT_LIMIT_MS = 10_000;
const IDLE_IN_TRANSACTION_LIMIT_MS = 30_000;

// Every hot statement looks rows up by key. Its plan is cached at the first calls, when the tables of a new
// installation are empty and a scan looks cheap; without these three it would go on scanning until statistics come.
const PLANNER = '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off';

export function openDatabase(options: DatabaseOptions): Store {
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: options.poolMax,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    statement_timeout: STATEMENT_LIMIT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_LIMIT_MS,
    options: PLANNER,
    keepAlive: true,
  });
  pool.on('error', options.onConnectionLost);
  const names = new Map<string, string>();
  const nameOf = (sql: string): string => statementName(names, sql);
  const adapter = new PrismaPg(pool, { statementNameGenerator: ({ sql }) => nameOf(sql) });
  const db = new PrismaClient({ adapter });
  return {
    db,
    run: runner(pool, nameOf),
    close: async () => {
      await db.$disconnect();
      await pool.end();
    },
  };
}

const INT8 = 20;
/** As Prisma reads rows: int8 is exact. */
const types = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === INT8 ? BigInt : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

const runner =
  (pool: pg.Pool, nameOf: (sql: string) => string): Run =>
  async <Row>({ text, values }: Prisma.Sql) => {
    const { rows } = await persist(() => pool.query({ name: nameOf(text), text, values, types }));
    return rows as Row[];
  };

/**
 * A named statement is planned once a connection instead of once a call. The texts are few and constant; the bound
 * is there so that a statement built from input could never fill the server's memory.
 */
function statementName(names: Map<string, string>, sql: string): string {
  const known = names.get(sql);
  if (known) return known;
  const name = `r_${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`;
  if (names.size < 200) names.set(sql, name);
  return names.has(sql) ? name : '';
}
