import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';

/** What a person decided about a case. */
export type ActionView = Readonly<{
  id: string;
  at: Date;
  actor: string;
  role: string;
  verb: string;
  subject: string;
  reason: string;
  transactionId: string | null;
  caseId: string | null;
}>;

/** The actions before an id, newest first. Ids ascend in time. */
export const operatorActions = (read: Run, beforeId: string | null, limit: number): Promise<ActionView[]> =>
  read<ActionView>(Prisma.sql`
    select
      id,
      at,
      actor,
      role,
      verb,
      subject,
      reason,
      transaction_id as "transactionId",
      case_id as "caseId"
    from operator_action
    where ${beforeId !== null && isUuid(beforeId) ? Prisma.sql`id < ${beforeId}::uuid` : Prisma.sql`true`}
    order by id desc
    limit ${limit}::int`);

/** Breaches of one security rule, added up over a moment. */
export type SecurityEventView = Readonly<{
  id: bigint;
  at: Date;
  rule: string;
  clientId: string | null;
  keyId: string | null;
  origin: string | null;
  count: number;
  detail: string | null;
}>;

export const securityEvents = (
  read: Run,
  beforeId: bigint | null,
  limit: number,
): Promise<SecurityEventView[]> =>
  read<SecurityEventView>(Prisma.sql`
    select id, at, rule, client_id as "clientId", key_id as "keyId", origin, count, detail
    from security_event
    where ${beforeId === null ? Prisma.sql`true` : Prisma.sql`id < ${beforeId.toString()}::bigint`}
    order by id desc
    limit ${limit}::int`);
