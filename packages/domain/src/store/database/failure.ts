import { setTimeout as sleep } from 'node:timers/promises';
import { UnfitDatabase } from '@replenish/runtime/postgres';

/** The database is away or refuses work for a while. Whether the last statement was committed is not known. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

type Wrapped = { meta?: { driverAdapterError?: { cause?: { originalCode?: unknown; kind?: unknown } } } };

/** What Prisma knows of the driver's error, when the error is Prisma's. */
const causeOf = (error: unknown) => (error as Wrapped | null)?.meta?.driverAdapterError?.cause;

/** SQLSTATE or other code of a failed call, as the driver gives it or wrapped by Prisma; null when there is none. */
export function codeOf(error: unknown): string | null {
  const code = causeOf(error)?.originalCode ?? (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

// Serialization failure, deadlock: the same statement may be sent again at once. So may one that
// found a partition missing which another process made in the same moment (duplicate table), and one whose plan a
// migration made stale: its connection is given up with the error, and another one plans anew.
const RETRYABLE = new Set(['40001', '40P01', '42P07', '0A000', '26000', 'P2034']);

// By class: connection, resources (disk full and too many connections among them), shutdown, input and output; a server
// that only reads, as the old primary after a failover; limits that ended a statement or a transaction.
const GONE_STATE = /^(08...|53...|57P0\d|58...|25006|25P03|25P04)$/;
// A lock that was not had in time, a statement that was not done in time.
const CONTENDED = new Set(['55P03', '57014']);
// A table, column, function or schema that is not there: the schema is not the one of this release.
const OTHER_SCHEMA = new Set(['42P01', '42703', '42883', '3F000']);
const NO_RIGHT = '42501';
// Prisma's own, and the network's.
const GONE_CODE =
  /^(P1001|P1002|P1008|P1017|P2024|P2037|E(AI_AGAIN|PIPE|[A-Z]*(CONN|TIMEDOUT|UNREACH|NOTFOUND)[A-Z]*))$/;
// What pg, its pool and Prisma's adapter say without a code.
const GONE_TEXT =
  /(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Cannot use a pool after|Client has encountered|Client was closed)/;
const GONE_KIND = /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections)$/;

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Somebody holds a row, or a statement takes too long: that says nothing about other rows. */
export function isContended(error: unknown): boolean {
  if (error instanceof StoreUnavailable) return error.cause !== undefined && isContended(error.cause);
  return CONTENDED.has(codeOf(error) ?? '');
}

/** A refusal with a code is judged by it alone: its text may quote anything that a caller sent. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailable || error instanceof UnfitDatabase) return true;
  const code = codeOf(error);
  if (code !== null && SQLSTATE.test(code) && !GONE_CODE.test(code))
    return GONE_STATE.test(code) || CONTENDED.has(code) || OTHER_SCHEMA.has(code) || code === NO_RIGHT;
  if (code !== null && GONE_CODE.test(code)) return true;
  if (GONE_KIND.test(String(causeOf(error)?.kind))) return true;
  return error instanceof Error && (GONE_TEXT.test(error.message) || isUnavailable(error.cause));
}

// Values out of range, constraints, and what triggers raise: the same write is refused with every try.
const REFUSED_STATE = /^(22|23|44|P0)...$/;

/** Whether the database refuses what a statement would write. An unknown column or a missing right is no such thing. */
export const isRefusal = (error: unknown): boolean => REFUSED_STATE.test(codeOf(error) ?? '');

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
