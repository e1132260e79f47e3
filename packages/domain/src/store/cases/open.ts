import { Prisma } from '../../generated/client.js';

/**
 * Opens the cases of a relation `to_open (case_id, subject, transaction_id, kind, detail)`. The subject is the
 * transaction, or `<provider>:<event id>` for an event of no recharge of ours. One case of a kind is open per subject:
 * a provider that repeats itself does not fill the desk.
 */
export const openedCases = Prisma.sql`
  opened_cases as (
    insert into reconciliation_case (id, transaction_id, subject, kind, detail)
    select case_id, transaction_id, subject, kind, detail
    from to_open
    on conflict (subject, kind) where closed_at is null do nothing)`;
