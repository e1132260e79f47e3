import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import {
  changeRule,
  createRule,
  listDecisions,
  listRules,
  pauseRule,
  type RuleDeps,
  readRule,
  removeRule,
  resumeRule,
  startRules,
  stopRules,
} from './handlers.js';
import { CreateRuleQuery, DecisionQuery, RuleChangeInput, RuleInput, RuleQuery } from './input.js';
import { RechargeRule, RuleDecisions, RuleSwitch, Rules } from './schemas.js';
import { RuleTrial } from './trial-schema.js';

const NOT_FOUND = 'There is no rule with this id that the key may see';
const EXPIRED = 'The rule has expired';
const tag = 'rules';

const example = {
  accountId: 'acct-1001',
  currency: 'USD',
  watch: 'wallet',
  below: 100000,
  recharge: { upTo: 500000 },
  paymentMethod: 'sandbox',
  caps: { perRecharge: 500000, perDay: 1000000, perMonth: 5000000, timesPerDay: 5 },
  cooldownSeconds: 3600,
};

/** The fields of a rule that the audit trail keeps. */
const audited = { paymentMethod: 'paymentMethod', mode: 'mode' };

const ofOne = {
  tag,
  scope: 'rules:write',
  answers: { 200: [{ RechargeRule }, 'The rule as it is now'] },
  problems: [...KEYED_CALL, 'NOT_FOUND', 'INVALID_STATE'],
  meanings: { NOT_FOUND, INVALID_STATE: EXPIRED },
} as const;

const made: readonly KeyedOperation<RuleDeps>[] = [
  keyed({
    method: 'post',
    paths: ['/v1/rules'],
    id: 'createRule',
    tag,
    summary: 'Recharge an account whenever its balance is low',
    description:
      'Makes a rule, which looks at the balance for the first time at once. A balance that is low already is recharged then. A rule that needs an approval rests until it is given: `status` is `paused`, and `waiting` says so. With `dryRun=true` nothing is stored: the answer says what the rule would do now, and what it would have done on the stored balances of the last 30 days.',
    scope: 'rules:write',
    idempotencyKey: 'optional',
    query: CreateRuleQuery,
    body: {
      schema: { RuleInput },
      example,
      audited: { accountId: 'accountId', currency: 'currency', watch: 'watch', ...audited },
    },
    answers: {
      200: [
        { RechargeRule, RuleTrial },
        'The idempotency key was used before with the same request: the rule as it is now. With `dryRun=true`: what the rule would do',
      ],
      201: [{ RechargeRule }, 'The rule'],
    },
    headers: { 200: ['Idempotent-Replayed', 'Location'], 201: ['Location'] },
    problems: [...KEYED_CALL, 'DUPLICATE_REQUEST'],
    meanings: { DUPLICATE_REQUEST: 'The idempotency key was used with another request' },
    handle: createRule,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/rules'],
    id: 'listRules',
    tag,
    summary: 'List rules, newest first',
    description: 'The rules of the client on the accounts of the key.',
    scope: 'rules:read',
    query: RuleQuery,
    answers: { 200: [{ Rules }, 'A page of rules'] },
    problems: KEYED_CALL,
    handle: listRules,
  }),
];

/** These are listed before the routes with a rule's id, which would match these paths, too. */
const all: readonly KeyedOperation<RuleDeps>[] = [
  keyed({
    method: 'post',
    paths: ['/v1/rules/stop'],
    id: 'stopRules',
    tag,
    summary: 'Stop all rules of all clients',
    description: 'Once it is answered, no rule makes a recharge. Recharges under way go on.',
    scope: 'rules:admin',
    answers: { 200: [{ RuleSwitch }, 'All rules are stopped'] },
    headers: { 200: ['Idempotent-Replayed'] },
    problems: KEYED_CALL,
    handle: stopRules,
  }),
  keyed({
    method: 'post',
    paths: ['/v1/rules/start'],
    id: 'startRules',
    tag,
    summary: 'Let all rules act again',
    description: 'Rules that are paused stay paused.',
    scope: 'rules:admin',
    answers: { 200: [{ RuleSwitch }, 'The rules act'] },
    headers: { 200: ['Idempotent-Replayed'] },
    problems: KEYED_CALL,
    handle: startRules,
  }),
];

const one: readonly KeyedOperation<RuleDeps>[] = [
  keyed({
    method: 'get',
    paths: ['/v1/rules/{ruleId}'],
    id: 'getRule',
    summary: 'Read one rule',
    description: 'The rule with its last decision and its forecast.',
    ...ofOne,
    scope: 'rules:read',
    answers: { 200: [{ RechargeRule }, 'The rule'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { NOT_FOUND },
    handle: readRule,
  }),
  keyed({
    method: 'patch',
    paths: ['/v1/rules/{ruleId}'],
    id: 'changeRule',
    summary: 'Change the terms of a rule',
    description:
      'Fields that are left out stay. The change is kept as a new consent of this key. Above the limits for approvals a change that charges more, oftener or elsewhere waits for a second person: until then the terms stay as they are, and `waiting` names the change. A further change voids it. What the rule created so far still counts towards its caps.',
    ...ofOne,
    body: { schema: { RuleChangeInput }, example: { below: 150000 }, audited },
    meanings: { NOT_FOUND, INVALID_STATE: 'Others change the rule at this moment' },
    handle: changeRule,
  }),
  keyed({
    method: 'delete',
    paths: ['/v1/rules/{ruleId}'],
    id: 'removeRule',
    summary: 'End a rule',
    description: 'The rule is gone. Its recharges and its decisions stay in the books.',
    ...ofOne,
    answers: { 204: ['nothing', 'There is no such rule any more'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { NOT_FOUND },
    handle: removeRule,
  }),
  keyed({
    method: 'post',
    paths: ['/v1/rules/{ruleId}/pause'],
    id: 'pauseRule',
    summary: 'Pause a rule',
    description: 'It creates nothing until it is resumed. A recharge under way goes on.',
    ...ofOne,
    headers: { 200: ['Idempotent-Replayed'] },
    handle: pauseRule,
  }),
  keyed({
    method: 'post',
    paths: ['/v1/rules/{ruleId}/resume'],
    id: 'resumeRule',
    summary: 'Resume a rule',
    description:
      'It acts again, and its earlier declines are forgiven. Whoever resumes it agrees to the present payee, and the rule goes on under this key. Above the limits for approvals another payee needs a second person first.',
    ...ofOne,
    headers: { 200: ['Idempotent-Replayed'] },
    handle: resumeRule,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/rules/{ruleId}/decisions'],
    id: 'listRuleDecisions',
    summary: 'List the decisions of a rule, newest first',
    description: 'Every look of the rule: the balance, what it decided, and the numbers behind it.',
    ...ofOne,
    scope: 'rules:read',
    query: DecisionQuery,
    answers: { 200: [{ RuleDecisions }, 'A page of decisions'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { NOT_FOUND },
    handle: listDecisions,
  }),
];

export const rules: readonly KeyedOperation<RuleDeps>[] = [...made, ...all, ...one];
