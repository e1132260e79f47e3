import { Prisma } from '../../generated/client.js';

/**
 * Opens the cases of a relation `to_open (case_id, subject, transaction_id, kind, detail)`. The subject is the id of
 * the transaction, or `<provider>:<event id>` for a case about an event. A subject has one open case per kind, so a
 * provider that repeats itself opens no second case.
 */
export const openedCases = Prisma.sql`
  opened_cases as (
    insert into reconciliation_case (id, transaction_id, subject, kind, detail)
    select case_id, transaction_id, subject, kind, detail
    from to_open
    on conflict (subject, kind) where closed_at is null do nothing)`;
