import pg from 'pg';
import { keepsSessions, refuseTransactionPooler } from './pooler.js';
import { type Pins, pin } from './session.js';

export type PoolOptions = Readonly<{
  databaseUrl: string;
  /** Set in every session before its first use, whatever server, database, role and address say. */
  pins: Pins;
  /** Connections at most. */
  max: number;
  /** How long a caller waits for a connection. */
  connectLimitMs: number;
  /** How long this side waits for an answer: a server that is frozen or cut off ends nothing itself. Unset: for ever. */
  answerLimitMs?: number;
}>;

// A name may lead to another server after a failover, and a connection that is idle in between hears of nothing.
const LIFETIME_SECONDS = 900;

/**
 * A pool of sessions that are all alike. Its start-up packet asks for nothing that a pooler would refuse.
 * A connection is refused with UnfitDatabase where sessions do not keep what is set in them.
 */
export function openPool(options: PoolOptions): pg.Pool {
  const { databaseUrl, pins, max, connectLimitMs, answerLimitMs } = options;
  let kept: Promise<boolean> | undefined;
  // A refusal is looked at again with the next connection: the address may lead to something better by then.
  const look = async () => {
    kept ??= keepsSessions(databaseUrl);
    const isKept = await kept.catch(() => null);
    if (!isKept) kept = undefined;
    return isKept ?? false;
  };
  return new pg.Pool({
    connectionString: databaseUrl,
    max,
    connectionTimeoutMillis: connectLimitMs,
    ...(answerLimitMs !== undefined && { query_timeout: answerLimitMs }),
    maxLifetimeSeconds: LIFETIME_SECONDS,
    keepAlive: true,
    onConnect: async (client: pg.ClientBase) => {
      await refuseTransactionPooler(client, look);
      await pin(client, pins);
    },
  });
}
