import { Prisma } from '../../generated/client.js';
import { eachAlone } from '../batches/each-alone.js';
import type { Run, Store } from '../database/database.js';
import { isUnavailable } from '../database/failure.js';
import { columns } from '../database/rows.js';
import type { AuditCall } from './call.js';
import { databaseClock } from './clock.js';
import { type AuditFilter, type AuditPage, searchCalls } from './search.js';

export interface Audit {
  /**
   * Files calls in one statement. A repeated call (same time and id) is filed once. Returns how many calls the database
   * refused.
   * @throws StoreUnavailable if no call is certainly filed
   */
  write(calls: readonly AuditCall[]): Promise<{ refused: number }>;
  list(filter: AuditFilter): Promise<AuditPage>;
  /**
   * Makes missing partitions: for this month, the next two, and each month whose calls went to the default partition.
   * Returns how many it made.
   */
  ensurePartitions(): Promise<number>;
  /** Drops the partitions of all months before the given one. Returns their names. */
  dropBefore(month: Date): Promise<string[]>;
}

// Partitions are made two months ahead. So a fleet whose reconciliation workers are down for weeks still has them.
const MONTHS_AHEAD = 2;

/**
 * The trail uses the connections for reads. So neither searches nor calls of strangers take connections from the
 * statements that move money.
 */
export function openAudit({ read: run }: Pick<Store, 'read'>): Audit {
  const ensurePartitions = async (): Promise<number> => {
    const [row] = await run<{ made: number }>(
      Prisma.sql`select ensure_audit_partitions(${MONTHS_AHEAD}::int) as made`,
    );
    return row!.made;
  };
  const clock = databaseClock(run, ensurePartitions);
  return {
    write: async (calls) => {
      if (calls.length === 0) return { refused: 0 };
      const converted = await clock.convert(calls);
      try {
        return await write(run, converted);
      } catch (error) {
        clock.keep(calls, converted);
        throw error;
      }
    },
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

const callColumns = columns({
  id: 'uuid',
  at: 'timestamptz',
  ip: 'text',
  clientId: 'uuid?',
  keyId: 'text?',
  method: 'text',
  route: 'text',
  params: 'jsonb',
  accountId: 'text?',
  status: 'int',
  code: 'text?',
  durationMs: 'float8',
  correlationId: 'text',
});

async function write(run: Run, calls: readonly AuditCall[]): Promise<{ refused: number }> {
  const insert = async (some: readonly AuditCall[]): Promise<true[]> => {
    await run(Prisma.sql`
      with input as ${callColumns.from(some)}
      insert into audit_call (
        id,
        at,
        ip,
        client_id,
        key_id,
        method,
        route,
        params,
        account_id,
        status,
        code,
        duration_ms,
        correlation_id)
      select
        id,
        at,
        ip,
        "clientId",
        "keyId",
        method,
        route,
        params,
        "accountId",
        status,
        code,
        "durationMs",
        "correlationId"
      from input
      on conflict do nothing`);
    return some.map(() => true);
  };
  const answers = await eachAlone(calls, insert, { isHopeless: isUnavailable });
  const away = answers.find(isUnavailable);
  if (away) throw away;
  return { refused: answers.filter((answer) => answer instanceof Error).length };
}
