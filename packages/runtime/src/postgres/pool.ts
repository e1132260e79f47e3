import pg from 'pg';
import { keepsSessions, refuseTransactionPooler } from './pooler.js';
import { type Pins, pin } from './session.js';

export type PoolOptions = Readonly<{
  databaseUrl: string;
  /**
   * Settings of every session, set before its first use. They override the server, the database, the role and the
   * address.
   */
  pins: Pins;
  /** The maximum number of connections. */
  max: number;
  /** The longest wait for a connection. */
  connectLimitMs: number;
  /**
   * The longest wait for the answer to a statement. Without it, a caller waits indefinitely for a frozen or unreachable
   * server.
   */
  answerLimitMs?: number;
}>;

// After a failover the host name may resolve to another server. An idle connection does not notice that, so connections
// are renewed after this time.
const LIFETIME_SECONDS = 900;

/**
 * A pool whose sessions all have the same settings. The settings are not sent in the start-up packet, where a
 * connection pooler would refuse them. A connection fails with UnfitDatabase if a pooler loses the settings of
 * sessions.
 */
export function openPool(options: PoolOptions): pg.Pool {
  const { databaseUrl, pins, max, connectLimitMs, answerLimitMs } = options;
  let sessionsKept: Promise<boolean> | undefined;
  // Only a success is cached. After a refusal, the next connection may lead to another server.
  const look = async () => {
    sessionsKept ??= keepsSessions(databaseUrl);
    const isKept = await sessionsKept.catch(() => null);
    if (!isKept) sessionsKept = undefined;
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
