import { hash } from 'node:crypto';
import type { ApprovalLimits } from '../../core/access/approval.js';
import { needsEvidence, type Verb } from '../../core/cases/case-verbs.js';
import type { Kind } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { codeOf, isBookedElsewhere, violated } from '../database/failure.js';
import { isUuid, storable, storableJson } from '../database/storable.js';
import type { OperatorAction, RechargeReport, ReportResult } from '../recharges/report.js';
import type { AdoptionProblem, LineAdoption } from '../statements/adopt-line.js';
import { type ActionRow, actionColumns, resolvedCases } from './action.js';
import { awaitedApproval, type VerbApproving } from './approved.js';
import { type CaseViewer, caseById } from './list.js';
import { type CaseView, canReturn, type IsRefunding } from './view.js';

/** A person's decision about a case, as it was asked for. */
export type ResolutionAsk = Readonly<{
  caseId: string;
  verb: Verb;
  reason: string;
  /** What the person showed. Some verbs need it. */
  evidence: Readonly<Record<string, unknown>> | null;
  actor: string;
  /** `client` for a key, `operator` for a person on the command line. */
  role: string;
  viewer: CaseViewer;
  /** The idempotency key of the request. Null: the request has none, so a second one is refused. */
  idempotencyKey: string | null;
  /** Limits of the key that asks. Missing: a person asks, whose limits are configured. */
  approvalAbove?: ApprovalLimits;
}>;

/**
 * - `approval_needed`: a second person has to approve it first. Then the same request is to be sent again.
 * - `verb_not_offered`: the kind of the case or the state of its recharge does not allow it.
 * - `insufficient_balance`: the wallet does not hold the money that goes out of it.
 * - `beyond_balance`: the wallet cannot hold the money that comes into it.
 * - `account_needed`: the evidence does not name the account that the money belongs to.
 * - `unknown_account`: nobody has recharged that account yet, so it is of no client.
 */
export type ResolutionProblem =
  | 'unknown_case'
  | 'evidence_needed'
  | 'approval_needed'
  | 'verb_not_offered'
  | 'case_closed'
  | 'key_used_with_other_body'
  | 'insufficient_balance'
  | 'beyond_balance'
  | 'not_understood'
  | 'account_needed'
  | 'unknown_account';

export type ResolvedCase =
  | Readonly<{
      ok: true;
      replayed: boolean;
      resolved: CaseView;
      /** The refund that returns the money, to be hinted. */
      refund: ReportResult['delivery'];
    }>
  | Readonly<{ ok: false; problem: ResolutionProblem; approvalId?: string }>;

export type Resolving = Readonly<{
  run: Run;
  applyNews: (report: RechargeReport) => Promise<ReportResult>;
  newId: () => string;
  isRefunding: IsRefunding;
  adoptLine: (adoption: LineAdoption) => Promise<AdoptionProblem | null>;
  approving: VerbApproving;
}>;

type Done = ResolutionProblem | 'case_changed' | Readonly<{ refund: ReportResult['delivery'] }>;

/**
 * Resolves a case once. The same request with the same key has the same answer. If money comes to the case meanwhile, the
 * request is judged again with that money, since it may now need an approval.
 */
export async function resolveCase(deps: Resolving, ask: ResolutionAsk): Promise<ResolvedCase> {
  if (!isUuid(ask.caseId)) return refused('unknown_case');
  const seen = await caseById(deps.run, ask.caseId, ask.viewer, deps.isRefunding);
  if (!seen) return refused('unknown_case');
  const earlier = await replayOf(deps, ask);
  if (earlier) return earlier;
  if (needsEvidence(ask.verb) && ask.evidence === null) return refused('evidence_needed');
  // Without this, a verb that is offered only from now on would pass the limit.
  if (!seen.verbs.includes(ask.verb)) return refused(seen.closedAt ? 'case_closed' : 'verb_not_offered');
  const approvalId = await awaitedApproval(deps, ask, seen);
  if (approvalId !== null) return { ok: false, problem: 'approval_needed', approvalId };
  const outcome = await carriedOut(deps, ask, seen);
  if (outcome === 'case_changed') return resolveCase(deps, ask);
  if (typeof outcome !== 'string') return done(deps, ask, { replayed: false, refund: outcome.refund });
  // Of two requests with one key, the second finds the case closed by the first.
  return (await replayOf(deps, ask)) ?? refused(outcome);
}

const refused = (problem: ResolutionProblem): ResolvedCase => ({ ok: false, problem });

async function done(
  { run, isRefunding }: Resolving,
  { caseId }: ResolutionAsk,
  rest: Readonly<{ replayed: boolean; refund: ReportResult['delivery'] }>,
): Promise<ResolvedCase> {
  const resolved = await caseById(run, caseId, null, isRefunding);
  if (!resolved) throw new Error(`case ${caseId} is gone`);
  return { ok: true, ...rest, resolved };
}

async function replayOf(deps: Resolving, ask: ResolutionAsk): Promise<ResolvedCase | null> {
  const { viewer, idempotencyKey } = ask;
  if (viewer === null || idempotencyKey === null) return null;
  const [action] = await deps.run<{ caseId: string; fingerprint: string }>(Prisma.sql`
    select case_id as "caseId", fingerprint
    from operator_action
    where client_id = ${viewer.clientId}::uuid and idempotency_key = ${idempotencyKey}`);
  if (!action) return null;
  return action.fingerprint === fingerprintOf(ask)
    ? done(deps, ask, { replayed: true, refund: null })
    : refused('key_used_with_other_body');
}

