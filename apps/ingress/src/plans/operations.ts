import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { PlanDryRun } from './dry-run-schema.js';
import { createPlan, listPlanLines, listPlans, movePlan, type PlanDeps, readOnePlan } from './handlers.js';
import { PlanInput, PlanLinesQuery, PlanQuery, PlansQuery } from './input.js';
import { PLAN_BODY_MAX_BYTES } from './read-plan.js';
import { Plan, PlanLines, Plans } from './schemas.js';

const NOT_FOUND =
  'The client of the key has no plan with this id, or the key does not cover all its accounts';

type PlanVerbName = Parameters<typeof movePlan>[0];

const verb = (
  name: PlanVerbName,
  id: string,
  summary: string,
  description: string,
): KeyedOperation<PlanDeps> =>
  keyed({
    method: 'post',
    paths: [`/v1/plans/{planId}/${name}`],
    id,
    tag: 'plans',
    summary,
    description: `${description} It may be repeated: the second call changes nothing.`,
    scope: 'plans:write',
    answers: { 200: [{ Plan }, 'The plan as it is then'] },
    headers: { 200: ['Idempotent-Replayed'] },
    problems: [...KEYED_CALL, 'NOT_FOUND', 'INVALID_STATE'],
    meanings: { NOT_FOUND, INVALID_STATE: 'The status of the plan does not allow it' },
    handle: movePlan(name),
  });

export const plans: readonly KeyedOperation<PlanDeps>[] = [
  keyed({
    method: 'post',
    paths: ['/v1/plans'],
    id: 'createPlan',
    tag: 'plans',
    summary: 'Create a plan of many recharges',
    description:
      'Up to 10,000 lines as JSON, XML or CSV. All lines are checked together. Every fault is named by line and column, and nothing is stored if there is one. The plan is a draft until it is started. The same name with the same content is the same plan, so a file may be uploaded again. With `dryRun=true` nothing is stored: the answer says which lines would be refused if the plan was started now.',
    scope: 'plans:write',
    query: PlanQuery,
    idempotencyKey: 'needed',
    body: {
      schema: { PlanInput },
      csv: {
        about: 'The lines of the plan, with a line of names. Its name and budget are parameters of the query',
        example:
          'line,accountId,amount,currency,paymentMethod,orderReference\n1,acct-1001,300000,CNY,fund_account,PO-7\n',
      },
      bytesMax: PLAN_BODY_MAX_BYTES,
      example: {
        name: 'november',
        budget: 1_000_000,
        lines: [
          {
            line: 1,
            accountId: 'acct-1001',
            amount: 300_000,
            currency: 'CNY',
            paymentMethod: 'fund_account',
          },
        ],
      },
      audited: { name: 'name' },
    },
    answers: {
      200: [
        { Plan, PlanDryRun },
        'The plan that has this name and content already, or that the key stands for. With `dryRun=true`: what would become of the plan',
      ],
      201: [{ Plan }, 'The plan is stored as a draft'],
    },
    headers: { 200: ['Location', 'Idempotent-Replayed'], 201: ['Location'] },
    problems: [...KEYED_CALL, 'DUPLICATE_REQUEST'],
    meanings: {
      DUPLICATE_REQUEST:
        'Another plan has this name (409), or the idempotency key was used with another request (422)',
      UNAUTHORIZED: 'The key lacks the scope, or does not cover each account',
    },
    handle: createPlan,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/plans'],
    id: 'listPlans',
    tag: 'plans',
    summary: 'List plans, newest first',
    description:
      'The plans of your client of which the key covers every account. For a key of some accounts, a page may hold fewer plans than `limit`, or none, and still have a `nextCursor`.',
    scope: 'plans:read',
    query: PlansQuery,
    answers: { 200: [{ Plans }, 'A page of plans'] },
    problems: KEYED_CALL,
    handle: listPlans,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/plans/{planId}'],
    id: 'getPlan',
    tag: 'plans',
    summary: 'Read one plan and how far it is',
    description: 'The numbers and sums of its lines by what became of them.',
    scope: 'plans:read',
    answers: { 200: [{ Plan }, 'The plan'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { NOT_FOUND },
    handle: readOnePlan,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/plans/{planId}/lines'],
    id: 'listPlanLines',
    tag: 'plans',
    summary: 'Read the lines of a plan, each with what became of it',
    description: 'All lines, unless `limit` is given. `text/csv` is the result file.',
    scope: 'plans:read',
    query: PlanLinesQuery,
    answers: { 200: [{ PlanLines }, 'The lines'] },
    csv: true,
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { NOT_FOUND },
    handle: listPlanLines,
  }),
  verb(
    'start',
    'startPlan',
    'Start a plan',
    'Creates the recharges of its lines, one after the other, within the accounts and ceilings of this key. A line that is refused fails, and the others go on.',
  ),
  verb(
    'pause',
    'pausePlan',
    'Pause a plan',
    'No more recharges are created. Those that are created already go on.',
  ),
  verb('resume', 'resumePlan', 'Resume a paused plan', 'The lines that are not started go on.'),
  verb(
    'cancel',
    'cancelPlan',
    'Cancel a plan',
    'Lines that are not started stay so for ever. Recharges that are created already go on.',
  ),
];
