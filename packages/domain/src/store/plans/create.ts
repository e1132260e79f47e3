import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { columns } from '../database/rows.js';
import { type NewPlan, planFingerprint } from './new-plan.js';
import { patiently } from './patiently.js';
import { type PlanView, planColumns } from './view.js';

export type PlanProblem = 'unknown_client' | 'key_used_with_other_body' | 'name_taken';

export type CreatedPlan =
  | Readonly<{ ok: true; replayed: boolean; plan: PlanView }>
  | Readonly<{ ok: false; problem: PlanProblem }>;

const lineRows = columns({
  place: 'int',
  line: 'int',
  accountId: 'text',
  amountMinor: 'bigint',
  paymentMethod: 'text',
  destination: 'text?',
  orderReference: 'text?',
  providerAccount: 'text?',
});

/**
 * Stores a plan with all its lines, or finds the one that the name or the key stands for. A plan with the same name and
 * content is the same plan.
 */
export async function createPlan(run: Run, plan: NewPlan): Promise<CreatedPlan> {
  const fingerprint = planFingerprint(plan);
  // The same file may be uploaded twice at once. The second one waits for the first.
  const [counted] = await patiently<{ clients: number }>(run, insertPlan(plan, fingerprint));
  if (counted!.clients === 0) return { ok: false, problem: 'unknown_client' };
  // This is a statement of its own, because the plan that has the name or the key may have been committed after the
  // insert began.
  const known = await run<PlanView & { fingerprint: string; isOfKey: boolean }>(Prisma.sql`
    select
      plan.fingerprint,
      coalesce(plan.idempotency_key = ${plan.idempotencyKey}::text, false) as "isOfKey",
      ${planColumns}
    from recharge_plan plan
    where plan.client_id = ${plan.clientId}::uuid
      and (plan.name = ${plan.name} or plan.idempotency_key = ${plan.idempotencyKey}::text)
    order by 2 desc`);
  const [first] = known;
  if (!first) throw new Error(`plan ${plan.id} is not stored, and no other has its name or its key`);
  const { fingerprint: stored, isOfKey, ...view } = first;
  if (stored === fingerprint) return { ok: true, replayed: view.id !== plan.id, plan: view };
  return { ok: false, problem: isOfKey ? 'key_used_with_other_body' : 'name_taken' };
}

const insertPlan = (plan: NewPlan, fingerprint: string): Prisma.Sql => Prisma.sql`
  with
  input as materialized ${lineRows.from(plan.lines.map((line, at) => ({ ...line, place: at + 1 })))},
  known_client as materialized (
    select id from client where id = ${plan.clientId}::uuid),
  ${insertedPlan(plan, fingerprint)},
  inserted_lines as (
    insert into recharge_plan_line (
      plan_id,
      place,
      line,
      account_id,
      amount_minor,
      payment_method,
      destination,
      order_reference,
      provider_account)
    select
      inserted_plan.id,
      place,
      line,
      "accountId",
      "amountMinor",
      "paymentMethod",
      destination,
      "orderReference",
      "providerAccount"
    from inserted_plan
    cross join input)
  select count(*)::int as clients from known_client`;

const insertedPlan = (plan: NewPlan, fingerprint: string): Prisma.Sql => Prisma.sql`
  inserted_plan as (
    insert into recharge_plan (
      id,
      client_id,
      name,
      idempotency_key,
      fingerprint,
      currency,
      lines,
      total_minor,
      budget_minor,
      canary_minor,
      correlation_id,
      created_by)
    select
      ${plan.id}::uuid,
      id,
      ${plan.name},
      ${plan.idempotencyKey}::text,
      ${fingerprint},
      ${plan.currency},
      ${plan.lines.length}::int,
      ${plan.totalMinor}::bigint,
      ${plan.budgetMinor}::bigint,
      ${plan.canaryMinor}::bigint,
      ${plan.correlationId},
      ${plan.createdBy}
    from known_client
    on conflict do nothing
    returning id)`;
