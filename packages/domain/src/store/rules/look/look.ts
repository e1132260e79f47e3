import { isCapReason, type WiderLimits } from '../../../core/rules/rule-caps.js';
import { decideRule, type RuleDecision, type RuleTimes } from '../../../core/rules/rule-decision.js';
import { type BurnRate, comparedMinor, type RuleFacts } from '../../../core/rules/rule-facts.js';
import { type RuleTerms, termsFromStore } from '../../../core/rules/rule-terms.js';
import { insertedCounter } from '../../ceilings/day-counter.js';
import type { Run } from '../../database/database.js';
import { isUuid } from '../../database/storable.js';
import { rowOf } from '../../recharges/creation/create.js';
import type { NewRechargeRow } from '../../recharges/creation/create-statement.js';
import { followRuleApproval } from '../follow-approval.js';
import type { FiledDecision } from '../rule.js';
import { readBurn } from './burn.js';
import type { RuleClock } from './clock.js';
import { countersOf, insertedCounters, readWider } from './counters.js';
import {
  approvalAboveOf,
  ceilingOfRule,
  factsOf,
  type RuleState,
  readSpent,
  readState,
  windowsOf,
} from './facts.js';
import { type DecisionFiling, type FilingOptions, filingOf } from './file-decision.js';
import { numbersOf } from './numbers.js';
import { declinesOf, type LastingDeclines } from './outcomes.js';

export type LookOptions = FilingOptions &
  Readonly<{
    clock: RuleClock;
    times: RuleTimes;
    /** The caps over many rules. */
    wider: WiderLimits;
    lastingDeclines: LastingDeclines;
    /** The time between two looks of a rule. */
    lookMs: number;
    random: () => number;
  }>;

/** What a look led to. `provider` carries out the recharge, if one was made. */
export type LookResult = Readonly<{
  ruleId: string;
  accountId: string;
  decision: FiledDecision & Readonly<{ provider: string | null }>;
  pause: RuleDecision['pause'];
  /** Whether the decision before had another reason. If so, people are told. */
  isNew: boolean;
}>;

/** The provider of a payment method and our account there. Null: none is configured, or only that of a payee. */
export type RouteOfMethod = (
  paymentMethod: string,
) => Readonly<{ provider: string; providerAccount: string }> | null;

const HOUR_MS = 3_600_000;
/** The next look follows within this time after what held the rule back has ended. */
const AFTER_BRAKE_MS = 50;

/**
 * Lets a rule look at its balance and decide. Null: there is no such active rule, or another process decided at the same
 * moment.
 */
export async function lookOnce(
  run: Run,
  options: LookOptions,
  ruleId: string,
  route: RouteOfMethod,
): Promise<LookResult | null> {
  const state = isUuid(ruleId) ? await readFollowed(run, options.clock, ruleId) : null;
  if (state === null) return null;
  const terms = termsFromStore(state.terms);
  const { burn, burnAt } = await burnOf(run, options.clock, state, terms);
  const counters = countersOf(state.clientId, sourceOf(state, route), state.currency, state.now);
  const facts = factsOf(state, {
    spending: await readSpent(run, state, terms),
    wider: await readWider(run, options.wider, counters),
    declines: declinesOf(state.outcomes, options.lastingDeclines),
    burn,
  });
  const decision = judgedByKey(decideRule(terms, facts, options.times, state.now), state, route);
  const filing = filingFor({ state, terms, facts, decision, burn, burnAt, counters }, options, route);
  if (filing.ceiling) await run(insertedCounter(filing.ceiling));
  if (filing.recharge !== null || isCapReason(decision.because)) await run(insertedCounters(counters));
  const [filed] = await run<LookResult['decision']>(filingOf(filing, options));
  if (!filed) return null;
  return {
    ruleId,
    accountId: state.accountId,
    decision: filed,
    pause: pauseByPayee(filed) ?? decision.pause,
    isNew: state.lastBecause !== filed.because,
  };
}

/** The statement that files a decision looks at the payee once more. */
const pauseByPayee = ({ because }: FiledDecision): RuleDecision['pause'] =>
  because === 'PAYEE_GONE' || because === 'PAYEE_CHANGED' ? because : null;

/** The rule with its facts, once it has followed the approval of a version that waits. */
async function readFollowed(run: Run, clock: RuleClock, ruleId: string): Promise<RuleState | null> {
  const state = await readState(run, clock, ruleId);
  if (state !== null && state.proposalId === null) return state;
  return (await followRuleApproval(run, clock, ruleId)) ? readState(run, clock, ruleId) : state;
}

