import { PrismaPg } from '@prisma/adapter-pg';
import { openPool, type Pins, plainSession, planner } from '@replenish/runtime/postgres';
import pg from 'pg';
import { type Prisma, PrismaClient } from '../../generated/client.js';
import { persist } from './failure.js';
import { type Snapshot, snapshotter } from './snapshot.js';
import { namedTexts, statementNames } from './statement-names.js';

export type Database = PrismaClient;

/**
 * Runs one statement on the connection pool that Prisma also uses. Through Prisma the same statement takes the process
 * twice the time, and causes a tenth of all allocations of the ingress.
 * @throws StoreUnavailable if the database is away, the error itself if the statement is at fault
 */
export type Run = <Row>(statement: Prisma.Sql) => Promise<Row[]>;

export type Store = Readonly<{
  db: Database;
  run: Run;
  /**
   * Runs a statement on separate connections, for lists, the audit trail and health checks. Money never waits for them.
   */
  read: Run;
  /** Runs a query about the whole of the books. It may scan tables, take ten minutes, and change nothing. */
  survey: Run;
  /** Reads the books as of one moment, for exports. It lasts as long as their reader takes, and is never repeated. */
  snapshot: Snapshot;
  /**
   * Runs several statements in one transaction. It is repeated as a whole if it lost a race. An error undoes it. Nothing
   * but the database may be waited for in it.
   */
  atomically: <T>(work: (run: Run) => Promise<T>) => Promise<T>;
  close: () => Promise<void>;
}>;

export type DatabaseOptions = Readonly<{
  databaseUrl: string;
  /** The most connections of this process for statements that move money. READS_MAX more are for reads. */
  poolMax: number;
  /** Called when an idle connection is lost. No call fails by that, and the pool replaces the connection. */
  onConnectionLost: (error: Error) => void;
}>;

// No request waits longer than its caller would: five seconds for a connection, ten for a statement. A server that is
// frozen or cut off cannot end a statement, so this process gives up two seconds later.
const CONNECT_LIMIT_MS = 5_000;
const ANSWER_LIMIT_MS = 12_000;
const SURVEY_LIMIT_MS = 600_000;

// Three lists at the same time occupy one core of the database. With more connections, lists would wait in the database
// instead of in this process.
const READS_MAX = 3;

/** The settings of every session of ours. Times are in milliseconds. */
export const sessionPins: Pins = {
  ...plainSession,
  ...planner,
  statement_timeout: ['10000'],
  // The limit is longer than deadlock_timeout, so that Postgres reports a deadlock as a deadlock. Our own statements
  // hold no lock for longer, so a longer wait means that another session holds the row. The other callers that share
  // the statement should not wait for that session.
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
    snapshot: snapshotter(reads, databaseTypes),
    atomically: (work) => persist(() => inTransaction(pool, work)),
    close: async () => {
      await db.$disconnect();
      await Promise.all([pool.end(), reads.end()]);
    },
  };
}

const INT8 = 20;

/** A parser that throws for a time that it cannot read. The driver's own parser returns null. */
function strictTime(oid: number): (text: string) => unknown {
  const parse = pg.types.getTypeParser(oid);
  return (text) => {
    const time: unknown = parse(text);
    if (time === null) throw new Error(`the database wrote a time in a form that is not ISO 8601: ${text}`);
    return time;
  };
}

const { TIMESTAMP, TIMESTAMPTZ } = pg.types.builtins;
/** These parsers return the same values as Prisma, such as an exact bigint for int8. */
const ownParsers = new Map<number, (text: string) => unknown>([
  [INT8, BigInt],
  [TIMESTAMP, strictTime(TIMESTAMP)],
  [TIMESTAMPTZ, strictTime(TIMESTAMPTZ)],
]);

/** The parsers of all statements of the store. */
export const databaseTypes = {
  getTypeParser: ((oid: number, format?: 'text') =>
    ownParsers.get(oid) ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

function runner(pool: pg.Pool): Run {
  const namedText = namedTexts();
  return async <Row>(statement: Prisma.Sql) => {
    const { values } = statement;
    refuseUncalled(values);
    const { name, text } = namedText(statement);
    const { rows } = await persist(() => pool.query({ name, text, values, types: databaseTypes }));
    return rows as Row[];
  };
}

/**
 * `Prisma.sql` binds any value, so a part of a statement that is a function, and was not called, would become a
 * parameter. Its text would be missing from the statement.
 */
function refuseUncalled(values: readonly unknown[]): void {
  for (const value of values)
    if (typeof value === 'function')
      throw new TypeError('a part of the statement is a function that was not called');
}

async function inTransaction<T>(pool: pg.Pool, work: (run: Run) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const run: Run = async <Row>({ text, values }: Prisma.Sql) =>
    (await client.query({ text, values, types: databaseTypes })).rows as Row[];
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(run);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

const SURVEY = `begin read only; set local statement_timeout = ${SURVEY_LIMIT_MS};
  set local enable_seqscan = on; set local enable_bitmapscan = on; set local enable_hashjoin = on; set local enable_mergejoin = on`;

function surveyor(pool: pg.Pool): Run {
  const look = async <Row>({ text, values }: Prisma.Sql): Promise<Row[]> => {
    const client = await pool.connect();
    let failure: Error | undefined;
    try {
      await client.query(SURVEY);
      const asked = { text, values, types: databaseTypes, query_timeout: SURVEY_LIMIT_MS };
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
