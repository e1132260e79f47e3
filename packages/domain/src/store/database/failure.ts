import { setTimeout as sleep } from 'node:timers/promises';
import { UnfitDatabase } from '@replenish/runtime/postgres';

/** The database is away or refuses work for now. It is unknown whether the last statement was committed. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

type Wrapped = { meta?: { driverAdapterError?: { cause?: { originalCode?: unknown; kind?: unknown } } } };

/** The driver's error inside an error of Prisma. */
const causeOf = (error: unknown) => (error as Wrapped | null)?.meta?.driverAdapterError?.cause;

/** The SQLSTATE or other code of a failed call, from the driver or inside an error of Prisma. Null if there is none. */
export function codeOf(error: unknown): string | null {
  const code = causeOf(error)?.originalCode ?? (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

// The errors after which the same statement may be sent again.
//
// - 40001, 40P01, P2034: a serialization failure or a deadlock.
//
// - 42P07 (duplicate table): another process made the partition at the same moment.
//
// - 0A000, 26000: a migration made a prepared plan invalid. The connection is closed, and the next one plans anew.
const RETRYABLE = new Set(['40001', '40P01', '42P07', '0A000', '26000', 'P2034']);

// The database cannot work at present: classes 08 (connection), 53 (disk full, too many connections), 57P0 (shutdown)
// and 58 (input and output). 25006: the server only reads, like an old primary after a failover. 25P03, 25P04: a time
// limit ended the transaction.
const GONE_STATE = /^(08...|53...|57P0\d|58...|25006|25P03|25P04)$/;
// A lock that was not obtained in time, and a statement that did not end in time.
const CONTENDED = new Set(['55P03', '57014']);
// A table, column, function or schema is missing, so the schema is not the one of this release.
const OTHER_SCHEMA = new Set(['42P01', '42703', '42883', '3F000']);
const NO_RIGHT = '42501';
// Codes of Prisma itself and of the network.
const GONE_CODE =
  /^(P1001|P1002|P1008|P1017|P2024|P2037|E(AI_AGAIN|PIPE|[A-Z]*(CONN|TIMEDOUT|UNREACH|NOTFOUND)[A-Z]*))$/;
// Errors of pg, its pool and Prisma's adapter that have no code.
const GONE_TEXT =
  /(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Cannot use a pool after|Client has encountered|Client was closed)/;
const GONE_KIND = /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections)$/;

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Whether another session holds a row, or a statement took too long. Statements about other rows may still succeed. */
export function isContended(error: unknown): boolean {
  if (error instanceof StoreUnavailable) return error.cause !== undefined && isContended(error.cause);
  return CONTENDED.has(codeOf(error) ?? '');
}

/** An error with a code is judged by the code alone, because its text may quote the input of a caller. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailable || error instanceof UnfitDatabase) return true;
  const code = codeOf(error);
  if (code !== null && SQLSTATE.test(code) && !GONE_CODE.test(code))
    return GONE_STATE.test(code) || CONTENDED.has(code) || OTHER_SCHEMA.has(code) || code === NO_RIGHT;
  if (code !== null && GONE_CODE.test(code)) return true;
  if (GONE_KIND.test(String(causeOf(error)?.kind))) return true;
  return error instanceof Error && (GONE_TEXT.test(error.message) || isUnavailable(error.cause));
}

// Values out of range, constraints, and exceptions of triggers. The same write is refused with every try.
const REFUSED_STATE = /^(22|23|44|P0)...$/;

/** Whether the database refuses the values that a statement would write. A missing column or right is no refusal. */
export const isRefusal = (error: unknown): boolean => REFUSED_STATE.test(codeOf(error) ?? '');

/** Whether the database refuses a claim because another recharge of its lane is under way. */
export const isLaneTaken = (error: unknown): boolean =>
  codeOf(error) === '23505' && inspected(error).includes('recharge_transaction_one_in_lane');

/** The constraint that refused a statement, or the name that a trigger gave as one. Null: none did. */
export const violated = (error: unknown): string | null => {
  const { constraint } = (error ?? {}) as { constraint?: unknown };
  return typeof constraint === 'string' ? constraint : null;
};

const OF_ONE_RECHARGE = ['recharge_transaction_provider_order', 'order_booked_once'];

/** Whether the database refuses a report because its order is the order of another recharge, or has money in suspense there. */
export const isBookedElsewhere = (error: unknown): boolean => OF_ONE_RECHARGE.includes(violated(error) ?? '');

const inspected = (error: unknown): string =>
  `${error instanceof Error ? error.message : ''} ${JSON.stringify((error as Wrapped | null)?.meta ?? {})}`;

const TRIES = 6;

/**
 * Runs one statement. A statement that lost a race with another transaction is sent again, up to five times, with
 * jitter. Without jitter it would meet the same transaction again within milliseconds.
 * @throws StoreUnavailable if the database is away, the error itself if the statement is at fault
 */
export async function persist<T>(statement: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await statement();
    } catch (error) {
      const lostRace = RETRYABLE.has(codeOf(error) ?? '');
      if (isUnavailable(error) || (lostRace && tried === TRIES)) {
        throw new StoreUnavailable(
          error instanceof UnfitDatabase ? error.message : 'the database does not answer',
          {
            cause: error,
          },
        );
      }
      if (!lostRace) throw error;
      await sleep(Math.random() * 2 ** tried * 5);
    }
  }
}
