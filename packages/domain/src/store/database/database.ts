import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { openPool, type Pins, plainSession, planner } from '@replenish/runtime/postgres';
import pg from 'pg';
import { type Prisma, PrismaClient } from '../../generated/client.js';
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
  /** The same on connections of its own, for lists, the trail of calls and health checks: money never waits for them. */
  read: Run;
  /** For questions about the whole of the books: they may scan, and take ten minutes. They change nothing. */
  survey: Run;
  close: () => Promise<void>;
}>;

export type DatabaseOptions = Readonly<{
  databaseUrl: string;
  /** Connections of this process for what moves money; READS_MAX more are for reads. */
  poolMax: number;
  /** A lost idle connection is no fault of a call: it is told here and replaced by the pool. */
  onConnectionLost: (error: Error) => void;
}>;

// No request waits longer than its caller would: five seconds for a connection, ten for a statement. A server that is
// frozen or cut off cannot end it, so two seconds later this side does.
const CONNECT_LIMIT_MS = 5_000;
const ANSWER_LIMIT_MS = 12_000;
const SURVEY_LIMIT_MS = 600_000;

// Three lists at once fill a core of the database: more of them would only wait there instead of here.
const READS_MAX = 3;

/** What every session of ours has, in milliseconds where it is a time. */
export const sessionPins: Pins = {
  ...plainSession,
  ...planner,
  statement_timeout: ['10000'],
  // Longer than deadlock_timeout, so that a deadlock is told as one. What waits longer than this is not in a queue of
  // our own statements: somebody holds the row, and callers that share the statement should not wait with it.
  lock_timeout: ['1500'],
  idle_in_transaction_session_timeout: ['30000'],
};

export function openDatabase({ databaseUrl, poolMax, onConnectionLost }: DatabaseOptions): Store {
  const open = (max: number): pg.Pool =>
    openPool({
      databaseUrl,
      pins: sessionPins,
      max,
      connectLimitMs: CONNECT_LIMIT_MS,
      answerLimitMs: ANSWER_LIMIT_MS,
    }).on('error', onConnectionLost);
  const [pool, reads] = [open(poolMax), open(READS_MAX)];
  const ofPrisma = statementNames();
  const adapter = new PrismaPg(pool, { statementNameGenerator: ({ sql }) => ofPrisma(sql) });
  const db = new PrismaClient({ adapter });
  return {
    db,
    run: runner(pool),
    read: runner(reads),
    survey: surveyor(reads),
    close: async () => {
      await db.$disconnect();
      await Promise.all([pool.end(), reads.end()]);
    },
  };
}

const INT8 = 20;

/** A time that cannot be read is a fault, where the driver's own parser says null. */
function strictTime(oid: number): (text: string) => unknown {
  const parse = pg.types.getTypeParser(oid);
  return (text) => {
    const time: unknown = parse(text);
    if (time === null) throw new Error(`the database wrote a time in a form that is not ISO 8601: ${text}`);
    return time;
  };
}

const { TIMESTAMP, TIMESTAMPTZ } = pg.types.builtins;
/** As Prisma reads rows: int8 is exact. */
const ownParsers = new Map<number, (text: string) => unknown>([
  [INT8, BigInt],
  [TIMESTAMP, strictTime(TIMESTAMP)],
  [TIMESTAMPTZ, strictTime(TIMESTAMPTZ)],
]);

const types = {
  getTypeParser: ((oid: number, format?: 'text') =>
    ownParsers.get(oid) ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
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
