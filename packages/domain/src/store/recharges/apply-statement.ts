import { fundings, kinds } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import { closedCases } from '../cases/close.js';
import { openedCases } from '../cases/open.js';
import { isUncounted, recountedRecharges } from '../ceilings/day-counter.js';
import { answeredEvents } from '../inbox/filing.js';
import { postedJournals } from '../ledger/post.js';
import { originalOf } from '../refunds/original.js';
import { admission, freedLanes, judgedColumns } from './admission.js';
import { type DeliveryOptions, storedDeliveries } from './creation/insert-recharges.js';
import { extraParts } from './decisions/extra-statement.js';
import { furtherColumns, type PlanExtra } from './decisions/plan-extra.js';
import { type PlanRow, planColumns, postingColumns } from './decisions/plan-row.js';
import { insertedTransitions, writtenCalls } from './history-statement.js';
import { noteSince } from './note-since.js';

/** A plan whose rare parts are a typed value beside its row, and not JSON inside it. */
type StatedPlan = Readonly<{ row: PlanRow; extra: PlanExtra | null }>;

/**
 * Writes the decisions of one batch.
 * - Rows are locked in id order, then wallets in name order. Batches with common rows then wait for each other instead
 *   of deadlocking.
 * - The time of the next step counts from when the row's lock was obtained, hence clock_timestamp(). The lock may be
 *   awaited for longer than that time, and now() is the beginning of the statement.
 * - Each row is looked up for its plan. Where a plain join was planned while the tables were empty, it read every
 *   recharge for each batch until statistics were collected: five times the database's time in the first minute.
 * - If the version of a row is no longer the one of the decision, the row is skipped with everything that depends on
 *   it. So is a row of a kind or funding that this release does not know, since a claim is decided before its row is read.
 * - Each part reads from the part before it and carries its columns along. Joins of a batch with itself would cost the
 *   square of its size: for a batch of 64 recharges, one settlement took 500 us of the database's time with joins and
 *   takes 230 us without.
 * - A part that no plan of the batch needs is left out. A part costs the database time even if it finds no row.
 */
export const writeStatement = (plans: readonly StatedPlan[], options: DeliveryOptions): Prisma.Sql => {
  const isNeeded = (by: (plan: PlanRow) => boolean): boolean => plans.some(({ row }) => by(row));
  const hasExtra = (by: (extra: PlanExtra) => boolean): boolean =>
    plans.some(({ extra }) => extra !== null && by(extra));
  const isRecounting = isNeeded(({ from, to }) => isUncounted(from) !== isUncounted(to));
  const hasEvents = isNeeded(({ eventId }) => eventId !== null);
  const isJudging = isNeeded(({ heldInMs }) => heldInMs !== null);
  const isDelivering = isNeeded(({ deliveryId }) => deliveryId !== null);
  const hasMoves = isNeeded(({ verdict }) => verdict === 'moved');
  const parts = [
    lockedPlans(isJudging),
    ...(isJudging ? [admission] : []),
    movedRecharges(isJudging ? 'admitted_plans' : 'locked_plans'),
    ...(isNeeded(({ freesLane }) => freesLane) ? [freedLanes] : []),
    insertedTransitions,
    ...(isNeeded(({ calls }) => calls.length > 0) ? [writtenCalls] : []),
    ...(isRecounting ? [recountedRecharges] : []),
    ...(isNeeded(({ slot }) => slot !== null)
      ? [
          toPost({ isRecounting, isDelivering, hasFurther: hasExtra(({ further }) => further.length > 0) }),
          postedJournals,
        ]
      : []),
    ...(isDelivering ? [storedDeliveries(options)] : []),
    ...(hasEvents ? [processedEvents, answered] : []),
    ...(hasEvents || hasMoves ? [toClose(hasEvents), closedCases] : []),
    ...(isNeeded(({ caseKind }) => caseKind !== null) ? [toOpen, openedCases] : []),
    ...extraParts(hasExtra, options),
  ];
  return Prisma.sql`
    with
    input as ${planColumns.from(plans.map(({ row }) => row))},
    ${Prisma.join(parts, ',\n')}
    select id, "createdAt", case when claimed then ${claimedColumns} end as claimed, null as held,
      case
        when "deliveryId" is not null then payee ->> 'provider'
        when extra is not null then provider end as "deliveredBy"
    from moved_recharges
    ${isJudging ? Prisma.sql`union all select id, "createdAt", null, reason, null from held_claims` : Prisma.empty}`;
};

