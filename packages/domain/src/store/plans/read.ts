import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import {
  isPlanVisible,
  joinedRecharges,
  lineColumns,
  lineStatus,
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

/** A plan with its progress. It looks at each line, at some twelve buffers a line. */
export async function planProgress(run: Run, plan: PlanView): Promise<PlanProgress> {
  const rows = await run<{ status: PlanLineStatus; lines: number; amount: bigint }>(Prisma.sql`
    select ${lineStatus} as status, count(*)::int as lines, sum(line.amount_minor)::bigint as amount
    from recharge_plan plan
    join recharge_plan_line line on line.plan_id = plan.id
    ${joinedRecharges}
    where plan.id = ${plan.id}::uuid
    group by 1`);
  return {
    ...plan,
    sums: rows.map(({ status, lines, amount }) => ({ status, lines, amountMinor: amount })),
  };
}

/** Plans, newest first. */
export async function listPlans(run: Run, { viewer, beforeId, limit }: PlanFilter): Promise<PlanPage> {
  const rows = await run<PlanView>(Prisma.sql`
    select ${planColumns}
    from recharge_plan plan
    where ${isPlanVisible(viewer)}
      and ${beforeId === undefined ? Prisma.sql`true` : Prisma.sql`plan.id < ${beforeId}::uuid`}
    order by plan.id desc
    limit ${limit + 1}::int`);
  return rows.length > limit
    ? { rows: rows.slice(0, limit), nextId: rows[limit - 1]!.id }
    : { rows, nextId: null };
}

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
      case when ${lineStatus} = 'failed'
        then coalesce(recharge.failure_code, delivery.failure_code, refusal.code, 'PROVIDER_ERROR') end as "failureCode",
      case when ${lineStatus} = 'failed'
        then coalesce(recharge.failure_message, delivery.failure_message, refusal.message, '') end as "failureMessage"
    from recharge_plan plan
    join recharge_plan_line line on line.plan_id = plan.id
    ${joinedRecharges}
    where plan.id = ${planId}::uuid and line.place > ${afterPlace}::int
    order by line.place
    limit ${limit}::int`);
