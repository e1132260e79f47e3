import { Prisma } from '../../generated/client.js';
import { eachAlone } from '../batches/each-alone.js';
import type { Run, Store } from '../database/database.js';
import { isUnavailable } from '../database/failure.js';
import type { AuditCall } from './call.js';
import { databaseClock } from './clock.js';
import { type AuditFilter, type AuditPage, searchCalls } from './search.js';

export interface Audit {
  /**
   * Files calls in one statement; repeated ones (same time and id) once. Returns how many the database refused.
   * @throws StoreUnavailable when none is filed for sure
   */
  write(calls: readonly AuditCall[]): Promise<{ refused: number }>;
  list(filter: AuditFilter): Promise<AuditPage>;
  /**
   * Makes the partitions of this month and the two to come, and of months that calls were filed for without one, where
   * they are missing. Returns how many it made.
   */
  ensurePartitions(): Promise<number>;
  /** Drops whole months before the given one; returns the names of the partitions. */
  dropBefore(month: Date): Promise<string[]>;
}

// Two months: a fleet whose reconciliation workers stand still for weeks still files where it should.
const MONTHS_AHEAD = 2;

/** On the connections of reads: what strangers call, and what is searched for, waits for no money's and keeps none waiting. */
export function openAudit({ read: run }: Pick<Store, 'read'>): Audit {
  const ensurePartitions = async (): Promise<number> => {
    const [row] = await run<{ made: number }>(
      Prisma.sql`select ensure_audit_partitions(${MONTHS_AHEAD}::int) as made`,
    );
    return row!.made;
  };
  const onDatabaseClock = databaseClock(run, ensurePartitions);
  return {
    write: async (calls) => (calls.length === 0 ? { refused: 0 } : write(run, await onDatabaseClock(calls))),
    list: (filter) => searchCalls(run, filter),
    ensurePartitions,
    dropBefore: async (month) => {
      const rows = await run<{ name: string }>(
        Prisma.sql`select drop_audit_partitions((${month}::timestamptz at time zone 'UTC')::date) as name`,
      );
      return rows.map(({ name }) => name);
    },
  };
}

async function write(run: Run, calls: readonly AuditCall[]): Promise<{ refused: number }> {
  const insert = async (some: readonly AuditCall[]): Promise<true[]> => {
    await run(Prisma.sql`
      insert into audit_call (id, at, ip, client_id, key_id, method, route, params, account_id, status, code,
        duration_ms, correlation_id)
      select id, at, ip, "clientId", "keyId", method, route, params, "accountId", status, code, "durationMs",
        "correlationId"
      from jsonb_to_recordset(${JSON.stringify(some)}::jsonb) as c(
        id uuid, at timestamptz, ip text, "clientId" uuid, "keyId" text, method text, route text, params jsonb,
        "accountId" text, status int, code text, "durationMs" float8, "correlationId" text)
      on conflict do nothing`);
    return some.map(() => true);
  };
  const answers = await eachAlone(calls, insert, { isHopeless: isUnavailable });
  const away = answers.find(isUnavailable);
  if (away) throw away;
  return { refused: answers.filter((answer) => answer instanceof Error).length };
}
