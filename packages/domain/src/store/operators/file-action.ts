import { Prisma } from '../../generated/client.js';

/** Who changes something: a user of the console with the role at that time, or a person at the command line. */
export type Actor = Readonly<{ actor: string; role: string }>;

/** The role of a person at the command line. */
export const COMMAND_LINE = 'command_line';

/** What a person did, to be filed. The chain seals it. */
export type PersonsAct = Readonly<{
  id: string;
  actor: string;
  role: string;
  verb: string | Prisma.Sql;
  subject: string;
  reason: string;
  /** The recharge that the act is about, if it is about one. */
  transactionId?: string | Prisma.Sql | null;
  /** The case that the act is about, if it is about one. */
  caseId?: string | null;
}>;

/** Files the actions of a relation that has the columns of an action. */
export const filedActions = (from: 'resolved_cases' | 'acts'): Prisma.Sql => Prisma.sql`
  filed_actions as (
    insert into operator_action (
      id, transaction_id, case_id, actor, role, verb, subject, reason, evidence, client_id, idempotency_key, fingerprint)
    select
      id, transaction_id, "caseId", actor, role, verb, subject, reason, evidence, "clientId", "idempotencyKey", fingerprint
    from ${Prisma.raw(from)})`;

/** The parts of a statement that file an act, if its relation `done` has a row. */
export const filedAct = ({
  id,
  actor,
  role,
  verb,
  subject,
  reason,
  transactionId = null,
  caseId = null,
}: PersonsAct): Prisma.Sql => Prisma.sql`
  acts as (
    select
      ${id}::uuid as id,
      (${transactionId})::uuid as transaction_id,
      ${caseId}::uuid as "caseId",
      ${actor}::text as actor,
      ${role}::text as role,
      (${verb})::text as verb,
      ${subject}::text as subject,
      ${reason}::text as reason,
      null::jsonb as evidence,
      null::uuid as "clientId",
      null::text as "idempotencyKey",
      null::text as fingerprint
    from (select from done limit 1) only_if_done),
  ${filedActions('acts')}`;
