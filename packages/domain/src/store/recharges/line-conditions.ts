import { Prisma } from '../../generated/client.js';
import { payeeAsKept } from '../payees/frozen.js';

/** The conditions under which a line of a plan gets its recharge, in the form in which a statement receives them. */
export const conditionColumns = { judgedPayee: 'text?', runningPlanId: 'uuid?' } as const;

type LineConditions = Readonly<{ judgedPayee: string | null; runningPlanId: string | null }>;

/** The plans that the recharges depend on. Null: none of the recharges has a condition. */
export const plansOf = (recharges: readonly LineConditions[]): readonly string[] | null =>
  recharges.some(({ judgedPayee, runningPlanId }) => judgedPayee !== null || runningPlanId !== null)
    ? [...new Set(recharges.flatMap(({ runningPlanId }) => runningPlanId ?? []))]
    : null;

/**
 * The plans that run. They are locked until the commit, so a pause is answered after the lines that are being stored, and
 * after its answer no line is stored. Postgres reads a row whose lock was awaited as it is after the wait, but only if its
 * condition depends on no other part of the statement. So the ids are a parameter.
 */
export const lockedPlans = (ids: readonly string[]): Prisma.Sql => Prisma.sql`
  locked_plans as materialized (
    select plan.id
    from recharge_plan plan
    where plan.id = any(${[...ids]}::uuid[]) and plan.status = 'running'
    order by plan.id
    for share)`;

export const isOfStoppedPlan = Prisma.sql`
        when input."runningPlanId" is not null
          and input."runningPlanId" not in (select id from locked_plans) then 'plan_stopped'`;

export const isOtherPayee = Prisma.sql`
        when input."judgedPayee"::jsonb <> coalesce(${payeeAsKept}, 'null'::jsonb) then 'payee_changed'`;
