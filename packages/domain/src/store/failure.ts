import { setTimeout as sleep } from 'node:timers/promises';

/** The database is away or refuses work for a while. Whether the last statement was committed is not known. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** SQLSTATE of a failed call, as the driver gives it or wrapped by Prisma; null when there is none. */
export function sqlState(error: unknown): string | null {
  const meta = (error as { meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } } } | null)
    ?.meta;
  const code = meta?.driverAdapterError?.cause?.originalCode ?? (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

// Serialization failure, deadlock, lock not available: the same statement may be sent again at once. So may one that
// found a partition missing which another process made in the same moment (duplicate table).
const RETRYABLE = new Set(['40001', '40P01', '55P03', '42P07']);

const GONE =
  /^(08...|57P0[123]|53300|53400|57014|P1001|P1002|P1008|P1017|P2024|P2037|ECONN\w+|ETIMEDOUT|EPIPE|ENOTFOUND)$/;
const GONE_TEXT =
  /(Connection terminated|timeout exceeded when trying to connect|ECONNREFUSED|ECONNRESET|Can't reach database|server closed|DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections|the database system is|not queryable)/i;

export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailable) return true;
  const state = sqlState(error);
  if (state && GONE.test(state)) return true;
  const kind = (error as { meta?: { driverAdapterError?: { cause?: { kind?: unknown } } } } | null)?.meta
    ?.driverAdapterError?.cause?.kind;
  const text = `${error instanceof Error ? `${error.name} ${error.message}` : String(error)} ${String(kind ?? '')}`;
  return GONE_TEXT.test(text);
}

const TRIES = 6;

/**
 * Runs one statement; what lost a race with another transaction is sent again, a few times, with jitter.
 * A retry without jitter meets the same rival again within milliseconds.
 * @throws StoreUnavailable when the database is away, the error itself when the statement is at fault.
 */
export async function persist<T>(statement: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await statement();
    } catch (error) {
      const lostRace = RETRYABLE.has(sqlState(error) ?? '') || (error as { code?: string }).code === 'P2034';
      if (isUnavailable(error) || (lostRace && tried === TRIES)) {
        throw new StoreUnavailable('the database does not answer', { cause: error });
      }
      if (!lostRace) throw error;
      await sleep(Math.random() * 2 ** tried * 5);
    }
  }
}
