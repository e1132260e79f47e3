import { Prisma } from '../../../generated/client.js';
import { actionColumns, resolvedCases } from '../../cases/action.js';
import { openedHoldingCases } from '../../cases/open.js';
import { type DeliveryOptions, insertedRefunds } from '../creation/insert-recharges.js';
import { type PlanExtra, returnedColumns, settledColumns } from './plan-extra.js';

type HasExtra = (by: (extra: PlanExtra) => boolean) => boolean;

/** The parts of the statement that write the rare parts of plans. Most batches need none of them. */
export function extraParts(hasExtra: HasExtra, options: DeliveryOptions): Prisma.Sql[] {
  const isReopening = hasExtra(({ reopenedId }) => reopenedId !== null);
  const isHolding = isReopening || hasExtra(({ suspended }) => suspended.length > 0);
  return [
    ...(hasExtra(({ settled }) => settled.length > 0) ? [settledCases] : []),
    ...(hasExtra(({ actions }) => actions.length > 0) ? [actions, resolvedCases] : []),
    ...(hasExtra(({ returned }) => returned.length > 0) ? [acceptedReturns, insertedRefunds(options)] : []),
    ...(isReopening ? [changedOriginals] : []),
    ...(isHolding ? [toHold(isReopening), openedHoldingCases] : []),
  ];
}

const settledCases = Prisma.sql`
  settled_cases as (
    update reconciliation_case some_case
    set closed_at = now(), resolution = settled.because
    from moved_recharges recharge,
      jsonb_to_recordset(recharge.extra -> 'settled') as settled(${settledColumns.list})
    where some_case.id = settled."caseId" and some_case.closed_at is null)`;

const actions = Prisma.sql`
  actions as (
    select action.*
    from moved_recharges recharge,
      jsonb_to_recordset(recharge.extra -> 'actions') as action(${actionColumns.list}))`;

/** The refunds that return money from suspense. The key of such a refund contains a space, so no client can send it. */
const acceptedReturns = Prisma.sql`
  accepted as (
    select
      returned.id,
      recharge.client_id as "clientId",
      'return ' || returned.id as "idempotencyKey",
      'return ' || returned.id as fingerprint,
      recharge.id as of,
      returned."amountMinor" as amount,
      returned.currency,
      'suspense' as funding,
      recharge.reason,
      request.correlation_id as "correlationId"
    from moved_recharges recharge
    cross join jsonb_to_recordset(recharge.extra -> 'returned') as returned(${returnedColumns.list})
    join recharge_request request on request.transaction_id = recharge.id)`;

/**
 * The recharges whose cases are opened again. Such a case may be open, so that money is added to it. A decision about
 * it that did not see this money must not close it, and it waits here or finds another version.
 */
const changedOriginals = Prisma.sql`
  changed_originals as (
    update recharge_transaction original
    set version = original.version + 1
    from moved_recharges refund
    where refund.extra ->> 'reopenedId' is not null and original.id = refund.refunded_id
    returning original.id)`;

const toHold = (isReopening: boolean): Prisma.Sql => Prisma.sql`
  to_hold as (
    select
      "caseId" as case_id,
      id::text as subject,
      id as transaction_id,
      "caseKind" as kind,
      "caseDetail" as detail,
      extra -> 'suspended' as suspended
    from moved_recharges
    where "caseKind" is not null and extra -> 'suspended' <> '[]'
    ${isReopening ? reopened : Prisma.empty})`;

// The originals are counted, so that they are locked before their cases.
const reopened = Prisma.sql`
    union all
    select
      (recharge.extra ->> 'reopenedId')::uuid,
      returned.subject,
      returned.transaction_id,
      returned.kind,
      returned.detail || jsonb_build_object('returnedBy', recharge.id, 'reason', recharge.reason),
      returned.suspended
    from moved_recharges recharge
    join reconciliation_case returned on returned.returned_by = recharge.id
    where recharge.extra ->> 'reopenedId' is not null and (select count(*) from changed_originals) >= 0`;