const lockedPlans = (isJudging: boolean): Prisma.Sql => Prisma.sql`
  locked_plans as materialized (
    select input.*, recharge.refusals${isJudging ? judgedColumns : Prisma.empty}
    from (select * from input order by id) input
    cross join lateral (
      select *
      from recharge_transaction
      where id = input.id and version = input.version
      for update) recharge
    where recharge.provider = coalesce(input.provider, recharge.provider)
      and recharge.provider_account = coalesce(input."providerAccount", recharge.provider_account)
      and recharge.kind = any(${[...kinds]}::text[])
      and recharge.funding = any(${[...fundings]}::text[]))`;

const movedRecharges = (plans: 'locked_plans' | 'admitted_plans'): Prisma.Sql => Prisma.sql`
  moved_recharges as (
    update recharge_transaction recharge
    set
      state = plan."to",
      version = recharge.version + 1,
      seq = recharge.seq + plan.filed::int,
      attempt = recharge.attempt + plan.claimed::int,
      confirmation = plan.confirmation,
      next_step = plan."nextStep",
      due_at = least(
        clock_timestamp() + plan."dueInMs" * interval '1 ms',
        -- Once nobody can pay any more, the provider is asked. LEAST ignores null.
        case when plan."nextStep" = 'ask' and coalesce(plan."payableUntil", recharge.payable_until) > now()
          then coalesce(plan."payableUntil", recharge.payable_until) end),
      asks = case when plan.polled then recharge.asks + 1 else 0 end,
      waiting = ${noteSince(Prisma.sql`plan.waiting`)},
      refusals = case when plan.verdict = 'moved' then 0 else recharge.refusals end,
      -- An order that is sent again may get another id.
      provider_order_id = case when (plan.extra ->> 'isSentAgain')::boolean is not true
        then coalesce(recharge.provider_order_id, plan."providerOrderId") end,
      external_reference = coalesce(plan."externalReference", recharge.external_reference),
      -- Without a next step the recharge is final, and nobody has to pay any more.
      action = case when plan."nextStep" is not null then coalesce(plan.action, recharge.action) end,
      payable_until = coalesce(plan."payableUntil", recharge.payable_until),
      -- A recharge whose late money is adopted has failed no longer.
      failure_code = case when plan."to" <> 'SUCCEEDED' then coalesce(plan."failureCode", recharge.failure_code) end,
      failure_message = case when plan."to" <> 'SUCCEEDED'
        then coalesce(plan."failureMessage", recharge.failure_message) end,
      submitted_at = case when plan."to" = 'SUBMITTED' then coalesce(recharge.submitted_at, now())
        else recharge.submitted_at end,
      succeeded_at = case when plan."to" = 'SUCCEEDED' then coalesce(recharge.succeeded_at, now())
        else recharge.succeeded_at end,
      settled_said_at = case when plan."to" = 'SUCCEEDED' then coalesce(recharge.settled_said_at, plan."saidAt") end,
      failed_at = case when plan."to" = 'FAILED' then coalesce(recharge.failed_at, now())
        else recharge.failed_at end,
      canceled_at = case when plan."to" = 'CANCELED' then coalesce(recharge.canceled_at, now())
        else recharge.canceled_at end,
      updated_at = case when plan.verdict = 'moved' or plan.claimed then now() else recharge.updated_at end
    from ${Prisma.raw(plans)} plan
    where recharge.id = plan.id and recharge.version = plan.version
    returning ${movedColumns})`;

const movedColumns = Prisma.sql`
      recharge.id,
      recharge.client_id,
      recharge.day_step,
      recharge.seq,
      recharge.created_at as "createdAt",
      recharge.kind,
      recharge.account_id,
      recharge.amount_minor,
      recharge.currency,
      recharge.provider,
      recharge.provider_account,
      recharge.funding,
      recharge.payee,
      recharge.lane,
      recharge.provider_order_id,
      recharge.payment_method,
      recharge.refund_of as refunded_id,
      plan.claimed,
      plan.refusals,
      plan.verdict,
      plan.news,
      plan."from",
      plan."to",
      plan.source,
      plan.reason,
      plan.filed,
      plan.calls,
      plan."journalId",
      plan.slot,
      plan.postings,
      plan."caseId",
      plan."caseKind",
      plan."caseDetail",
      plan."eventId",
      plan."deliveryId",
      plan."holdJournalId",
      plan."holdPostings",
      plan.extra`;

