import { Prisma } from '../../generated/client.js';
import { columns, type Row } from '../database/rows.js';
import { filedActions } from '../operators/file-action.js';

/** A person's action about a case, in the form that a statement writes. */
export const actionColumns = columns({
  id: 'uuid',
  caseId: 'uuid',
  actor: 'text',
  role: 'text',
  verb: 'text',
  reason: 'text',
  evidence: 'jsonb?',
  clientId: 'uuid?',
  idempotencyKey: 'text?',
  fingerprint: 'text?',
  returnedBy: 'uuid?',
});

export type ActionRow = Row<typeof actionColumns>;

/** Closes the open cases that a relation `actions` with the columns of an action names, and files the actions. */
export const resolvedCases = Prisma.sql`
  resolved_cases as (
    update reconciliation_case some_case
    set
      closed_at = now(),
      resolution = action.verb || ': ' || action.reason,
      verb = action.verb,
      actor = action.actor,
      reason = action.reason,
      evidence = action.evidence,
      returned_by = action."returnedBy"
    from actions action
    where some_case.id = action."caseId" and some_case.closed_at is null
    returning action.*, some_case.transaction_id, some_case.subject),
  ${filedActions('resolved_cases')}`;
