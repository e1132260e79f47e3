import { PLAN_LINES_MAX, type PlanStatus } from '../../core/plan.js';
import { Prisma } from '../../generated/client.js';
import { areExact, rangesBeside } from '../reads/account-ranges.js';
import type { PlanLine } from './new-plan.js';

/** A plan as its client sees it. */
export type PlanView = Readonly<{
  id: string;
  clientId: string;
  name: string;
  status: PlanStatus;
  currency: string;
  lines: number;
  totalMinor: bigint;
  budgetMinor: bigint | null;
  /** The most that goes to a new payee before something has arrived there. Null: no such limit. */
  canaryMinor: bigint | null;
  /** The id of a key, or `operator`. */
  createdBy: string;
  /** The key whose accounts and ceilings bound the lines, or `operator`. */
  startedBy: string | null;
  /** The reason as a code, if it was not a person who paused the plan. */
  pausedBecause: string | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}>;

/** The columns of a view, from `recharge_plan plan`. */
export const planColumns = Prisma.sql`
  plan.id,
  plan.client_id as "clientId",
  plan.name,
  plan.status,
  plan.currency,
  plan.lines,
  plan.total_minor as "totalMinor",
  plan.budget_minor as "budgetMinor",
  plan.canary_minor as "canaryMinor",
  plan.created_by as "createdBy",
  plan.started_by as "startedBy",
  plan.paused_because as "pausedBecause",
  plan.created_at as "createdAt",
  plan.started_at as "startedAt",
  plan.finished_at as "finishedAt"`;

export const lineStatuses = [
  'not_started',
  'accepted',
  'in_progress',
  'succeeded',
  'failed',
  'canceled',
] as const;
/** The status of a line's whole recharge. A line that was refused has no recharge, and failed. */
export type PlanLineStatus = (typeof lineStatuses)[number];

export type PlanLineView = PlanLine &
  Readonly<{
    place: number;
    status: PlanLineStatus;
    transactionId: string | null;
    /** Whether the line waits until a small line of its account has arrived at the payee. */
    isHeld: boolean;
    failureCode: string | null;
    failureMessage: string | null;
  }>;

/** The columns of a line, from `linesOf`. */
export const lineColumns = Prisma.sql`
  line.place,
  line.line,
  line.account_id as "accountId",
  line.amount_minor as "amountMinor",
  line.payment_method as "paymentMethod",
  line.destination,
  line.order_reference as "orderReference",
  line.provider_account as "providerAccount"`;

/**
 * The lines of a relation `line`, each with its recharge, if it has one. The recharge is found by its idempotency key,
 * so nothing has to be written when it is created, and nothing can contradict it.
 */
export const joinedRecharges = Prisma.sql`
  left join recharge_request request on request.client_id = plan.client_id
    and request.idempotency_key = 'plan ' || plan.id || ' ' || line.line
  left join recharge_transaction recharge on recharge.id = request.transaction_id
  left join recharge_transaction delivery on delivery.collected_by = recharge.id
  left join recharge_plan_refusal refusal on refusal.plan_id = line.plan_id and refusal.place = line.place`;

export const lineStatus = Prisma.sql`
  case
    when recharge.id is not null
      then whole_status(recharge.kind, recharge.state, recharge.payee is not null, delivery.state)
    when refusal.place is not null then 'failed'
    else 'not_started' end`;

/** The counts of a relation `kept`, as one row per status. */
export const countsByStatus = Prisma.sql`
  cross join lateral (values
    ('accepted', accepted_lines, accepted_minor),
    ('in_progress', in_progress_lines, in_progress_minor),
    ('succeeded', succeeded_lines, succeeded_minor),
    ('failed', failed_lines, failed_minor),
    ('canceled', canceled_lines, canceled_minor)) as one(status, lines, amount_minor)`;

/** The viewer of plans: a client, and the accounts that its key covers. Null: an operator, who sees all. */
export type PlanViewer = Readonly<{
  clientId: string;
  /** SQL LIKE patterns. */
  accountPatterns: readonly string[];
}> | null;

/** A condition on `plan`. A key sees a plan only if it covers each account of it. */
export function isPlanVisible(viewer: PlanViewer): Prisma.Sql {
  if (viewer === null) return Prisma.sql`true`;
  const own = Prisma.sql`plan.client_id = ${viewer.clientId}::uuid`;
  return seesAll(viewer) ? own : Prisma.sql`(${own} and ${isPlanCovered(viewer)})`;
}

const seesAll = (viewer: PlanViewer): boolean => viewer === null || viewer.accountPatterns.includes('%');

/**
 * Whether the patterns cover every account of the plan. The plan's accounts outside of the ranges of the patterns are
 * sought in an index. If a pattern is not exactly one range, the patterns are also matched against each line.
 */
function isPlanCovered({ accountPatterns }: NonNullable<PlanViewer>): Prisma.Sql {
  const beside = rangesBeside(accountPatterns);
  const covered = Prisma.sql`not exists (
    select
    from unnest(${beside.map(({ lo }) => lo)}::text[], ${beside.map(({ hi }) => hi)}::text[]) as beside(lo, hi)
    cross join lateral (
      select from recharge_plan_line hidden
      where hidden.plan_id = plan.id
        and hidden.account_id collate "C" >= beside.lo and hidden.account_id collate "C" < beside.hi
      limit 1) hidden)`;
  if (areExact(accountPatterns)) return covered;
  return Prisma.sql`${covered} and not exists (
    select from recharge_plan_line hidden
    where hidden.plan_id = plan.id and not hidden.account_id like any(${[...accountPatterns]}::text[]))`;
}

/** The most buffers that it takes to find out whether the viewer sees a plan. */
export function buffersOfLook(viewer: PlanViewer): number {
  if (viewer === null || seesAll(viewer)) return 0;
  const { accountPatterns } = viewer;
  // Some five buffers of the index per range, and a hundred lines per buffer.
  return 5 * rangesBeside(accountPatterns).length + (areExact(accountPatterns) ? 0 : PLAN_LINES_MAX / 25);
}
