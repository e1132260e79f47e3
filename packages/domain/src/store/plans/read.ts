import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import {
  buffersOfLook,
  countsByStatus,
  isPlanVisible,
  joinedRecharges,
  lineColumns,
  lineStatus,
  lineStatuses,
  type PlanLineStatus,
  type PlanLineView,
  type PlanView,
  type PlanViewer,
  planColumns,
} from './view.js';

/** The number of lines with one status, and the sum of their amounts. */
export type PlanSum = Readonly<{ status: PlanLineStatus; lines: number; amountMinor: bigint }>;

export type PlanProgress = PlanView & Readonly<{ sums: readonly PlanSum[] }>;

export type PlanFilter = Readonly<{
  viewer: PlanViewer;
  /** `nextId` of the previous page. */
  beforeId?: string | undefined;
  limit: number;
}>;

export type PlanPage = Readonly<{ rows: readonly PlanView[]; nextId: string | null }>;

export async function planById(run: Run, id: string, viewer: PlanViewer): Promise<PlanView | null> {
  const [row] = await run<PlanView>(Prisma.sql`
    select ${planColumns} from recharge_plan plan where plan.id = ${id}::uuid and ${isPlanVisible(viewer)}`);
  return row ?? null;
}

export async function planByName(run: Run, clientId: string, name: string): Promise<PlanView | null> {
  const [row] = await run<PlanView>(Prisma.sql`
    select ${planColumns} from recharge_plan plan where plan.client_id = ${clientId}::uuid and plan.name = ${name}`);
  return row ?? null;
}

type CountedLines = Readonly<{ planId: string; status: PlanLineStatus; lines: number; amount: bigint }>;

/** Plans with their progress, from the counts that are kept of their lines. */
export async function planProgress(run: Run, plans: readonly PlanView[]): Promise<PlanProgress[]> {
  if (plans.length === 0) return [];
  const rows = await run<CountedLines>(Prisma.sql`
    select plan_id as "planId", status, sum(lines)::int as lines, sum(amount_minor)::bigint as amount
    from recharge_plan_count kept
    ${countsByStatus}
    where kept.plan_id = any(${plans.map(({ id }) => id)}::uuid[])
    group by plan_id, status`);
  return plans.map((plan) => {
    const counted = rows.filter(({ planId }) => planId === plan.id);
    return { ...plan, sums: withUnstarted(plan, counted) };
  });
}

/** The sums of a plan in the order of the statuses, without those of no line. */
function withUnstarted(plan: PlanView, counted: readonly CountedLines[]): PlanSum[] {
  const lines = counted.reduce((sum, row) => sum + row.lines, 0);
  const amount = counted.reduce((sum, row) => sum + row.amount, 0n);
  const rest = {
    status: 'not_started',
    lines: plan.lines - lines,
    amount: plan.totalMinor - amount,
  } as const;
  const all = [...counted, rest];
  return lineStatuses
    .flatMap((status) => all.filter((one) => one.status === status && one.lines !== 0))
    .map((one) => ({ status: one.status, lines: one.lines, amountMinor: one.amount }));
}

// A statement looks at as many plans as this number of buffers allows.
const BUFFERS_TOGETHER = 1_500;
// A key that covers few of its client's plans gets a shorter page after this number of statements.
const STATEMENTS_MAX = 20;

/**
 * Plans, newest first. The search for a page passes a limited number of plans that the viewer does not see. So a page
 * may be short or empty, and still have a next page.
 */
export async function listPlans(run: Run, { viewer, beforeId, limit }: PlanFilter): Promise<PlanPage> {
  const together = Math.ceil(Math.min(limit + 1, BUFFERS_TOGETHER / (2 + buffersOfLook(viewer))));
  const rows: PlanView[] = [];
  let before = beforeId;
  for (let statements = 0; statements < STATEMENTS_MAX; statements++) {
    const looked = await lookedAt(run, viewer, before, together);
    for (const { isVisible, ...plan } of looked) if (isVisible) rows.push(plan);
    if (rows.length > limit) return { rows: rows.slice(0, limit), nextId: rows[limit - 1]!.id };
    if (looked.length < together) return { rows, nextId: null };
    before = looked.at(-1)!.id;
  }
  return { rows, nextId: before! };
}

/** The newest plans of the viewer's client before one, and whether the viewer sees them. */
const lookedAt = (
  run: Run,
  viewer: PlanViewer,
  beforeId: string | undefined,
  count: number,
): Promise<(PlanView & { isVisible: boolean })[]> =>
  run<PlanView & { isVisible: boolean }>(Prisma.sql`
    select ${planColumns}, ${isPlanVisible(viewer)} as "isVisible"
    from recharge_plan plan
    where ${viewer === null ? Prisma.sql`true` : Prisma.sql`plan.client_id = ${viewer.clientId}::uuid`}
      and ${beforeId === undefined ? Prisma.sql`true` : Prisma.sql`plan.id < ${beforeId}::uuid`}
    order by plan.id desc
    limit ${count}::int`);

/** The lines after a place, in their order. */
export const planLines = (
  run: Run,
  planId: string,
  { afterPlace, limit }: Readonly<{ afterPlace: number; limit: number }>,
): Promise<PlanLineView[]> =>
  run<PlanLineView>(Prisma.sql`
    select
      ${lineColumns},
      ${lineStatus} as status,
      recharge.id as "transactionId",
      held.place is not null and recharge.id is null and refusal.place is null and plan.status <> 'canceled' as "isHeld",
      case when ${lineStatus} = 'failed'
        then coalesce(recharge.failure_code, delivery.failure_code, refusal.code, 'PROVIDER_ERROR') end as "failureCode",
      case when ${lineStatus} = 'failed'
        then coalesce(recharge.failure_message, delivery.failure_message, refusal.message, '') end as "failureMessage"
    from recharge_plan plan
    join recharge_plan_line line on line.plan_id = plan.id
    ${joinedRecharges}
    left join recharge_plan_held held on held.plan_id = line.plan_id and held.place = line.place
    where plan.id = ${planId}::uuid and line.place > ${afterPlace}::int
    order by line.place
    limit ${limit}::int`);
