import { Prisma } from '../../generated/client.js';

/** Closes the open cases that a relation `to_close (subject, kind, resolution)` names. */
export const closedCases = Prisma.sql`
  closed_cases as (
    update reconciliation_case
    set closed_at = now(), resolution = to_close.resolution
    from to_close
    where reconciliation_case.subject = to_close.subject
      and reconciliation_case.kind = to_close.kind
      and reconciliation_case.closed_at is null)`;
