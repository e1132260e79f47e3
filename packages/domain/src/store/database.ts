import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { type Prisma, PrismaClient } from '../generated/client.js';
import { pinnedUrl } from './database/session.js';
import { persist } from './failure.js';

export type Database = PrismaClient;

/**
 * Runs one statement on the connections that Prisma uses too. Through Prisma the same statement takes twice its time in
 * this process, and a tenth of all that the ingress allocates.
 * @throws StoreUnavailable when the database is away, the error itself when the statement is at fault.
 */
export type Run = <Row>(statement: Prisma.Sql) => Promise<Row[]>;

export type Store = Readonly<{
  db: Database;
  run: Run;
  /** For questions about the whole of the books: they may scan, and take ten minutes. They change nothing. */
  survey: Run;
  close: () => Promise<void>;
}>;

export type DatabaseOptions = Readonly<{
  databaseUrl: string;
  /** Connections of this process. */
  poolMax: number;
  /** A lost idle connection is no fault of a call: it is told here and replaced by the pool. */
  onConnectionLost: (error: Error) => void;
}>;

// No request waits longer than its caller would: five seconds for a connection, ten for a statement. A server that is
// frozen or cut off cannot end it, so two seconds later this side does.
const CONNECT_LIMIT_MS = 5_000;
const STATEMENT_LIMIT_MS = 10_000;
const ANSWER_LIMIT_MS = 12_000;
const SURVEY_LIMIT_MS = 600_000;
const IDLE_IN_TRANSACTION_LIMIT_MS = 30_000;

export function openDatabase(options: DatabaseOptions): Store {
  const pool = new pg.Pool({
    connectionString: pinnedUrl(options.databaseUrl),
    max: options.poolMax,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    statement_timeout: STATEMENT_LIMIT_MS,
    query_timeout: ANSWER_LIMIT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_LIMIT_MS,
    keepAlive: true,
  });
  pool.on('error', options.onConnectionLost);
  const ofPrisma = statementNames();
  const adapter = new PrismaPg(pool, { statementNameGenerator: ({ sql }) => ofPrisma(sql) });
  const db = new PrismaClient({ adapter });
  return {
    db,
    run: runner(pool),
    survey: surveyor(pool),
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

function runner(pool: pg.Pool): Run {
  const nameOf = statementNames();
  return async <Row>({ text, values }: Prisma.Sql) => {
    const { rows } = await persist(() => pool.query({ name: nameOf(text), text, values, types }));
    return rows as Row[];
  };
}

const SURVEY = `begin read only; set local statement_timeout = ${SURVEY_LIMIT_MS};
  set local enable_seqscan = on; set local enable_bitmapscan = on; set local enable_hashjoin = on; set local enable_mergejoin = on`;

function surveyor(pool: pg.Pool): Run {
  const look = async <Row>({ text, values }: Prisma.Sql): Promise<Row[]> => {
    const client = await pool.connect();
    let failure: Error | undefined;
    try {
      await client.query(SURVEY);
      const asked = { text, values, types, query_timeout: SURVEY_LIMIT_MS };
      const { rows } = await client.query(asked);
      await client.query('commit');
      return rows as Row[];
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.release(failure);
    }
  };
  return (statement) => persist(() => look(statement));
}

/**
 * A named statement is planned once a connection instead of once a call. The texts are few and constant; the bound
 * is there so that a statement built from input could never fill the server's memory.
 */
function statementNames(): (sql: string) => string {
  const names = new Map<string, string>();
  return (sql) => {
    const known = names.get(sql);
    if (known) return known;
    if (names.size >= 200) return '';
    const name = `r_${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`;
    names.set(sql, name);
    return name;
  };
}
