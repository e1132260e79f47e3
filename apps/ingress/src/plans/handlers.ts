import type { SortingProviders } from '@replenish/assembly';
import type { Domain, PlanProblem, PlanVerb, PlanViewer } from '@replenish/domain';
import { newId } from '@replenish/runtime';
import type { z } from 'zod';
import { likeOf } from '../auth/account-patterns.js';
import { answer, exactJson, preferredForm } from '../http/answers/answer.js';
import { sendCsv } from '../http/answers/csv.js';
import { Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { callOf } from '../http/call.js';
import type { KeyedCall } from '../http/operation.js';
import { cursorOf, idOf } from '../input/cursor.js';
import { neededKey } from '../input/key-header.js';
import { lineBody, planBody, progressBody } from './body.js';
import { tryOutPlan } from './dry-run.js';
import type { PlanInput, PlanLinesQuery, PlanQuery, PlansQuery } from './input.js';
import { readPlan, refuseUnfit } from './read-plan.js';

export type PlanDeps = Readonly<{
  domain: Pick<Domain, 'plans'>;
  providers: SortingProviders;
}>;

/** Sums can exceed 2^53. */
const EXACT = { json: exactJson };

/** POST /v1/plans */
export async function createPlan(
  deps: PlanDeps,
  call: KeyedCall<z.infer<typeof PlanQuery>, z.infer<typeof PlanInput>>,
): Promise<void> {
  const { request, response, key } = call;
  if (call.query().dryRun === 'true') {
    const trial = await tryOutPlan(deps, key, await readPlan(deps, call));
    return answer(request, response, 'dryRun', trial, EXACT);
  }
  const idempotencyKey = neededKey(request.headers['idempotency-key']);
  const { correlationId } = Object.assign(callOf(response), { idempotencyKey });
  const plan = await readPlan(deps, call);
  refuseUnfit(key, plan);
  const { placeOf: _, ...sent } = plan;
  const created = await deps.domain.plans.create({
    ...{ ...sent, id: newId(), clientId: key.clientId, idempotencyKey },
    ...{ createdBy: key.keyId, correlationId },
  });
  if (!created.ok) throw problemOf[created.problem]();
  const { replayed, plan: stored } = created;
  if (replayed) addHeader(response, 'idempotent-replayed', 'true');
  addHeader(response, 'location', `/v1/plans/${stored.id}`);
  const shown = replayed ? await planOf(deps, call, stored.id) : { ...stored, sums: [] };
  answer(request, response, 'plan', progressBody(shown), { status: replayed ? 200 : 201, ...EXACT });
}

/** GET /v1/plans */
export async function listPlans(
  { domain }: PlanDeps,
  call: KeyedCall<z.infer<typeof PlansQuery>>,
): Promise<void> {
  const { cursor, limit } = call.query();
  const filter = { viewer: viewerOf(call), limit, beforeId: cursor && idOf(cursor) };
  const { rows, nextId } = await domain.plans.list(filter);
  const body = { data: rows.map(planBody), nextCursor: nextId === null ? null : cursorOf(nextId) };
  answer(call.request, call.response, 'plans', body, EXACT);
}

/** GET /v1/plans/{planId} */
export async function readOnePlan(deps: PlanDeps, call: KeyedCall): Promise<void> {
  answer(call.request, call.response, 'plan', progressBody(await planOf(deps, call)), EXACT);
}

/** GET /v1/plans/{planId}/lines */
export async function listPlanLines(
  deps: PlanDeps,
  call: KeyedCall<z.infer<typeof PlanLinesQuery>>,
): Promise<void> {
  const { request, response } = call;
  const query = call.query();
  const plan = await plainPlanOf(deps, call);
  const limit = query.limit ?? plan.lines;
  const rows = await deps.domain.plans.lines(plan.id, {
    afterPlace: Number(query.cursor ?? 0),
    limit: limit + 1,
  });
  const page = rows.slice(0, limit).map((row) => lineBody(row, plan.currency));
  const nextCursor = rows.length > limit ? String(rows[limit - 1]!.place) : null;
  if (preferredForm(request, { csv: true }) !== 'csv')
    return answer(request, response, 'planLines', { data: page, nextCursor });
  if (nextCursor) addHeader(response, 'x-next-cursor', nextCursor);
  const flat = page.map(({ failure, ...row }) => ({
    ...row,
    failureCode: failure?.code ?? null,
    failureMessage: failure?.message ?? null,
  }));
  sendCsv(response, 'plan.csv', lineColumns, flat);
}

const lineColumns = [
  ...(['line', 'accountId', 'amount', 'currency', 'paymentMethod', 'destination', 'orderReference'] as const),
  'providerAccount',
  ...(['status', 'transactionId', 'failureCode', 'failureMessage', 'heldBecause'] as const),
];

/** POST /v1/plans/{planId}/start, pause, resume and cancel. */
export const movePlan =
  (verb: PlanVerb) =>
  async (deps: PlanDeps, call: KeyedCall): Promise<void> => {
    call.body();
    const plan = await plainPlanOf(deps, call);
    const { keyId, approvalAbove } = call.key;
    const moved = await deps.domain.plans.move({ planId: plan.id, verb, by: keyId, approvalAbove });
    if (!moved.ok && !call.repeats)
      throw new Problem('INVALID_STATE', `the plan is ${moved.plan?.status ?? plan.status}: ${wrong[verb]}`);
    if (moved.ok && moved.replayed) addHeader(call.response, 'idempotent-replayed', 'true');
    const after = await planOf(deps, call);
    answer(call.request, call.response, 'plan', progressBody(after), EXACT);
  };

const wrong: Readonly<Record<PlanVerb, string>> = {
  start: 'only a draft can be started',
  approve: 'only a plan that waits for an approval can be approved',
  pause: 'only a plan that runs can be paused',
  resume: 'only a paused plan can be resumed',
  cancel: 'a plan that is over cannot be canceled',
};

/** The plan in the path. A plan that the key may not see gives the same answer as a missing one. */
async function planOf(
  { domain }: PlanDeps,
  call: Pick<KeyedCall, 'request' | 'key'>,
  planId = planIdOf(call),
) {
  const plan = await domain.plans.one(planId, viewerOf(call));
  if (!plan) throw unknownPlan();
  return plan;
}

async function plainPlanOf({ domain }: PlanDeps, call: Pick<KeyedCall, 'request' | 'key'>) {
  const plan = await domain.plans.plain(planIdOf(call), viewerOf(call));
  if (!plan) throw unknownPlan();
  return plan;
}

const planIdOf = ({ request }: Pick<KeyedCall, 'request'>): string =>
  String(request.params.planId).toLowerCase();

const unknownPlan = (): Problem => new Problem('NOT_FOUND', 'there is no such plan');

const viewerOf = ({ key }: Pick<KeyedCall, 'key'>): PlanViewer => ({
  clientId: key.clientId,
  accountPatterns: key.accounts.map(likeOf),
});

const problemOf: Readonly<Record<PlanProblem, () => Problem>> = {
  unknown_client: () => new Problem('NOT_FOUND', 'there is no such client'),
  key_used_with_other_body: () =>
    new Problem(
      'DUPLICATE_REQUEST',
      'this idempotency key was used with another request; to repeat that one, send it unchanged',
    ),
  name_taken: () =>
    new Problem(
      'DUPLICATE_REQUEST',
      'another plan has this name, with other lines, another budget or another canary',
      {
        status: 409,
      },
    ),
};