const fingerprintOf = ({ caseId, verb, reason, evidence }: ResolutionAsk): string =>
  hash('sha256', JSON.stringify([caseId.toLowerCase(), verb, reason, sorted(evidence)]));

/** Two pieces of evidence that differ only in the order of their fields are the same. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, part]) => [name, sorted(part)]);
};

async function carriedOut(deps: Resolving, ask: ResolutionAsk, seen: CaseView): Promise<Done> {
  try {
    return seen.transactionId === null
      ? await closeAlone(deps, ask, seen)
      : await report(deps, ask, { ...seen, transactionId: seen.transactionId });
  } catch (error) {
    const constraint = violated(error);
    if (constraint === 'ledger_account_no_overdraft') return 'insufficient_balance';
    if (constraint === 'operator_action_client_id_idempotency_key_key') return 'key_used_with_other_body';
    // The line of the case names an order that is the order of another recharge.
    if (isBookedElsewhere(error)) return 'verb_not_offered';
    if (codeOf(error) === NUMERIC_VALUE_OUT_OF_RANGE) return 'beyond_balance';
    throw error;
  }
}

const NUMERIC_VALUE_OUT_OF_RANGE = '22003';

async function report(
  deps: Resolving,
  ask: ResolutionAsk,
  { transactionId, sums }: CaseView & Readonly<{ transactionId: string }>,
): Promise<Done> {
  const { caseId, verb, reason, actor } = ask;
  const order = await orderOf(deps.run, transactionId);
  const { verdict, delivery } = await deps.applyNews({
    ...{ transactionId, news: 'resolved', source: 'operator' },
    reason: `${verb} by ${actor}: ${reason}${verb === 'resubmit' ? givenUp(order) : ''}`,
    resolution: {
      ...{ caseId: caseId.toLowerCase(), verb, reason },
      isReturnable: canReturn(order, deps.isRefunding),
      seenSums: sums,
    },
    operator: actionOf(deps, ask),
  });
  switch (verdict) {
    case 'moved':
    case 'stale':
      return { refund: delivery };
    case 'verb_not_offered':
    case 'case_closed':
    case 'case_changed':
    case 'not_understood':
      return verdict;
    default:
      throw new Error(`a resolution of ${caseId} ended as ${verdict}`);
  }
}

type OrderOfCase = Readonly<{
  kind: Kind;
  provider: string;
  providerAccount: string;
  providerOrderId: string | null;
}>;

async function orderOf(run: Run, id: string): Promise<OrderOfCase> {
  const [order] = await run<OrderOfCase>(Prisma.sql`
    select kind, provider, provider_account as "providerAccount", provider_order_id as "providerOrderId"
    from recharge_transaction
    where id = ${id}::uuid`);
  if (!order) throw new Error(`recharge ${id} of a case is gone`);
  return order;
}

const givenUp = ({ providerOrderId }: OrderOfCase): string =>
  providerOrderId === null ? '' : ` (order ${providerOrderId} is given up)`;

const actionOf = ({ newId }: Resolving, ask: ResolutionAsk): OperatorAction => ({
  ...{ id: newId(), actor: storable(ask.actor, ACTOR_MAX), role: ask.role },
  evidence: ask.evidence && JSON.parse(storableJson(ask.evidence)),
  key:
    ask.viewer && ask.idempotencyKey !== null
      ? { clientId: ask.viewer.clientId, idempotencyKey: ask.idempotencyKey, fingerprint: fingerprintOf(ask) }
      : null,
});

const ACTOR_MAX = 200;

/** A case without a recharge changes nothing else, so it does not go through the report of news. */
async function closeAlone(deps: Resolving, ask: ResolutionAsk, seen: CaseView): Promise<Done> {
  const row = actionRowOf(deps, ask, seen);
  if (ask.verb === 'adopt') return adoptLine(deps, ask, seen.subject, row);
  const closed = await deps.run(Prisma.sql`
    with
    actions as ${actionColumns.from([row])},
    ${resolvedCases}
    select from resolved_cases`);
  return closed.length > 0 ? { refund: null } : 'case_closed';
}

function actionRowOf(deps: Resolving, ask: ResolutionAsk, { id: caseId }: CaseView): ActionRow {
  const { key, ...action } = actionOf(deps, ask);
  return {
    ...action,
    ...{ caseId, verb: ask.verb, reason: storable(ask.reason, REASON_MAX), returnedBy: null },
    clientId: key?.clientId ?? null,
    idempotencyKey: key?.idempotencyKey ?? null,
    fingerprint: key?.fingerprint ?? null,
  };
}

const ACCOUNT = /^[A-Za-z0-9._:-]{1,64}$/;

/** Money that came in without us becomes a recharge of the account that the evidence names. */
async function adoptLine(
  deps: Resolving,
  ask: ResolutionAsk,
  subject: string,
  action: ActionRow,
): Promise<Done> {
  const { accountId } = ask.evidence ?? {};
  if (typeof accountId !== 'string' || !ACCOUNT.test(accountId)) return 'account_needed';
  const clientId = ask.viewer?.clientId ?? null;
  const problem = await deps.adoptLine({ subject, accountId, clientId, reason: action.reason, action });
  return problem ?? { refund: null };
}

const REASON_MAX = 500;
