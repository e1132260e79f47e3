import { Prisma } from '../generated/client.js';
import { eachAlone } from './coalesce.js';
import type { Database, Run, Store } from './database.js';
import { isUnavailable, persist } from './failure.js';

/** One call of the outside face, answered or refused. Holds no secret: whoever makes one leaves those out. */
export type AuditCall = Readonly<{
  id: string;
  at: Date;
  ip: string;
  /** Null where the caller was not known. */
  clientId: string | null;
  keyId: string | null;
  method: string;
  /** The pattern that matched, not the path. */
  route: string;
  params: Readonly<Record<string, unknown>>;
  accountId: string | null;
  status: number;
  code: string | null;
  durationMs: number;
  correlationId: string;
}>;

export type AuditFilter = Readonly<{
  /** Unset: calls of every client, which only operators may see. */
  clientId?: string;
  keyId?: string;
  accountId?: string;
  status?: number;
  from?: Date;
  to?: Date;
  /** Last row of the page before. */
  before?: Readonly<{ at: Date; id: string }>;
  limit: number;
}>;

export interface Audit {
  /**
   * Files calls in one statement; repeated ones (same time and id) once. Returns how many the database refused.
   * @throws StoreUnavailable when none is filed for sure
   */
  write(calls: readonly AuditCall[]): Promise<{ refused: number }>;
  /** Newest first. */
  list(filter: AuditFilter): Promise<AuditCall[]>;
  /** Makes the partitions of this month and the two to come, where they are missing. Returns how many it made. */
  ensurePartitions(): Promise<number>;
  /** Drops whole months before the given one; returns the names of the partitions. */
  dropBefore(month: Date): Promise<string[]>;
}

// Two months: a fleet whose reconciliation workers stand still for weeks still files where it should.
const MONTHS_AHEAD = 2;

export function openAudit({ db, run }: Store): Audit {
  return {
    write: (calls) => write(run, calls),
    list: (filter) => list(db, filter),
    ensurePartitions: async () => {
      const [row] = await run<{ made: number }>(
        Prisma.sql`select ensure_audit_partitions(${MONTHS_AHEAD}::int) as made`,
      );
      return row!.made;
    },
    dropBefore: async (month) => {
      const rows = await run<{ name: string }>(
        Prisma.sql`select drop_audit_partitions((${month}::timestamptz at time zone 'UTC')::date) as name`,
      );
      return rows.map(({ name }) => name);
    },
  };
}

async function write(run: Run, calls: readonly AuditCall[]): Promise<{ refused: number }> {
  if (calls.length === 0) return { refused: 0 };
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
  const answers = await eachAlone(calls, insert, isUnavailable);
  const away = answers.find(isUnavailable);
  if (away) throw away;
  return { refused: answers.filter((answer) => answer instanceof Error).length };
}

async function list(db: Database, filter: AuditFilter): Promise<AuditCall[]> {
  const { before } = filter;
  const where: Prisma.AuditCallWhereInput = {
    ...(filter.clientId !== undefined && { clientId: filter.clientId }),
    ...(filter.keyId !== undefined && { keyId: filter.keyId }),
    ...(filter.accountId !== undefined && { accountId: filter.accountId }),
    ...(filter.status !== undefined && { status: filter.status }),
    at: { ...(filter.from && { gte: filter.from }), ...(filter.to && { lt: filter.to }) },
    ...(before && { OR: [{ at: { lt: before.at } }, { at: before.at, id: { lt: before.id } }] }),
  };
  const rows = await persist(() =>
    db.auditCall.findMany({ where, orderBy: [{ at: 'desc' }, { id: 'desc' }], take: filter.limit }),
  );
  return rows.map((row) => ({ ...row, params: row.params as AuditCall['params'] }));
}
