import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isNewPayeeOf } from '../payees/new-payee.js';
import { joinedCanary, judgedPayee, lineCanary } from './line-canary.js';
import { lineColumns } from './view.js';
import type { NextPlanLine } from './work.js';

// A look at one held line costs some twenty buffers.
const LOOKED_AT_TOGETHER = 64;
const GAP_MIN_MS = 2_000;
const GAP_MAX_MS = 30_000;

/** Some held lines of a plan that were due for a look. */
export type HeldLook = Readonly<{
  /** The lines among them that need not be held any longer. */
  lines: readonly NextPlanLine[];
  /** Whether more held lines may be due for a look. */
  isMore: boolean;
}>;

/** Looks at the held lines of a plan that are due. The gap between two looks at one line grows with its age. */
export async function nextHeldLines(run: Run, planId: string, max: number): Promise<HeldLook> {
  const lines = await run<NextPlanLine>(Prisma.sql`
    with
    due as materialized (
      select held.place
      from recharge_plan_held held
      join recharge_plan plan on plan.id = held.plan_id
      where held.plan_id = ${planId}::uuid and held.due_at <= now() and plan.status = 'running'
      order by held.due_at, held.place
      limit ${LOOKED_AT_TOGETHER}::int
      for update of held skip locked),
    looked_at as (
      update recharge_plan_held held
      set due_at = now() + least(greatest((now() - held.at) / 20, ${GAP_MIN_MS}::int * interval '1 ms'),
        ${GAP_MAX_MS}::int * interval '1 ms')
      from due
      where held.plan_id = ${planId}::uuid and held.place = due.place)
    select ${lineColumns}, ${lineCanary} as canary, ${judgedPayee} as "judgedPayee"
    from due
    join recharge_plan plan on plan.id = ${planId}::uuid
    join recharge_plan_line line on line.plan_id = plan.id and line.place = due.place
    ${joinedCanary}
    order by line.place`);
  return {
    lines: lines.filter(({ canary }) => canary !== 'under_way').slice(0, max),
    isMore: lines.length === LOOKED_AT_TOGETHER,
  };
}

/** The accounts among these whose payee is new. Their first money from a plan with a canary is a small line. */
export async function newPayeesOf(
  run: Run,
  accountIds: readonly string[],
  currency: string,
): Promise<ReadonlySet<string>> {
  const rows = await run<{ accountId: string }>(Prisma.sql`
    select payee.account_id as "accountId"
    from payee
    where payee.account_id = any(${[...accountIds]}::text[]) and payee.currency = ${currency}
      and (${isNewPayeeOf(Prisma.sql`payee.account_id`)})`);
  return new Set(rows.map(({ accountId }) => accountId));
}