/** The decision after two more checks: the limit of the key for one request, and whether the provider is configured. */
function judgedByKey(decision: RuleDecision, state: RuleState, route: RouteOfMethod): RuleDecision {
  if (decision.decided !== 'recharge') return decision;
  const ceiling = ceilingOfRule(state);
  const isAbove =
    ceiling === 'none' ||
    (ceiling !== undefined && ceiling.requestMinor !== null && decision.amountMinor! > ceiling.requestMinor);
  if (isAbove) return { ...decision, decided: 'held_back', because: 'KEY_CEILING' };
  const { kind, paymentMethod } = state.recharge;
  const isRouted = kind === 'deliver' || route(paymentMethod) !== null;
  return isRouted ? decision : { ...decision, decided: 'held_back', because: 'NO_PROVIDER' };
}

/** The burn rate is summed up once per hour. */
async function burnOf(
  run: Run,
  clock: RuleClock,
  state: RuleState,
  { balance: figure }: RuleTerms,
): Promise<Readonly<{ burn: BurnRate | null; burnAt: Date }>> {
  const { burn, burnAt, now } = state;
  if (burnAt !== null && now.getTime() - burnAt.getTime() < HOUR_MS) {
    return { burn: burn && { perDayMinor: BigInt(burn.perDayMinor), days: burn.days }, burnAt };
  }
  return { burn: await readBurn(run, clock, { ...state, figure }), burnAt: now };
}

/** Our account that pays: the one that delivers to the payee, or else the one that collects. */
function sourceOf({ recharge, payeeSource }: RuleState, route: RouteOfMethod): string | null {
  if (recharge.destination === 'cloud' && payeeSource !== null) return payeeSource;
  const routed = route(recharge.paymentMethod);
  return routed && `${routed.provider}/${routed.providerAccount}`;
}

type DecidedLook = Pick<DecisionFiling, 'state' | 'decision' | 'burn' | 'burnAt' | 'counters'> &
  Readonly<{ terms: RuleTerms; facts: RuleFacts }>;

function filingFor(decided: DecidedLook, options: LookOptions, route: RouteOfMethod): DecisionFiling {
  const { state, terms, decision } = decided;
  const recharge = decision.decided === 'recharge' ? rechargeOf(decided, options, route) : null;
  const ceiling = recharge === null ? undefined : ceilingOfRule(state);
  const dayMinor = typeof ceiling === 'object' ? ceiling.dayMinor : null;
  const { clientId, currency } = state;
  return {
    ...decided,
    comparedMinor: decided.facts.reading && comparedMinor(terms, decided.facts.reading),
    numbers: numbersOf(decided),
    dueInMs: dueInMs(decision, state.now, options),
    recharge,
    ceiling: dayMinor === null ? undefined : { clientId, currency, dayMinor },
    windows: windowsOf(state.now, terms),
  };
}

/** The key of the recharge comes from the rule and the number of its decision. It contains a space, so no client can send it. */
const rechargeOf = (
  { state, decision }: DecidedLook,
  { newId }: LookOptions,
  route: RouteOfMethod,
): NewRechargeRow =>
  rowOf({
    id: newId(),
    clientId: state.clientId,
    idempotencyKey: `rule ${state.id} ${state.decisions + 1}`,
    accountId: state.accountId,
    kind: state.recharge.kind,
    funding: state.recharge.funding,
    destination: state.recharge.destination,
    amountMinor: decision.amountMinor!,
    currency: state.currency,
    paymentMethod: state.recharge.paymentMethod,
    ...routed(state.recharge.paymentMethod, route),
    metadata: state.recharge.metadata,
    requestedAt: null,
    // A proposal waits for an approval whatever its amount.
    approvalAboveMinor: state.terms.mode === 'propose' ? 0n : approvalAboveOf(state),
    correlationId: `rule-${state.id}`,
  });

const routed = (paymentMethod: string, route: RouteOfMethod) =>
  (paymentMethod === 'fund_account' ? null : route(paymentMethod)) ?? { provider: null };

/** Looks are spread, so that rules that were made together do not look together. */
function dueInMs({ until }: RuleDecision, now: Date, { lookMs, random }: LookOptions): number {
  const usual = lookMs * (0.9 + random() / 5);
  if (until === null) return usual;
  return Math.min(usual, Math.max(0, until.getTime() - now.getTime()) + AFTER_BRAKE_MS);
}
