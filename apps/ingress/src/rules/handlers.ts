import type { SortingProviders } from '@replenish/assembly';
import type { ChangedRule, Domain, NewRule, RuleProblem, RuleView, RuleViewer } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import { newId } from '@replenish/runtime';
import type { z } from 'zod';
import { likeOf } from '../auth/account-patterns.js';
import { ceilingOf, requireAccount } from '../auth/refusals.js';
import { answer, answerNothing, exactJson } from '../http/answers/answer.js';
import { invalid, Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { callOf } from '../http/call.js';
import type { KeyedCall } from '../http/operation.js';
import type { CallHints } from '../http/traced-call.js';
import { cursorOf, idOf } from '../input/cursor.js';
import { neededKey } from '../input/key-header.js';
import { decisionBody, ruleBody, ruleTrialBody } from './body.js';
import { faultOfFigure } from './figure.js';
import type { CreateRuleQuery, DecisionQuery, RuleChangeInput, RuleInput, RuleQuery } from './input.js';
import { changedTermsOf, newTermsOf } from './terms.js';

export type RuleDeps = Readonly<{
  domain: Pick<Domain, 'rules' | 'payees'>;
  providers: SortingProviders & Pick<Providers, 'raw'>;
  queues: CallHints;
}>;

/** Sums can exceed 2^53. */
const EXACT = { json: exactJson };

/** POST /v1/rules */
export async function createRule(
  deps: RuleDeps,
  call: KeyedCall<z.infer<typeof CreateRuleQuery>, z.infer<typeof RuleInput>>,
): Promise<void> {
  const { request, response, key } = call;
  const { dryRun } = call.query();
  const given = call.body();
  requireAccount(key, given.accountId);
  ceilingOf(key, given.currency);
  const header = request.headers['idempotency-key'];
  const idempotencyKey = header === undefined ? null : neededKey(header);
  if (idempotencyKey !== null) Object.assign(callOf(response), { idempotencyKey });
  const { accountId, currency, watch } = given;
  const asked: NewRule = {
    ...{ id: newId(), clientId: key.clientId, keyId: key.keyId, actor: actorOf(call), idempotencyKey },
    ...{ accountId, currency, watch, ...newTermsOf(given, deps.providers) },
  };
  const { rules } = deps.domain;
  const preview = await rules.preview(asked);
  const fault = await faultOfFigure(deps, asked);
  if (dryRun === 'true') {
    const trial = ruleTrialBody(preview, await rules.backTest(asked), fault);
    return answer(request, response, 'dryRun', trial, EXACT);
  }
  if (fault !== null) throw invalid({ path: 'balance', message: fault });
  const created = await rules.create(asked);
  if (!created.ok) throw problemOf[created.problem]();
  const { rule, replayed } = created;
  if (replayed) addHeader(response, 'idempotent-replayed', 'true');
  else lookSoon(deps, call, rule);
  addHeader(response, 'location', `/v1/rules/${rule.id}`);
  const next = rule.waiting === null ? (preview.next?.decided ?? null) : 'held_back';
  answer(request, response, 'rule', { ...ruleBody(rule), next }, { ...EXACT, status: replayed ? 200 : 201 });
}

/** GET /v1/rules */
export async function listRules(deps: RuleDeps, call: KeyedCall<z.infer<typeof RuleQuery>>): Promise<void> {
  const { cursor, ...filter } = call.query();
  const { rows, nextId } = await deps.domain.rules.list({
    ...{ ...filter, viewer: viewerOf(call), beforeId: cursor && idOf(cursor) },
  });
  const nextCursor = nextId === null ? null : cursorOf(nextId);
  answer(call.request, call.response, 'rules', { data: rows.map(ruleBody), nextCursor }, EXACT);
}

/** GET /v1/rules/{ruleId} */
export async function readRule(deps: RuleDeps, call: KeyedCall): Promise<void> {
  answerRule(call, await found(deps, call));
}

type ChangeCall = KeyedCall<never, z.infer<typeof RuleChangeInput>>;

const MERGES_MAX = 3;

/**
 * PATCH /v1/rules/{ruleId}. The fields are merged into the terms as they are now. If somebody else changes them before
 * this change is stored, the fields are merged again, so that neither change undoes the other.
 */
export async function changeRule(deps: RuleDeps, call: ChangeCall): Promise<void> {
  for (let merges = 0; merges < MERGES_MAX; merges++) {
    const rule = await mergedOnce(deps, call);
    if (!rule) throw unknownRule();
    if (rule === 'changed_since') continue;
    if (rule.status === 'active') lookSoon(deps, call, rule);
    return answerRule(call, rule);
  }
  throw changedByOthers();
}

async function mergedOnce(deps: RuleDeps, call: ChangeCall): Promise<ChangedRule> {
  const before = await found(deps, call);
  const agreed = changedTermsOf(call.body(), before, deps.providers);
  const fault = await faultOfFigure(deps, { ...before, terms: agreed.terms });
  if (fault !== null) throw invalid({ path: 'balance', message: fault });
  return deps.domain.rules.change(before.id, viewerOf(call), {
    ...{ ...agreed, basedOn: before.consent.termsVersion },
    ...{ keyId: call.key.keyId, actor: actorOf(call) },
  });
}

/** DELETE /v1/rules/{ruleId} */
export async function removeRule(deps: RuleDeps, call: KeyedCall): Promise<void> {
  if (!(await deps.domain.rules.remove(ruleIdOf(call), viewerOf(call))) && !call.repeats) throw unknownRule();
  answerNothing(call.response);
}

/** POST /v1/rules/{ruleId}/pause. The body is not looked at: a rule can always be paused. */
export async function pauseRule(deps: RuleDeps, call: KeyedCall): Promise<void> {
  const before = await found(deps, call);
  const rule = await deps.domain.rules.pause(before.id, viewerOf(call));
  if (!rule) throw unknownRule();
  if (rule.status === 'expired') throw expired();
  answerVerb(call, before, rule);
}

/** POST /v1/rules/{ruleId}/resume */
export async function resumeRule(deps: RuleDeps, call: KeyedCall): Promise<void> {
  call.body();
  const before = await found(deps, call);
  const rule = await deps.domain.rules.resume(before.id, viewerOf(call), {
    ...{ keyId: call.key.keyId, actor: actorOf(call) },
  });
  if (!rule) throw unknownRule();
  if (rule.status === 'expired') throw expired();
  lookSoon(deps, call, rule);
  answerVerb(call, before, rule);
}

/** GET /v1/rules/{ruleId}/decisions */
export async function listDecisions(
  deps: RuleDeps,
  call: KeyedCall<z.infer<typeof DecisionQuery>>,
): Promise<void> {
  const { limit, cursor } = call.query();
  const rule = await found(deps, call);
  const beforeSeq = cursor === undefined ? null : Math.min(Number(cursor), SEQ_MAX);
  const { rows, nextSeq } = await deps.domain.rules.decisions(rule.id, { limit, beforeSeq });
  const nextCursor = nextSeq === null ? null : String(nextSeq);
  answer(call.request, call.response, 'decisions', { data: rows.map(decisionBody), nextCursor }, EXACT);
}

const SEQ_MAX = 2_147_483_647;

/** POST /v1/rules/stop. The body is not looked at. */
export const stopRules = (deps: RuleDeps, call: KeyedCall): Promise<void> => setStopped(deps, call, true);

/** POST /v1/rules/start */
export const startRules = (deps: RuleDeps, call: KeyedCall): Promise<void> => {
  call.body();
  return setStopped(deps, call, false);
};

async function setStopped(deps: RuleDeps, call: KeyedCall, isStopped: boolean): Promise<void> {
  const isChanged = await deps.domain.rules.setStopped(isStopped, actorOf(call));
  if (!isChanged) addHeader(call.response, 'idempotent-replayed', 'true');
  answer(call.request, call.response, 'rules', { isStopped });
}

const answerRule = (call: Pick<KeyedCall, 'request' | 'response'>, rule: RuleView): void =>
  answer(call.request, call.response, 'rule', ruleBody(rule), EXACT);

/** If the rule already is as the verb would leave it, the verb counts as repeated. */
function answerVerb(call: Pick<KeyedCall, 'request' | 'response'>, before: RuleView, rule: RuleView): void {
  const isSame =
    before.status === rule.status &&
    before.pausedBecause === rule.pausedBecause &&
    before.waiting?.approvalId === rule.waiting?.approvalId;
  if (isSame) addHeader(call.response, 'idempotent-replayed', 'true');
  answerRule(call, rule);
}

/** The hint is not awaited. Without it, the worker looks at the rule at its next due time. */
const lookSoon = (
  { queues }: RuleDeps,
  { response }: Pick<KeyedCall, 'response'>,
  { id }: Pick<RuleView, 'id'>,
): void => void queues.hint('automation', [id], callOf(response).span);

async function found(deps: RuleDeps, call: Pick<KeyedCall, 'request' | 'key'>): Promise<RuleView> {
  const rule = await deps.domain.rules.one(ruleIdOf(call), viewerOf(call));
  if (!rule) throw unknownRule();
  return rule;
}

const ruleIdOf = ({ request }: Pick<KeyedCall, 'request'>): string =>
  String(request.params.ruleId).toLowerCase();

const actorOf = ({ key }: Pick<KeyedCall, 'key'>): string => `${key.clientName} (${key.keyId})`;

const viewerOf = ({ key }: Pick<KeyedCall, 'key'>): RuleViewer => ({
  clientId: key.clientId,
  accountPatterns: key.accounts.map(likeOf),
});

const unknownRule = () => new Problem('NOT_FOUND', 'there is no such rule');
const changedByOthers = () =>
  new Problem('INVALID_STATE', 'others change the rule at this moment; read it and send the change again');
const expired = () => new Problem('INVALID_STATE', 'the rule has expired; give it a new `expiresAt`');

const problemOf: Readonly<Record<RuleProblem, () => Problem>> = {
  no_payee: () =>
    invalid({
      path: 'watch',
      message: 'is cloud, and the account has no payee: set one with PUT /v1/accounts/{accountId}/payee',
    }),
  other_currency: () =>
    invalid({ path: 'currency', message: 'is not the currency of the payee of the account' }),
  key_used_with_other_body: () =>
    new Problem(
      'DUPLICATE_REQUEST',
      'this idempotency key was used with another request; to repeat that one, send it unchanged',
    ),
};