/** The facts of a claimed recharge that its provider call needs. */
const claimedColumns = Prisma.sql`(
    select jsonb_build_object(
      'kind', kind,
      'accountId', account_id,
      'amountMinor', amount_minor::text,
      'currency', currency,
      'provider', provider,
      'providerAccount', provider_account,
      'funding', funding,
      'payee', payee,
      'lane', lane,
      'providerOrderId', provider_order_id,
      'original', ${originalOf(Prisma.raw('moved_recharges.id'), Prisma.raw('refunded_id'))},
      'paymentMethod', payment_method,
      'metadata', request.metadata,
      'idempotencyKey', request.idempotency_key,
      'correlationId', request.correlation_id)
    from recharge_request request
    where request.transaction_id = id)`;

// The postings of holds get numbers from this one on. No journal has as many postings.
const HOLDS_FROM = 1_000;

type PostingParts = Readonly<{ isRecounting: boolean; isDelivering: boolean; hasFurther: boolean }>;

const toPost = ({ isRecounting, isDelivering, hasFurther }: PostingParts): Prisma.Sql => Prisma.sql`
  to_post as materialized (
    select
      recharge."journalId" as journal_id,
      recharge.id as transaction_id,
      recharge.slot,
      posting.ord,
      posting.debit,
      posting.credit,
      posting.amount,
      posting.currency
    from moved_recharges recharge, rows from (jsonb_to_recordset(recharge.postings) as (${postingColumns.list}))
      with ordinality as posting(debit, credit, amount, currency, ord)
    where recharge.slot is not null
      ${isRecounting ? countersBeforeWallets : Prisma.empty}
    ${hasFurther ? furtherPostings : Prisma.empty}
    ${isDelivering ? holdsOfDeliveries : Prisma.empty})`;

/** The holds of deliveries come after all other postings, so that the collected money is there. */
const holdsOfDeliveries = Prisma.sql`
    union all
    select
      collect."holdJournalId",
      collect."deliveryId",
      'hold',
      posting.ord + ${HOLDS_FROM}::int,
      posting.debit,
      posting.credit,
      posting.amount,
      posting.currency
    from moved_recharges collect, rows from (jsonb_to_recordset(collect."holdPostings") as (${postingColumns.list}))
      with ordinality as posting(debit, credit, amount, currency, ord)
    where collect."deliveryId" is not null`;

/** The second journal of a resolution comes after the first, which may give back the hold that it takes from. */
const furtherPostings = Prisma.sql`
    union all
    select
      further."journalId",
      recharge.id,
      further.slot,
      posting.ord + ${HOLDS_FROM}::int,
      posting.debit,
      posting.credit,
      posting.amount,
      posting.currency
    from moved_recharges recharge,
      jsonb_to_recordset(recharge.extra -> 'further') as further(${furtherColumns.list}),
      rows from (jsonb_to_recordset(further.postings) as (${postingColumns.list}))
        with ordinality as posting(debit, credit, amount, currency, ord)
    where recharge.extra is not null`;

/** Counters are locked before wallets. */
const countersBeforeWallets = Prisma.sql`and (select count(*) from recounted_recharges) >= 0`;

const processedEvents = Prisma.sql`
  processed_events as (
    update webhook_event event
    set processed_at = now(), due_at = null, verdict = recharge.verdict, transaction_id = recharge.id
    from moved_recharges recharge
    where event.id = recharge."eventId")`;

const answered = Prisma.sql`
  answered_events as (
    select event.provider || ':' || event.event_id as subject
    from moved_recharges recharge
    join webhook_event event on event.id = recharge."eventId"
    -- The verdict from before this statement: it says that the event could not be read or processed.
    where event.verdict is not null)`;

const toClose = (hasEvents: boolean): Prisma.Sql => Prisma.sql`
  to_close as (
    ${hasEvents ? Prisma.sql`${answeredEvents('answered_events')} union all` : Prisma.empty}
    select id::text as subject, 'unprocessable' as kind, 'a later report was recorded' as resolution
    from moved_recharges
    where refusals > 0 and verdict = 'moved')`;

const toOpen = Prisma.sql`
  to_open as (
    select
      "caseId" as case_id,
      id::text as subject,
      id as transaction_id,
      "caseKind" as kind,
      "caseDetail" as detail
    from moved_recharges
    where "caseKind" is not null and (extra is null or extra -> 'suspended' = '[]'))`;
