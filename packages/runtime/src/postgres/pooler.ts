import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { UnfitDatabase } from './session.js';

const ADVICE =
  'give DATABASE_URL the address of the server itself, or of a pool in session mode (docs/operations.md, "Poolers")';

const REFUSAL = `a connection pooler (such as PgBouncer in transaction mode) hands each transaction to another session of Postgres, and settings of the session are lost on the way: ${ADVICE}`;

// A pooler with one session makes the second connection wait until this limit. So a time-out shows a pooler too.
const LOOK_LIMIT_MS = 3_000;

/**
 * Checks that a connection keeps its session from one statement to the next. A pooler announces another process id than
 * the server, so the process id shows whether there is a pooler. `look` examines the sessions and is called only for a
 * pooler.
 * @throws UnfitDatabase if the session can change
 */
export async function refuseTransactionPooler(
  client: pg.ClientBase,
  look: () => Promise<boolean>,
): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const announced = (client as unknown as { processID: number | null }).processID;
  if (rows[0]!.pid === announced) return;
  if (!(await look())) throw new UnfitDatabase(REFUSAL);
}

// A single look can miss a pooler that changes sessions, because another process that starts at the same moment may
// hold the marked session. When four processes started together, a single look usually accepted the pooler for one of
// them.
const LOOKS = 12;

type Session = Readonly<{ pid: number; mark: string | null }>;

/**
 * Tests whether each of two connections keeps a session of its own. One connection marks its session. The other one
 * keeps the most recently used session busy. Then both look for the mark: only the first connection may find it, and no
 * session may change. The test is repeated. The mark is a setting that no other code reads.
 */
export async function keepsSessions(databaseUrl: string): Promise<boolean> {
  const open = () => {
    const client = new pg.Client({
      connectionString: databaseUrl,
      connectionTimeoutMillis: LOOK_LIMIT_MS,
      query_timeout: LOOK_LIMIT_MS,
    });
    client.on('error', () => {});
    return client;
  };
  const [marked, rival] = [open(), open()];
  try {
    await marked.connect();
    await rival.connect();
    const own = new Set<number>();
    const others = new Set<number>();
    for (let look = 0; look < LOOKS; look++) {
      const mark = randomUUID();
      await marked.query("select set_config('replenish.session', $1, false)", [mark]);
      await rival.query('begin');
      const between = await sessionOf(rival);
      const after = await sessionOf(marked);
      await rival.query('rollback');
      own.add(after.pid);
      others.add(between.pid);
      if (between.mark === mark || after.mark !== mark || own.size > 1 || others.size > 1) return false;
    }
    return [...own].every((pid) => !others.has(pid));
  } catch (error) {
    if ((error as Error).message === 'Query read timeout') return false;
    throw error;
  } finally {
    await Promise.all([marked.end().catch(() => {}), rival.end().catch(() => {})]);
  }
}

async function sessionOf(client: pg.Client): Promise<Session> {
  const { rows } = await client.query<Session>(
    "select pg_backend_pid() as pid, current_setting('replenish.session', true) as mark",
  );
  return rows[0]!;
}
